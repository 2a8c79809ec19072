import { type Command, Option } from 'commander';
import { z } from 'zod';
import { REJECT_REASONS } from '../domain/prediction.js';
import type { CommonOptions } from './command-options.js';
import { answer, type Output, say, table } from './output.js';
import { createServiceClient, type ServiceClient } from './service-client.js';

interface Scope {
  readonly model: string | undefined;
  readonly reason?: string;
  readonly kind?: string;
}

const count = z.object({ model: z.string(), kind: z.string(), reason: z.string(), rows: z.number() });
const listed = z.object({
  counts: z.array(count),
  rows: z.array(
    z.looseObject({ at: z.string(), reason: z.string(), detail: z.string(), payload: z.string() }),
  ),
});
const page = z.object({
  tried: z.number(),
  mended: z.number(),
  left: z.record(z.string(), z.number()),
  before: z.string(),
  next: z.string().nullable(),
});

/** Of a message that is shown in a line. */
const SHOWN_LENGTH = 160;

export async function listRejected(
  client: Pick<ServiceClient, 'get'>,
  { limit, ...scope }: Scope & { limit: string },
  output: Output,
): Promise<void> {
  const query = new URLSearchParams({ limit });
  for (const [name, value] of Object.entries(scope)) if (value !== undefined) query.set(name, value);
  const document = listed.parse(await client.get(`/v1/rejected?${query}`));
  if (document.counts.length === 0) say(output, 'Nothing is rejected.');
  else
    say(
      output,
      table(
        ['model', 'kind', 'reason', 'rows'],
        document.counts.map((row) => [row.model || '(unknown)', row.kind, row.reason, row.rows]),
      ),
    );
  for (const { at, reason, detail, payload } of document.rows) {
    say(output);
    say(output, `${at} ${reason}: ${detail}`);
    say(output, `  ${payload.length > SHOWN_LENGTH ? `${payload.slice(0, SHOWN_LENGTH)}…` : payload}`);
  }
  answer(output, document);
}

/** Page by page, to the last of the rows that were there at the start. */
export async function redriveRejected(
  client: Pick<ServiceClient, 'postJson'>,
  scope: Scope & { version?: string },
  output: Output,
): Promise<void> {
  const total = { tried: 0, mended: 0, left: {} as Record<string, number> };
  let cursor: { after: string; before: string } | null = null;
  for (;;) {
    const { tried, mended, left, before, next } = page.parse(
      await client.postJson('/v1/rejected/redrive', { ...scope, ...cursor }),
    );
    total.tried += tried;
    total.mended += mended;
    for (const [reason, rows] of Object.entries(left)) total.left[reason] = (total.left[reason] ?? 0) + rows;
    if (next === null) break;
    cursor = { after: next, before };
  }
  say(output, `${total.tried} rejected rows tried, ${total.mended} mended`);
  for (const [reason, rows] of Object.entries(total.left)) say(output, `  ${rows} still rejected: ${reason}`);
  answer(output, total);
}

export function addRejectedCommands(program: Command, { url, key, json, outputOf }: CommonOptions): void {
  const rejected = program.command('rejected').description('rows that could not be accepted');
  const scoped = (name: string, description: string) =>
    rejected
      .command(name)
      .description(description)
      .argument('[model]', 'of this model; of all when left out')
      .addOption(new Option('--reason <reason>', 'rejected for this reason').choices([...REJECT_REASONS]))
      .addOption(new Option('--kind <kind>', 'only these').choices(['prediction', 'label']))
      .addOption(url())
      .addOption(key())
      .addOption(json());
  scoped('list', 'show how many there are, why, and the oldest ones')
    .option('--limit <rows>', 'rows to show', '10')
    .action(async (model: string | undefined, { url, key, json, ...scope }) =>
      listRejected(createServiceClient({ url, key }), { ...scope, model }, outputOf({ json })),
    );
  scoped('redrive', 'read them again, after a fix: what can be read by now is stored')
    .option('--version <version>', 'model version of messages that name none')
    .action(async (model: string | undefined, { url, key, json, ...scope }) =>
      redriveRejected(createServiceClient({ url, key }), { ...scope, model }, outputOf({ json })),
    );
}
