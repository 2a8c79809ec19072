import type { ComparedEstimate } from '../domain/estimate.js';
import type { PerformancePeriod } from '../domain/performance-figures.js';
import type { Window } from '../domain/window.js';
import { performanceChart } from './charts/performance-line.js';
import {
  conceptDriftTable,
  estimateCell,
  estimateWords,
  NO_ESTIMATE_WORDS,
  performanceLegend,
} from './estimated.js';
import { formatCount, formatDuration, formatNumber, formatPercent, formatWindow, NOTHING } from './format.js';
import { type Html, html } from './html.js';
import type { KnownPerformance } from './load-performance.js';
import { section } from './parts.js';
import { besideEachOther, type PeriodPair } from './performance-periods.js';
import { REASON_WORDS } from './sentences.js';

/** Figures for people. */
export const PERFORMANCE_WORDS: Readonly<Record<string, string>> = {
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
export const SHOWN_FIGURES = {
  binary: ['rocAuc', 'accuracy', 'precision', 'recall', 'logLoss', 'calibrationError', 'businessValue'],
  multiclass: ['accuracy', 'f1Macro', 'logLoss'],
  regression: ['meanAbsoluteError', 'rootMeanSquaredError', 'r2', 'bias'],
} as const;
/** Newest periods in the table; the picture has all. */
const ROWS = 14;

/** How good the version was, by the labels that have come, and was expected to be; nothing where there is neither. */
export function performanceSection(known: KnownPerformance | null, range: Window): Html | string {
  if (known === null) return '';
  const { performance, conceptDrift } = known;
  const estimates = known.estimates?.periods ?? [];
  const isLabelled = performance.periods.some(({ labelled }) => labelled > 0);
  const isEstimated = estimates.some(({ status }) => status === 'estimated');
  if (!isLabelled && !isEstimated) return '';
  const { task, periods, reference, setting, delays } = performance;
  const there = new Set(
    [...periods, ...estimates, ...(reference === null ? [] : [reference])].flatMap((p) =>
      Object.keys(p.figures),
    ),
  );
  const expected = new Set(estimates.flatMap(({ figures }) => Object.keys(figures)));
  const names = SHOWN_FIGURES[task].filter((name) => there.has(name));
  const [first] = names;
  const slow = delays.find(({ share }) => share >= setting.minimumMaturity);
  const row = (label: string, { realised, estimate }: Omit<PeriodPair, 'window'>) =>
    html`<tr><td class="nowrap">${label}</td><td class="num">${formatCount(realised?.predictions ?? estimate?.predictions ?? 0)}</td><td class="num">${formatPercent(realised?.maturity ?? 0)}</td>
${names.map((name) => html`<td class="num">${cell(realised, name)}${estimate === null || !expected.has(name) ? '' : html`<br>${estimateCell(estimate, name)}`}</td>`)}<td>${remark(realised, estimate)}</td></tr>`;
  const pairs = besideEachOther(periods, estimates);
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
        : html`<figure><figcaption><b>${PERFORMANCE_WORDS[first] ?? first}</b> <span class="muted">with 95 % intervals</span></figcaption>
${performanceChart(periods, { figure: first, title: `${PERFORMANCE_WORDS[first] ?? first} over time`, range, reference: reference?.figures[first]?.value ?? null, estimates, detections: conceptDrift?.detections ?? [] })}
${performanceLegend(known, first)}</figure>
${isEstimated ? estimateWords(known, first, PERFORMANCE_WORDS[first] ?? first) : ''}`
    }
<div class="scroll"><table><thead><tr><th>Period</th><th class="num">Predictions</th><th class="num">Labelled</th>${names.map((name) => html`<th class="num">${PERFORMANCE_WORDS[name] ?? name}</th>`)}<th></th></tr></thead>
<tbody>${reference === null ? '' : row('reference', { realised: reference, estimate: null })}${pairs.slice(-ROWS).map((pair) => row(formatWindow(pair.window), pair))}</tbody></table></div>
${conceptDrift === null ? '' : conceptDriftTable(conceptDrift, range)}`,
  );
}

/** Why a period says nothing, or not all. */
function remark(realised: PerformancePeriod | null, estimate: ComparedEstimate | null): Html | string {
  const words = [
    ...(realised?.reason == null ? [] : [REASON_WORDS[realised.reason]]),
    ...(estimate?.reason == null ? [] : [NO_ESTIMATE_WORDS[estimate.reason]]),
  ];
  return words.length === 0 ? '' : html`<span class="muted">${words.join('; ')}</span>`;
}

function cell(period: PerformancePeriod | null, name: string): Html | string {
  const figure = period?.figures[name];
  if (period === null || figure === undefined) return NOTHING;
  const { value, low, high } = figure;
  const text = formatNumber(value);
  if (period.status === 'undecided') return html`<span class="muted" title="undecided">(${text})</span>`;
  return low === null || high === null
    ? text
    : html`<span title="${formatNumber(low)} to ${formatNumber(high)}">${text}</span>`;
}
