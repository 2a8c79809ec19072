import type { CanaryReason, VersionComparison, VersionFigure } from '../domain/version-comparison.js';
import { formatCount, formatNumber, formatPercent } from './format.js';
import { shorten } from './html.js';

export const FIGURE_WORDS: Readonly<Record<VersionFigure, string>> = {
  rocAuc: 'ROC AUC',
  accuracy: 'Accuracy',
  logLoss: 'Log loss',
  brier: 'Brier score',
  meanAbsoluteError: 'Mean absolute error',
  meanSquaredError: 'Mean squared error',
};

export const CANARY_REASONS: Readonly<Record<CanaryReason, string>> = {
  no_labels: 'no labels yet',
  labels_immature: 'too few of the predictions are labelled',
  too_few_rows: 'too few rows, or fewer than seven hours, tell the versions apart',
  too_few_days: 'too few days: rows of one day may be alike, and days differ',
  interval_too_wide: 'the interval holds both no difference and one that matters',
};

/** What is to be said of two versions, in one or two sentences. */
export function canarySentence(comparison: Omit<VersionComparison, 'summary'>): string {
  const { figure, verdict, reason, paired, champion, challenger, level } = comparison;
  const found = figure === null ? undefined : comparison.figures[figure];
  const versions = `version ${shorten(challenger.modelVersion, 40)}`;
  const than = `version ${shorten(champion.modelVersion, 40)}`;
  if (figure === null || found === undefined)
    return `Cannot tell yet whether ${versions} is better or worse than ${than}: ${CANARY_REASONS[reason ?? 'no_labels']}.`;
  const { difference, sequence, labelsNeeded, margin } = found;
  const interval =
    sequence === null
      ? ''
      : ` (${formatNumber(sequence.low)} to ${formatNumber(sequence.high)} at ${formatPercent(1 - level)}, however often one looks)`;
  const rows = `${formatCount(difference.rows)} ${paired ? 'requests that both answered' : 'labelled rows of each, not the same ones'}`;
  const numbers = `${FIGURE_WORDS[figure]} ${formatNumber(found.challenger)} against ${formatNumber(found.champion)}, a difference of ${formatNumber(difference.value)}${interval}, from ${rows}.`;
  if (verdict === 'better' || verdict === 'worse')
    return `${capital(versions)} is ${verdict} than ${than}: ${numbers}`;
  if (verdict === 'equivalent')
    return `${capital(versions)} is as good as ${than} to within ${formatNumber(margin)}: ${numbers}`;
  const more =
    labelsNeeded === null
      ? ''
      : ` About ${roughly(labelsNeeded.expected)} more labels${paired ? '' : ' of each'} are needed${
          labelsNeeded.atMost === null
            ? ' before anything can be said'
            : ` if it goes on like this, ${roughly(labelsNeeded.atMost)} at most`
        }.`;
  return `Cannot tell yet whether ${versions} is better or worse than ${than}: ${CANARY_REASONS[reason ?? 'interval_too_wide']}. ${numbers}${more}`;
}

/** A number of labels that is an estimate: two digits of it, rounded up. */
export function roughly(labels: number): string {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, labels))) - 1);
  return formatCount(Math.ceil(labels / unit) * unit);
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
