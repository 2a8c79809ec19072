import { type ErrorStreamAnswer, STREAM_DETECTORS } from '../domain/error-stream.js';
import type { ComparedEstimate, NoEstimateReason } from '../domain/estimate.js';
import type { Window } from '../domain/window.js';
import { formatCount, formatNumber, formatTime, formatWindow, NOTHING, plural } from './format.js';
import { type Html, html } from './html.js';
import { type KnownPerformance, MAX_DETECTIONS } from './load-performance.js';
import { besideEachOther } from './performance-periods.js';

export const NO_ESTIMATE_WORDS: Readonly<Record<NoEstimateReason, string>> = {
  no_data: 'no estimate: no prediction is counted',
  no_labelled_reference: 'no estimate: the reference has no labels, or too few, to learn from',
  no_scores: 'no estimate: the predictions have no scores',
  other_positive_class: 'no estimate: the positive class has changed since the reference was registered',
};

const STREAM_WORDS = {
  adwin: 'ADWIN: a rise or a fall',
  pageHinkley: 'Page–Hinkley: a rise',
  ddm: 'DDM: a rise',
} as const;

/** What is drawn in the picture of one figure, and nothing else. */
export function performanceLegend(
  { performance, estimates, conceptDrift }: KnownPerformance,
  figure: string,
): Html {
  const { periods, reference } = performance;
  const has = (of: readonly { readonly figures: Readonly<Record<string, unknown>> }[] | undefined) =>
    of?.some(({ figures }) => figures[figure] !== undefined) === true;
  return html`<ul class="legend" aria-label="Lines">${has(periods) ? html`<li><i class="swatch tone-current"></i>realised, by labels</li>` : ''}${
    has(estimates?.periods) ? html`<li><i class="swatch tone-estimated"></i>estimated before labels</li>` : ''
  }${has(reference === null ? [] : [reference]) ? html`<li><i class="line-key plain"></i>on the reference</li>` : ''}${
    periods.some(({ status }) => status === 'undecided')
      ? html`<li><i class="swatch tone-undecided"></i>too few labels yet</li>`
      : ''
  }${conceptDrift === null || conceptDrift.detections.length === 0 ? '' : html`<li><i class="change-key"></i>errors changed, at the time of the label</li>`}</ul>`;
}

/** What an estimate means, and how often what the labels showed has left it. */
export function estimateWords(
  { performance, estimates }: KnownPerformance,
  figure: string,
  words: string,
): Html {
  const compared = besideEachOther(performance.periods, estimates?.periods ?? []).flatMap(
    ({ realised, estimate }) => {
      const [value, expected] = [realised?.figures[figure]?.value, estimate?.figures[figure]];
      return realised?.status !== 'decided' || value === undefined || expected === undefined
        ? []
        : [value >= expected.low && value <= expected.high];
    },
  );
  const inside = compared.filter(Boolean).length;
  const by = performance.task === 'regression' ? 'errors go with features' : 'labels go with scores';
  return html`<p class="hint">Estimated: what the labels are expected to show, with a 95 % interval, before there are any. It holds while ${by} as in the reference; where they no longer do (concept drift), what is realised leaves the band.${
    compared.length === 0
      ? ''
      : html` Realised ${words} lies within its estimate’s interval in ${formatCount(inside)} of ${plural(compared.length, 'period')} with enough labels.`
  }</p>`;
}

/** Below the realised figure of a table's cell. */
export function estimateCell({ figures }: ComparedEstimate, name: string): Html {
  const figure = figures[name];
  if (figure === undefined) return html`<span class="muted">${NOTHING}</span>`;
  const { value, low, high } = figure;
  return html`<span class="muted" title="estimated ${formatNumber(value)} (${formatNumber(low)} to ${formatNumber(high)})">est. ${formatNumber(value)}</span>`;
}

/** What each detector has seen in the time shown; nothing before the first label. */
export function conceptDriftTable(
  { errors, unmatched, detectors, detections }: ErrorStreamAnswer,
  range: Window,
): Html | string {
  if (errors === 0) return '';
  const rows = STREAM_DETECTORS.flatMap((name) => {
    const state = detectors.find(({ detector }) => detector === name);
    if (state === undefined) return [];
    const own = detections.filter(({ detector }) => detector === name);
    const [newest] = own;
    return [
      html`<tr><td>${STREAM_WORDS[name]}</td><td class="num">${formatCount(own.length)}</td><td class="nowrap">${
        newest === undefined
          ? NOTHING
          : html`${formatTime(newest.labelMs)} <span class="muted">labelled prediction ${formatCount(newest.position)}</span>`
      }</td><td class="num">${formatCount(state.errors)}</td><td class="num">${formatNumber(state.meanError)}</td></tr>`,
    ];
  });
  return html`<h3 class="apart">Concept drift on the stream of errors</h3>
<div class="scroll"><table><thead><tr><th>Detector</th><th class="num">Changes seen</th><th>Newest</th><th class="num">Errors since it began again</th><th class="num">Their mean</th></tr></thead><tbody>${rows}</tbody></table></div>
<p class="hint">Changes at labels of ${formatWindow(range)}${detections.length < MAX_DETECTIONS ? '' : ` (the newest ${formatCount(MAX_DETECTIONS)})`}; the last two columns are of now. ${plural(errors, 'labelled prediction')} looked at in the order in which labels came${
    unmatched === 0 ? '' : html`, ${plural(unmatched, 'label')} without a prediction`
  }. These detectors describe: how often they are wrong on this traffic is not known, so they open no episode.</p>`;
}
