import type { Figure } from '../domain/performance-figures.js';
import {
  type CanaryReason,
  type CanaryVerdict,
  type FigureDifference,
  type LabelsNeeded,
  MORE_IS_BETTER,
  type VersionFigure,
} from '../domain/version-comparison.js';
import { DAY_MS } from '../domain/window.js';
import { rowsForHalfWidth, sequenceHalfWidth } from '../stats/confidence-sequence.js';
import { normalHalfWidth } from '../stats/special.js';
import { type DifferenceEstimate, designEffectOf } from './difference.js';

/** Rows that tell the versions apart before anything is said: with fewer a mean is not yet near normal. */
export const LEAST_TELLING = 50;
const Z_95 = normalHalfWidth(0.95);

/** From which difference on a figure matters, where nobody says; of errors as a share of the champion's. */
const MARGINS: Readonly<Record<VersionFigure, { readonly size: number; readonly relative: boolean }>> = {
  rocAuc: { size: 0.01, relative: false },
  accuracy: { size: 0.01, relative: false },
  logLoss: { size: 0.01, relative: false },
  brier: { size: 0.005, relative: false },
  meanAbsoluteError: { size: 0.02, relative: true },
  meanSquaredError: { size: 0.04, relative: true },
};

/** The margin of a figure where none is asked for. */
export function usualMargin(figure: VersionFigure, champion: number): number {
  const { size, relative } = MARGINS[figure];
  return relative ? size * Math.abs(champion) : size;
}

export interface CanarySetting {
  readonly margin: number;
  /** Probability that a verdict is ever wrong. */
  readonly level: number;
  /** Labels that must still come before labelled rows stand for all; 0 where enough have. */
  readonly immatureBy: number;
  /** Days that must be in it: one day's rows may be alike, and days differ. */
  readonly minimumDays: number;
}

/** Where nobody says: each day of the week once. */
export const MINIMUM_DAYS = 7;

/** A difference with the 95 % interval of a single look; rows of one hour to one week may be alike. */
export function singleLook(
  { difference: value, variance, rows }: DifferenceEstimate,
  designEffect: number | null,
): Figure {
  const half = Z_95 * Math.sqrt(variance * (designEffect ?? 1));
  return { value, low: value - half, high: value + half, rows };
}

/**
 * What a look at two versions says of one figure: `better` or `worse` where the confidence sequence leaves out 0, `equivalent` where it
 * lies within the margin, else `undecided` with the labels still needed. However often one looks from the same start on, the
 * probability that `better` or `worse` is ever said of versions that are alike is about `level`.
 */
export function judgeDifference(
  figure: VersionFigure,
  estimate: DifferenceEstimate,
  { margin, level, immatureBy, minimumDays }: CanarySetting,
): FigureDifference {
  const { champion, challenger, difference, variance, rows, telling } = estimate;
  const known = designEffectOf(estimate);
  const designEffect = known ?? 1;
  const error = Math.sqrt(variance * designEffect);
  const half = error * sequenceHalfWidth(rows / designEffect, level);
  const isTelling = telling >= LEAST_TELLING && known !== null;
  const sequence = isTelling ? { low: difference - half, high: difference + half } : null;
  const decided = (
    verdict: CanaryVerdict,
    reason: CanaryReason | null,
    labelsNeeded: LabelsNeeded | null,
  ): FigureDifference => ({
    champion,
    challenger,
    difference: singleLook(estimate, known),
    sequence,
    standardError: Math.sqrt(variance),
    designEffect,
    margin,
    verdict,
    reason,
    labelsNeeded,
  });
  if (immatureBy > 0) return decided('undecided', 'labels_immature', { expected: immatureBy, atMost: null });
  if (sequence === null) return decided('undecided', 'too_few_rows', null);
  const days = new Set([...estimate.influences.keys()].map((hourMs) => Math.floor(hourMs / DAY_MS))).size;
  if (days < minimumDays) return decided('undecided', 'too_few_days', null);
  const verdict = verdictOf(sequence, MORE_IS_BETTER.has(figure), margin);
  if (verdict !== 'undecided') return decided(verdict, null, null);
  const more = (halfWidth: number) =>
    Math.max(
      1,
      rowsForHalfWidth({ deviation: error * Math.sqrt(rows), designEffect, halfWidth, level }) - rows,
    );
  const apart = Math.abs(difference);
  return decided('undecided', 'interval_too_wide', {
    expected: more(Math.max(apart, margin - apart)),
    // With half the margin as half-width a sequence either leaves out 0 or lies within the margin, wherever its middle is.
    atMost: more(margin / 2),
  });
}

function verdictOf(
  { low, high }: { low: number; high: number },
  moreIsBetter: boolean,
  margin: number,
): CanaryVerdict {
  if (low > 0) return moreIsBetter ? 'better' : 'worse';
  if (high < 0) return moreIsBetter ? 'worse' : 'better';
  return low >= -margin && high <= margin ? 'equivalent' : 'undecided';
}
