import type { PerformanceAnswer, PerformancePeriod } from '../domain/performance-figures.js';
import { DAY_MS, HOUR_MS } from '../domain/window.js';
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
  client: ServiceClient,
  options: {
    model: string;
    version?: string | undefined;
    from?: string | undefined;
    to?: string | undefined;
    bucket: string;
    segment?: string | undefined;
  },
  output: Output,
): Promise<void> {
  const { model, from, to, bucket, segment } = options;
  const version = await versionOf(client, model, options.version);
  const query = new URLSearchParams({ version, bucket });
  for (const [name, value] of Object.entries({ from, to, segment }))
    if (value !== undefined) query.set(name, value);
  const found = (await client.get(
    `/v1/models/${encodeURIComponent(model)}/performance?${query}`,
  )) as PerformanceAnswer;
  say(output, performanceText(found));
  answer(output, found);
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
  if (figure === undefined) return '–';
  const interval =
    withInterval && figure.low !== null && figure.high !== null
      ? ` [${digits(figure.low)}, ${digits(figure.high)}]`
      : '';
  const text = `${digits(figure.value)}${interval}`;
  return status === 'undecided' ? `(${text})` : text;
}

const digits = (value: number) => (Math.abs(value) < 1_000 ? value.toFixed(3) : value.toPrecision(6));
const timeOf = (ms: number) => new Date(ms).toISOString().replace(/T00:00:00\.000Z$|:00\.000Z$/, '');
const durationOf = (ms: number) => (ms < DAY_MS ? `${ms / HOUR_MS} h` : `${ms / DAY_MS} d`);
