import type { PieceLength } from '../domain/performance.js';
import type { PerformanceAnswer, PerformancePeriod } from '../domain/performance-figures.js';
import { DAY_MS, type Window } from '../domain/window.js';
import { performanceChart } from './charts/performance-line.js';
import { formatCount, formatDuration, formatNumber, formatPercent, formatWindow, NOTHING } from './format.js';
import { type Html, html } from './html.js';
import { section } from './parts.js';
import { REASON_WORDS } from './sentences.js';

const WORDS: Readonly<Record<string, string>> = {
  rocAuc: 'ROC AUC',
  averagePrecision: 'Average precision',
  accuracy: 'Accuracy',
  precision: 'Precision',
  recall: 'Recall',
  logLoss: 'Log loss',
  calibrationError: 'Calibration error',
  businessValue: 'Value of a prediction',
  f1Macro: 'F1 (macro)',
  meanAbsoluteError: 'Mean absolute error',
  rootMeanSquaredError: 'Root mean squared error',
  r2: 'R²',
  bias: 'Bias',
};
/** What a page shows, the first that is there as a picture. */
const SHOWN = {
  binary: ['rocAuc', 'accuracy', 'precision', 'recall', 'logLoss', 'calibrationError', 'businessValue'],
  multiclass: ['accuracy', 'f1Macro', 'logLoss'],
  regression: ['meanAbsoluteError', 'rootMeanSquaredError', 'r2', 'bias'],
} as const;
/** Newest periods in the table; the picture has all. */
const ROWS = 14;

/** Stretches that a picture of so much time can tell apart. */
export function bucketFor({ startMs, endMs }: Window): PieceLength {
  const days = (endMs - startMs) / DAY_MS;
  if (days <= 7) return 'hour';
  if (days <= 190) return 'day';
  return days <= 1_500 ? 'week' : 'month';
}

/** How good the version was, by the labels that have come; nothing where no label ever came. */
export function performanceSection(answer: PerformanceAnswer | null, range: Window): Html | string {
  if (answer === null || answer.periods.every(({ labelled }) => labelled === 0)) return '';
  const { task, periods, reference, setting, delays } = answer;
  const known = new Set(
    [...periods, ...(reference === null ? [] : [reference])].flatMap((p) => Object.keys(p.figures)),
  );
  const names = SHOWN[task].filter((name) => known.has(name));
  const [first] = names;
  const slow = delays.find(({ share }) => share >= setting.minimumMaturity);
  const row = (label: string, period: PerformancePeriod) =>
    html`<tr><td class="nowrap">${label}</td><td class="num">${formatCount(period.predictions)}</td><td class="num">${formatPercent(period.maturity)}</td>
${names.map((name) => html`<td class="num">${cell(period, name)}</td>`)}<td>${period.reason === null ? '' : html`<span class="muted">${REASON_WORDS[period.reason]}</span>`}</td></tr>`;
  return section(
    'Performance',
    html`by the labels that have come; undecided below ${formatPercent(setting.minimumMaturity)} labelled${
      slow === undefined || slow.withinMs === 0
        ? ''
        : html`, which usually takes ${formatDuration(slow.withinMs)}`
    }`,
    html`${
      first === undefined
        ? ''
        : html`<figure><figcaption><b>${WORDS[first] ?? first}</b> <span class="muted">with 95 % intervals${reference === null ? '' : '; dashed: on the reference'}</span></figcaption>
${performanceChart(periods, { figure: first, title: `${WORDS[first] ?? first} over time`, range, reference: reference?.figures[first]?.value ?? null })}</figure>`
    }
<div class="scroll"><table><thead><tr><th>Period</th><th class="num">Predictions</th><th class="num">Labelled</th>${names.map((name) => html`<th class="num">${WORDS[name] ?? name}</th>`)}<th></th></tr></thead>
<tbody>${reference === null ? '' : row('reference', reference)}${periods.slice(-ROWS).map((period) => row(formatWindow(period.window), period))}</tbody></table></div>`,
  );
}

function cell({ figures, status }: PerformancePeriod, name: string): Html | string {
  const figure = figures[name];
  if (figure === undefined) return NOTHING;
  const { value, low, high } = figure;
  const text = formatNumber(value);
  if (status === 'undecided') return html`<span class="muted" title="undecided">(${text})</span>`;
  return low === null || high === null
    ? text
    : html`<span title="${formatNumber(low)} to ${formatNumber(high)}">${text}</span>`;
}
