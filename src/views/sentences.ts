import type { Distribution } from '../domain/distribution.js';
import type { UndecidedReason, Verdict } from '../domain/verdict.js';
import type { FeatureData, ModelData, RankedFeature, Series } from './data.js';
import { formatCount, formatNumber, formatPercent, formatRatio, formatWindow, plural } from './format.js';
import { shorten } from './html.js';
import { alarmRatio, lookOf } from './severity.js';
import { leadVerdict, sameAsEffect } from './summarise.js';

export const REASON_WORDS: Readonly<Record<UndecidedReason, string>> = {
  no_data: 'no rows arrived for this window',
  no_reference: 'no reference is registered for this version',
  too_few_rows: 'too few rows to decide anything',
  minimum_traffic: 'the window has fewer rows than the minimum of its policy',
  not_visible_at_window_length:
    'a window of this length can never look like the whole reference, so no drift could be told from normal change',
  labels_immature: 'too few of the rows have their label yet',
  high_cardinality: 'hardly any value of this column occurs twice, so no new one would be news',
  constant_column: 'the column has a single value on both sides',
  not_applicable: 'the test does not apply to this column',
};

const DETECTOR_WORDS: Readonly<Record<string, string>> = {
  neyman: 'smooth test of location, spread, skewness and tails by ranks (Neyman’s Q)',
  ks: 'largest gap between the two cumulative distributions (Kolmogorov–Smirnov D)',
  psi: 'population stability index over ten reference deciles',
  chiSquare: 'two-sample chi-square over the categories',
  missing: 'change in the share of missing values',
  unseen: 'change in the share of values that the reference never had',
  jensenShannon: 'Jensen–Shannon distance',
  hellinger: 'Hellinger distance',
  wasserstein: 'Wasserstein distance in standard deviations of the reference',
  meanShift: 'difference of the means',
  varianceShift: 'change of the spread',
  lInfinity: 'largest change of one category’s share',
  outOfRange: 'share of values outside the reference’s range',
  constant: 'share of the most frequent value, where a column is stuck on one',
  mistyped: 'change in the share of text among numbers',
  cardinality: 'change in the number of different categories',
  volume: 'number of rows against earlier windows',
  latencyP50: 'share of answers slower than the reference’s median',
  latencyP95: 'share of answers slower than the reference’s 95th percentile',
  latencyP99: 'share of answers slower than the reference’s 99th percentile',
  isolationForest: 'share of rows beyond the reference’s outlier threshold',
  domainClassifier: 'how well rows are told from the reference’s by how features go together (AUC)',
  rocAuc: 'loss of area under the ROC curve against the reference',
  accuracy: 'loss of accuracy against the reference',
  meanAbsoluteError: 'rise of the mean absolute error over the reference’s',
};

/** What a detector measures, for people; its name when it is not known here. */
export function detectorWords(detector: string): string {
  return Object.hasOwn(DETECTOR_WORDS, detector) ? (DETECTOR_WORDS[detector] ?? detector) : detector;
}

const LATENCIES = ['latencyP50', 'latencyP95', 'latencyP99'];
/** Their statistic is a share whatever their effect is: the difference from the reference's, or the change of a quantile. */
const SHARE_STATISTICS: ReadonlySet<string> = new Set(['isolationForest', 'constant', ...LATENCIES]);
/** Their effect is a share of rows, or the part by which an amount changed. */
const PERCENTAGES: ReadonlySet<string> = new Set([
  'missing',
  'unseen',
  'mistyped',
  'outOfRange',
  'constant',
  'lInfinity',
  'cardinality',
  'volume',
  'isolationForest',
  'accuracy',
  'meanAbsoluteError',
  ...LATENCIES,
]);

/** The category whose share moved most. */
function largestMove(distribution: Distribution): string | null {
  let best: { text: string; size: number } | null = null;
  for (const bar of distribution.bars) {
    if (bar.reference === null || bar.current === null) continue;
    const size = Math.abs(bar.current - bar.reference);
    if (best === null || size > best.size)
      best = {
        size,
        text: `${shorten(bar.label, 40)} went from ${formatPercent(bar.reference)} to ${formatPercent(bar.current)} of rows`,
      };
  }
  return best === null || best.size === 0 ? null : best.text;
}

/** What moved, in the feature's own terms: medians for numbers, the category that moved most otherwise. */
export function moveWords(
  item: Pick<RankedFeature, 'distribution' | 'medians'> & { readonly kind: string },
): string | null {
  if (item.kind === 'numeric') {
    const { reference, current } = item.medians;
    if (reference === null || current === null) return null;
    const unit = item.distribution?.unit === undefined ? '' : ` ${item.distribution.unit}`;
    return `median ${formatNumber(reference)} → ${formatNumber(current)}${unit}`;
  }
  return item.distribution === null ? null : largestMove(item.distribution);
}

/** A detector's effect in its own unit: shares and relative changes as percentages. */
export function amountWords(detector: string, value: number | null | undefined): string {
  return PERCENTAGES.has(detector) ? formatPercent(value) : formatNumber(value);
}

/** A statistic or threshold: a percentage where it is one itself, a plain number where it is a test statistic. */
export function statisticWords(verdict: Verdict, value: number | null): string {
  return isPercentage(verdict.detector, sameAsEffect(verdict)) ? formatPercent(value) : formatNumber(value);
}

/** The unit that a detector's series is drawn in. */
export function unitOf(series: Series): 'share' | 'number' {
  return isPercentage(series.detector, series.minimumEffect !== null) ? 'share' : 'number';
}

function isPercentage(detector: string, isEffect: boolean): boolean {
  return SHARE_STATISTICS.has(detector) || (PERCENTAGES.has(detector) && isEffect);
}

/** One verdict in a sentence about `name` in the window called `when`. */
export function verdictSentence(verdict: Verdict, name: string, when: string): string {
  const { detector } = verdict;
  const found = `${shorten(detector, 30)} ${statisticWords(verdict, verdict.statistic)}`;
  const needed = statisticWords(verdict, verdict.threshold);
  const matters = amountWords(detector, verdict.minimumEffect);
  switch (lookOf(verdict)) {
    case 'undecided':
    case 'no_data':
      return `${when}: ${name} is undecided, since ${verdict.reason === null ? 'no reason was given' : REASON_WORDS[verdict.reason]}.`;
    case 'material':
      return `${when}: ${name} drifted, and by enough to matter: ${found}, where ${needed} is significant and an effect of ${matters} matters (${formatRatio(alarmRatio(verdict))} its alarm).`;
    case 'minor':
      return `${when}: ${name} drifted, but too little to matter: ${found} is significant (from ${needed}), its effect ${amountWords(detector, verdict.effect?.value)} is below ${matters}.`;
    default: {
      const visible = verdict.smallestVisibleEffect;
      const hidden =
        visible !== null && visible > verdict.minimumEffect
          ? ` A change below ${amountWords(detector, visible)} would not show in this window.`
          : '';
      return `${when}: ${name} shows no drift: ${found}, where ${needed} would be significant.${hidden}`;
    }
  }
}

/** How many independent rows the window is worth; null where rows count as they are. */
export function effectiveWords(verdict: Verdict): string | null {
  if (verdict.null !== 'temporal' || verdict.designEffect <= 1) return null;
  return `${formatCount(verdict.currentRows)} rows of correlated traffic count like ${plural(Math.max(1, Math.round(verdict.effectiveCurrentRows)), 'independent row')}`;
}

/** The feature page's opening: what happened to this feature in this window. */
export function featureSentence(data: FeatureData): string {
  const name = shorten(data.feature, 60);
  const lead = leadVerdict(data.verdicts);
  const when = formatWindow(data.window);
  if (lead === null) return `${name} was not judged for ${when}.`;
  const parts = [verdictSentence(lead, name, when)];
  const move = moveWords(data);
  if (move !== null && lead.status !== 'undecided')
    parts.push(`${move.charAt(0).toUpperCase()}${move.slice(1)}.`);
  const effective = effectiveWords(lead);
  if (effective !== null) parts.push(`${effective}.`);
  return parts.join(' ');
}

/** The model page's opening: which features drift now, and how it has been. */
export function modelSentence(data: ModelData): string {
  const { lastRun } = data;
  if (lastRun === null) {
    return data.rows === 0
      ? 'No predictions have arrived yet.'
      : `${formatCount(data.rows)} predictions are stored; no window has been judged in this period.`;
  }
  const open = data.episodes.filter((episode) => episode.state === 'open').length;
  const episodes = open === 0 ? 'No episode is open.' : `${plural(open, 'episode')} open.`;
  if (lastRun.status === 'no_data')
    return `No rows arrived for the last window (${formatWindow(lastRun.window)}). ${episodes}`;
  const material = data.ranked.filter((item) => item.look === 'material');
  const when = formatWindow(lastRun.window);
  if (material.length === 0) {
    const undecided = data.ranked.filter(
      (item) => item.look === 'undecided' || item.look === 'no_data',
    ).length;
    const note = undecided > 0 ? ` ${undecided} of ${data.ranked.length} columns could not be decided.` : '';
    return `No material drift in the last window (${when}).${note} ${episodes}`;
  }
  const names = material.slice(0, 4).map((item) => shorten(item.feature, 40));
  const more = material.length > names.length ? ` and ${material.length - names.length} more` : '';
  return `${plural(material.length, 'column')} of ${data.ranked.length} drifted materially in the last window (${when}): ${names.join(', ')}${more}. ${episodes}`;
}
