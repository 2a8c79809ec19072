import type { Command } from 'commander';
import { z } from 'zod';
import type { CommonOptions } from './command-options.js';
import { versionPath } from './model.js';
import { answer, type Output, say, table } from './output.js';
import { createServiceClient, type ServiceClient } from './service-client.js';

interface OutlierOptions {
  readonly model: string;
  readonly version: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly minScore?: string | undefined;
  readonly feature?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit: string;
}

const page = z.object({
  outliers: z.array(
    z.looseObject({
      predictionId: z.string(),
      rowIndex: z.number(),
      at: z.string(),
      score: z.number(),
      reasons: z.array(z.object({ feature: z.string(), contribution: z.number() })),
      values: z.record(z.string(), z.union([z.number(), z.string(), z.null()])).nullable(),
    }),
  ),
  next: z.string().nullable(),
});
type Outlier = z.output<typeof page>['outliers'][number];

/** Shown of each row. */
const SHOWN_REASONS = 3;

export async function listOutliers(
  client: Pick<ServiceClient, 'get'>,
  { model, version, ...filters }: OutlierOptions,
  output: Output,
): Promise<void> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) if (value !== undefined) query.set(name, value);
  const document = page.parse(await client.get(`${versionPath(model, version)}/outliers?${query}`));
  if (document.outliers.length === 0) say(output, 'No row is flagged.');
  else
    say(
      output,
      table(
        ['score', 'event time', 'prediction', 'what isolated it'],
        document.outliers.map((outlier) => [
          outlier.score.toFixed(3),
          outlier.at.replace(/\.000Z$/, 'Z'),
          outlier.rowIndex > 0 ? `${outlier.predictionId} row ${outlier.rowIndex}` : outlier.predictionId,
          reasonsOf(outlier),
        ]),
      ),
    );
  if (document.next !== null) say(output, `More follow: --cursor ${document.next}`);
  answer(output, document);
}

function reasonsOf({ reasons, values }: Outlier): string {
  return reasons
    .slice(0, SHOWN_REASONS)
    .map(({ feature }) => (values === null ? feature : `${feature} = ${values[feature] ?? 'missing'}`))
    .join(', ');
}

export function addOutlierCommand(program: Command, { url, key, json, outputOf }: CommonOptions): void {
  program
    .command('outliers')
    .description('list rows unlike the reference, the most unusual first, with what isolated them')
    .argument('<model>')
    .requiredOption('--version <version>', 'version of the model')
    .option('--from <time>', 'event time of the first, e.g. 2013-03-01')
    .option('--to <time>', 'event time after the last')
    .option('--min-score <score>', 'only scores from this on, between 0 and 1')
    .option('--feature <name>', 'only rows that this feature isolated most')
    .option('--cursor <next>', 'where an earlier answer ended')
    .option('--limit <rows>', 'rows to show', '20')
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((model: string, { url, key, json, ...options }) =>
      listOutliers(createServiceClient({ url, key }), { model, ...options }, outputOf({ json })),
    );
}
