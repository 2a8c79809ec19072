import { segmentName } from '../domain/segment.js';
import type { TunedTest, Tuning } from '../domain/tuning.js';
import { AppError } from '../errors.js';
import { answer, type Output, say, table } from './output.js';
import type { ServiceClient } from './service-client.js';

/** The version asked for, or the one registered last. */
export async function versionOf(
  client: Pick<ServiceClient, 'get'>,
  model: string,
  version: string | undefined,
): Promise<string> {
  if (version !== undefined) return version;
  const { models } = (await client.get('/v1/models')) as {
    models: { model: string; modelVersion: string; registeredAtMs: number }[];
  };
  const newest = models
    .filter((known) => known.model === model)
    .sort((a, b) => b.registeredAtMs - a.registeredAtMs)[0];
  if (newest === undefined)
    throw new AppError('unknown_model', `no model ${model} is registered: see "plumbline model list"`);
  return newest.modelVersion;
}

export async function tuneModel(
  client: ServiceClient,
  options: { model: string; version?: string | undefined; budgets: readonly number[] },
  output: Output,
): Promise<void> {
  const version = await versionOf(client, options.model, options.version);
  const query = new URLSearchParams({ version, budgets: options.budgets.join(',') });
  const path = `/v1/models/${encodeURIComponent(options.model)}/tuning?${query}`;
  const tuning = (await client.get(path)) as Tuning;
  say(output, tuningText(tuning));
  answer(output, tuning);
}

const hours = (ms: number) => `${ms / 3_600_000} h`;
const rate = (value: number | undefined) => (value === undefined ? '' : significant(value));

/** Two significant digits, without an exponent. */
function significant(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 1 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 8));
}

/** Levels and expected false episodes by budget, then the smallest drift that alarms, by test and budget. */
export function tuningText(tuning: Tuning): string {
  const categories = Object.keys(tuning.tests) as (keyof Tuning['tests'])[];
  const tests = Object.values(tuning.tests).reduce((all, count) => all + count, 0);
  const nameOf = (budget: Tuning['budgets'][number]) =>
    budget.falseEpisodesPer30Days === null ? 'level' : String(budget.falseEpisodesPer30Days);
  const budgets = table(
    ['budget', 'level', 'expected', ...categories, ''],
    tuning.budgets.map((budget) => [
      nameOf(budget),
      significant(budget.level),
      rate(budget.expected),
      ...categories.map((category) => rate(budget.byCategory[category])),
      budget.configured ? '← in force' : '',
    ]),
  );
  const primary = tuning.columns.filter((test) => test.role === 'primary');
  const blind = primary.filter((test) => test.undecided !== null && test.undecided !== 'constant_column');
  const effects = table(
    ['feature', 'test', ...tuning.budgets.map((budget) => `at ${nameOf(budget)}`), 'minimum'],
    primary
      .filter((test) => test.undecided === null)
      .map((test) => [nameOfTest(test), test.detector, ...test.budgets.map(smallest), test.minimumEffect]),
  );
  return [
    `${tuning.model} version ${tuning.modelVersion}: an ordinary window of ${hours(tuning.windowMs)} has ${tuning.windowRows} rows,`,
    `the reference ${tuning.referenceRows}; ${tests} tests, a window every ${hours(tuning.stepMs)}.`,
    ...(tuning.windowRows < tuning.minimumRows
      ? [
          `Nothing opens an episode: the policy's minimum is ${tuning.minimumRows} rows, and an ordinary window has fewer.`,
        ]
      : []),
    '',
    'False episodes in 30 days, as allowed (budget) and expected, by category:',
    budgets,
    ...(tuning.budgets.some(
      ({ level, falseEpisodesPer30Days }) => level >= 0.05 && falseEpisodesPer30Days !== null,
    )
      ? ['However large the budget, the level is at most 0.05: a single verdict has to be believable, too.']
      : []),
    '',
    'Smallest drift that counts for an episode in one such window (effect), by budget:',
    effects,
    ...(blind.length === 0
      ? []
      : ['', `Never decided at this window length: ${blind.map(blindName).join(', ')}.`]),
  ].join('\n');
}

function smallest({ alarmsFrom }: TunedTest['budgets'][number]): string {
  return alarmsFrom === null ? 'none' : alarmsFrom.toFixed(3);
}

function blindName(test: TunedTest): string {
  return `${nameOfTest(test)} ${test.detector} (${test.undecided})`;
}

function nameOfTest({ feature, segment }: Pick<TunedTest, 'feature' | 'segment'>): string {
  if (segment !== undefined) return `${feature} (${segmentName(segment)})`;
  return feature === '' ? '(whole rows)' : feature;
}
