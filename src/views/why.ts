import type { DriftReason, TogetherReason, WindowExplanation } from '../domain/explanation.js';
import type { VersionKey } from '../domain/ports.js';
import type { Window } from '../domain/window.js';
import { formatNumber, formatPercent } from './format.js';
import { type Html, html, nameTag, shorten } from './html.js';
import { featurePath, section } from './parts.js';

const TOP_REASONS = 8;
const LONGEST = 420;

function predictionWords({ prediction }: WindowExplanation): string {
  if (prediction === null) return '';
  if (prediction.class === null)
    return `The mean ${prediction.column} went from ${formatNumber(prediction.reference)} to ${formatNumber(prediction.current)}.`;
  return `The share of ${shorten(prediction.class, 40)} went from ${formatPercent(prediction.reference)} to ${formatPercent(prediction.current)}.`;
}

/** A reason without the name that its row begins with. */
export function reasonWords(reason: DriftReason): string {
  const text = reason.sentence.startsWith(`${reason.feature}: `)
    ? reason.sentence.slice(reason.feature.length + 2)
    : reason.sentence;
  return shorten(text, LONGEST);
}

function togetherRow({ sentence, material }: TogetherReason): Html {
  const text = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
  return html`${shorten(text, LONGEST)}${material ? '' : html` <span class="muted">too little to matter</span>`}`;
}

/** What drifted and what it means for the prediction; links to the features' pages where `window` is given. */
export function whySection(
  explanation: WindowExplanation | null,
  options: { readonly key: VersionKey; readonly window: Window | null },
): Html | string {
  if (explanation === null) return '';
  const reasons = [...explanation.features, ...explanation.outputs];
  const { together } = explanation;
  if (reasons.length === 0 && together === undefined) return '';
  const row = (reason: DriftReason) => {
    const name = nameTag(reason.feature, 40);
    const label =
      options.window === null
        ? name
        : html`<a href="${featurePath(options.key, reason.feature, options.window)}">${name}</a>`;
    return html`<li>${label}${reason.material ? '' : html` <span class="muted">too little to matter</span>`}: ${reasonWords(reason)}</li>`;
  };
  const more = reasons.length - TOP_REASONS;
  const order =
    explanation.rankedBy === 'predictionShift' ? 'first what moves the prediction most' : 'by effect';
  const notes = [
    predictionWords(explanation),
    explanation.note === null ? '' : `${explanation.note}.`,
    more > 0 ? `${more} more drifted.` : '',
  ].filter((note) => note !== '');
  return section(
    'Why',
    order,
    html`${together === undefined ? '' : html`<p>${togetherRow(together)}</p>`}<ol class="why">${reasons.slice(0, TOP_REASONS).map(row)}</ol>${notes.length === 0 ? '' : html`<p class="hint">${notes.join(' ')}</p>`}`,
  );
}
