import type { Command } from 'commander';
import type { SkewedColumn, TrainingSkew } from '../domain/training-skew.js';
import { DAY_MS } from '../domain/window.js';
import { formatCount, formatPercent, formatPValue, formatWindow, NOTHING } from '../views/format.js';
import { amountWords, statisticWords } from '../views/sentences.js';
import { skewSentence } from '../views/skew-words.js';
import type { CommonOptions } from './command-options.js';
import { answer, type Output, say, table } from './output.js';
import { createServiceClient, type ServiceClient } from './service-client.js';
import { versionOf } from './tune.js';

/** Adds `skew`. */
export function addSkewCommand(program: Command, { url, key, json, outputOf }: CommonOptions): void {
  program
    .command('skew')
    .description('whether the first week of production is what the model was trained on')
    .argument('<model>')
    .option('--version <version>', 'version of the model (default: the one registered last)')
    .option(
      '--from <time>',
      'first hour of the week, e.g. 2013-03-01 (default: that of the first prediction)',
    )
    .addOption(url())
    .addOption(key())
    .addOption(json())
    .action((model: string, options) =>
      showSkew(createServiceClient(options), { ...options, model }, outputOf(options)),
    );
}

async function showSkew(
  client: ServiceClient,
  options: { model: string; version?: string; from?: string },
  output: Output,
): Promise<void> {
  const { model, from } = options;
  const version = await versionOf(client, model, options.version);
  const query = new URLSearchParams({ version, ...(from === undefined ? {} : { from }) });
  const found = (await client.get(`/v1/models/${encodeURIComponent(model)}/skew?${query}`)) as TrainingSkew;
  say(output, skewText(found));
  answer(output, found);
}

/** A line for each column, the most different first, and what moved in those that drifted. */
export function skewText(skew: TrainingSkew): string {
  const drifted = skew.columns.filter(({ status }) => status === 'drifted');
  return [
    `${skew.model} version ${skew.modelVersion}: training reference (${formatCount(skew.referenceRows)} rows) against ${formatWindow(skew.week)} (${formatCount(skew.rows)} rows)`,
    skewSentence(skew),
    '',
    table(['column', 'test', 'statistic', 'effect', 'p adj.', 'verdict'], skew.columns.map(row)),
    ...(drifted.length === 0 ? [] : ['', ...drifted.map(({ sentence }) => sentence)]),
    '',
    skew.pieceMs === null
      ? `Rows are taken as independent (the reference has no times, or too few days), at a level of ${formatPercent(skew.level)} for all columns.`
      : `Measured by how much the reference's own ${skew.pieceMs > DAY_MS ? 'weeks' : 'days'} differ, at a level of ${formatPercent(skew.level)} for all columns.`,
  ].join('\n');
}

function row({ feature, status, material, verdict }: SkewedColumn): string[] {
  const decided = verdict !== null && verdict.statistic !== null;
  return [
    feature,
    verdict?.detector ?? NOTHING,
    decided ? statisticWords(verdict, verdict.statistic) : NOTHING,
    decided ? amountWords(verdict.detector, verdict.effect?.value) : NOTHING,
    decided ? formatPValue(verdict.adjustedPValue) : NOTHING,
    status === 'drifted' && !material ? 'drifted, small' : status,
  ];
}
