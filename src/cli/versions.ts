import { type Command, Option } from 'commander';
import type { FigureDifference, VersionComparison, VersionFigure } from '../domain/version-comparison.js';
import { formatCount, formatNumber, formatPercent, formatWindow, NOTHING } from '../views/format.js';
import { FIGURE_WORDS } from '../views/version-words.js';
import type { CommonOptions } from './command-options.js';
import { answer, type Output, say, table } from './output.js';
import { createServiceClient, type ServiceClient } from './service-client.js';

/** Adds `versions compare`. */
export function addVersionCommands(program: Command, { url, key, json, outputOf }: CommonOptions): void {
  const versions = program.command('versions').description('look at versions of a model side by side');
  versions
    .command('compare')
    .description('whether a challenger is better than the champion, how they agree, and how long they take')
    .argument('<model>')
    .argument('<champion>', 'version that is in force')
    .argument('<challenger>', 'version that may take its place')
    .option('--from <time>', 'first hour, e.g. 2013-07-01 (default: when both have predictions)')
    .option('--to <time>', 'hour after the last')
    .option('--figure <name>', 'figure that decides, e.g. rocAuc, logLoss or meanAbsoluteError')
    .option('--margin <number>', 'difference of that figure that matters, e.g. 0.01')
    .option('--minimum-days <days>', 'days before which nothing is said (default: 7)')
    .addOption(
      new Option('--bucket <length>', 'stretches of time')
        .choices(['hour', 'day', 'week', 'month', 'all'])
        .default('month'),
    )
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((model: string, champion: string, challenger: string, options) =>
      compareVersions(
        createServiceClient(options),
        { ...options, model, champion, challenger },
        outputOf(options),
      ),
    );
}

async function compareVersions(
  client: ServiceClient,
  options: {
    model: string;
    champion: string;
    challenger: string;
    bucket: string;
    from?: string;
    to?: string;
    figure?: string;
    margin?: string;
    minimumDays?: string;
  },
  output: Output,
): Promise<void> {
  const { model, champion, challenger, bucket, from, to, figure, margin, minimumDays } = options;
  const query = new URLSearchParams({ champion, challenger, bucket });
  for (const [name, value] of Object.entries({ from, to, figure, margin, minimumDays }))
    if (value !== undefined) query.set(name, value);
  const found = (await client.get(
    `/v1/models/${encodeURIComponent(model)}/compare-versions?${query}`,
  )) as VersionComparison;
  say(output, versionsText(found));
  answer(output, found);
}

/** The verdict, a line for each figure and each stretch of time, agreement and latencies. */
export function versionsText(comparison: VersionComparison): string {
  const { champion, challenger, requests, agreement, figures, figure, periods } = comparison;
  const sides = [champion, challenger];
  return [
    `${comparison.model}: version ${challenger.modelVersion} beside version ${champion.modelVersion}, ${formatWindow(comparison.period)}`,
    comparison.summary,
    '',
    ...(Object.keys(figures).length === 0
      ? []
      : [
          table(
            ['figure', 'champion', 'challenger', 'difference', '95 % of one look', 'always', 'verdict'],
            Object.entries(figures).map(([name, one]) => figureRow(name as VersionFigure, one)),
          ),
          '',
        ]),
    ...(figure === null || periods.length < 2
      ? []
      : [
          table(
            ['from', 'champion', 'challenger', `difference of ${figure}`, '95 % of one look', 'rows'],
            periods.map(({ window, difference, ...of }) => [
              new Date(window.startMs).toISOString().slice(0, 13),
              formatNumber(of.champion, 4),
              formatNumber(of.challenger, 4),
              formatNumber(difference.value),
              `${formatNumber(difference.low)} to ${formatNumber(difference.high)}`,
              formatCount(difference.rows),
            ]),
          ),
          '',
        ]),
    `Requests that both answered: ${formatCount(requests.matched)} (${formatCount(requests.labelled)} labelled) of ${sides.map(({ predictions }) => formatCount(predictions)).join(' and ')}.`,
    ...(agreement?.share == null
      ? []
      : [`Same class: ${formatPercent(agreement.share.value)} (kappa ${formatNumber(agreement.kappa)}).`]),
    ...sides.map(
      ({ modelVersion, latency }) =>
        `Latency of version ${modelVersion}: ${
          latency === null
            ? 'none was sent'
            : `p50 ${formatNumber(latency.p50)} ms, p95 ${formatNumber(latency.p95)} ms, p99 ${formatNumber(latency.p99)} ms`
        }.`,
    ),
  ].join('\n');
}

function figureRow(name: VersionFigure, one: FigureDifference): string[] {
  const { difference, sequence } = one;
  return [
    FIGURE_WORDS[name],
    formatNumber(one.champion, 4),
    formatNumber(one.challenger, 4),
    formatNumber(difference.value),
    `${formatNumber(difference.low)} to ${formatNumber(difference.high)}`,
    sequence === null ? NOTHING : `${formatNumber(sequence.low)} to ${formatNumber(sequence.high)}`,
    one.verdict === 'undecided' ? 'cannot tell yet' : one.verdict,
  ];
}
