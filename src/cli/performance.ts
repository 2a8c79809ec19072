import type { EstimateAnswer } from '../domain/estimate.js';
import type { Figure, PerformanceAnswer, PerformancePeriod } from '../domain/performance-figures.js';
import { DAY_MS, HOUR_MS } from '../domain/window.js';
import { formatCount, NOTHING } from '../views/format.js';
import { besideEachOther } from '../views/performance-periods.js';
import { answer, type Output, say, table } from './output.js';
import type { ServiceClient } from './service-client.js';
import { versionOf } from './tune.js';

/** Figures that fit a terminal, by task. */
const SHOWN = {
  binary: ['rocAuc', 'averagePrecision', 'accuracy', 'precision', 'recall', 'logLoss', 'calibrationError'],
  multiclass: ['accuracy', 'f1Macro', 'precisionMacro', 'recallMacro', 'logLoss'],
  regression: ['meanAbsoluteError', 'rootMeanSquaredError', 'meanAbsolutePercentageError', 'r2', 'bias'],
} as const;

export async function showPerformance(
  client: Pick<ServiceClient, 'get'>,
  options: {
    model: string;
    version?: string | undefined;
    from?: string | undefined;
    to?: string | undefined;
    bucket: string;
    segment?: string | undefined;
    /** Beside what labels have shown, what they were expected to. */
    estimated?: boolean | undefined;
  },
  output: Output,
): Promise<void> {
  const { model, from, to, bucket, segment } = options;
  const version = await versionOf(client, model, options.version);
  const query = new URLSearchParams({ version, bucket });
  for (const [name, value] of Object.entries({ from, to, segment }))
    if (value !== undefined) query.set(name, value);
  const path = `/v1/models/${encodeURIComponent(model)}`;
  const found = (await client.get(`${path}/performance?${query}`)) as PerformanceAnswer;
  if (options.estimated !== true) {
    say(output, performanceText(found));
    answer(output, found);
    return;
  }
  const estimates = (await client.get(`${path}/estimates?${query}`)) as EstimateAnswer;
  say(output, estimatedText(found, estimates));
  answer(output, { ...found, estimates });
}

/** Figures beside their estimates that fit a terminal. */
const BESIDE = 3;

/** A line for each period: each figure as it was expected to be before the labels came, and as they have shown it. */
export function estimatedText(
  { model, modelVersion, task, setting, periods }: PerformanceAnswer,
  estimates: EstimateAnswer,
): string {
  const head = `${model} version ${modelVersion}: ${task}, expected from ${
    estimates.learnedFrom === 0 ? 'nothing' : `${formatCount(estimates.learnedFrom)} labelled reference rows`
  }`;
  if (estimates.periods.length === 0)
    return `${head}\nNo prediction is counted in this time yet: wait for the next detection cycle.`;
  const names = SHOWN[task]
    .filter((name) => estimates.periods.some(({ figures }) => figures[name] !== undefined))
    .slice(0, BESIDE);
  return [
    head,
    table(
      ['from', 'predictions', 'labelled', ...names.flatMap((name) => [`expected ${name}`, 'realised']), ''],
      besideEachOther(periods, estimates.periods).map(({ window, realised, estimate }) => [
        timeOf(window.startMs),
        estimate?.predictions ?? realised?.predictions ?? 0,
        `${(100 * (realised?.maturity ?? 0)).toFixed(1)} %`,
        ...names.flatMap((name) => [
          figureText(estimate?.figures[name]),
          realised === null ? NOTHING : cell(realised, name, true),
        ]),
        estimate?.reason ?? '',
      ]),
    ),
    '',
    'Expected: with 95 % intervals for what the labels will show, while labels go with scores (errors with features) as in the reference.',
    `Undecided, in brackets: below ${100 * setting.minimumMaturity} % of predictions labelled.`,
  ].join('\n');
}

/** A line for each period, with the first figure's interval; what too few labels tell stands in brackets. */
export function performanceText({
  model,
  modelVersion,
  task,
  setting,
  delays,
  periods,
  reference,
}: PerformanceAnswer): string {
  const names = SHOWN[task];
  const head = `${model} version ${modelVersion}: ${task}`;
  if (periods.length === 0)
    return `${head}\nNo prediction has been measured against a label yet: send labels to /v1/labels, and wait for the next detection cycle.`;
  const row = (name: string, period: PerformancePeriod) => [
    name,
    period.predictions,
    `${(100 * period.maturity).toFixed(1)} %`,
    ...names.map((figure, index) => cell(period, figure, index === 0)),
    period.reason ?? '',
  ];
  return [
    head,
    table(
      ['from', 'predictions', 'labelled', ...names, ''],
      [
        ...(reference === null ? [] : [row('(reference)', reference)]),
        ...periods.map((period) => row(timeOf(period.window.startMs), period)),
      ],
    ),
    '',
    `Undecided, in brackets: below ${100 * setting.minimumMaturity} % of predictions labelled.`,
    ...(delays.length === 0
      ? []
      : [
          `Labels usually come: ${delays
            .filter(({ withinMs }) => withinMs > 0)
            .map(({ withinMs, share }) => `${(100 * share).toFixed(0)} % within ${durationOf(withinMs)}`)
            .join(', ')}.`,
        ]),
  ].join('\n');
}

function cell({ figures, status }: PerformancePeriod, name: string, withInterval: boolean): string {
  const figure = figures[name];
  if (figure === undefined) return NOTHING;
  const text = withInterval ? figureText(figure) : digits(figure.value);
  return status === 'undecided' ? `(${text})` : text;
}

function figureText(figure: Pick<Figure, 'value' | 'low' | 'high'> | undefined): string {
  if (figure === undefined) return NOTHING;
  const { value, low, high } = figure;
  return low === null || high === null ? digits(value) : `${digits(value)} [${digits(low)}, ${digits(high)}]`;
}

const digits = (value: number) => (Math.abs(value) < 1_000 ? value.toFixed(3) : value.toPrecision(6));
const timeOf = (ms: number) => new Date(ms).toISOString().replace(/T00:00:00\.000Z$|:00\.000Z$/, '');
const durationOf = (ms: number) => (ms < DAY_MS ? `${ms / HOUR_MS} h` : `${ms / DAY_MS} d`);
