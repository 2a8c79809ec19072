import type { PerformanceCounts } from '../domain/performance.js';
import type { BinaryCells, BusinessValue, Figure } from '../domain/performance-figures.js';
import { logitShare, mean, normalShare, share, transformed } from './interval.js';

/** The four cells: every class but the positive one is negative. */
export function binaryCells(
  { confusion }: Pick<PerformanceCounts, 'confusion'>,
  positiveClass: string,
): BinaryCells {
  const count = (actual: boolean, predicted: boolean) =>
    confusion
      .filter((pair) => (pair.actual === positiveClass) === actual)
      .filter((pair) => (pair.predicted === positiveClass) === predicted)
      .reduce((sum, { rows }) => sum + rows, 0);
  return {
    truePositive: count(true, true),
    falsePositive: count(false, true),
    trueNegative: count(false, false),
    falseNegative: count(true, false),
  };
}

/**
 * F1 with the interval of the share that it rises with: F1 = 2J/(1 + J) for J = TP/(TP + FP + FN), whose interval is Wilson's. Null
 * without any positive.
 */
export function f1(truePositive: number, missed: number): Figure | null {
  return transformed(share(truePositive, truePositive + missed), (j) => (2 * j) / (1 + j));
}

/**
 * Figures of a binary classifier by name; what has no rows to be of is left out. `rocAuc` has DeLong's interval, shares Wilson's,
 * losses Student's.
 */
export function binaryFigures(
  counts: PerformanceCounts,
  { positiveClass, value }: { readonly positiveClass: string; readonly value?: BusinessValue | undefined },
): Record<string, Figure> {
  const cells = binaryCells(counts, positiveClass);
  const { truePositive, falsePositive, trueNegative, falseNegative } = cells;
  const { ranking, moments } = counts;
  const scored = ranking === null ? 0 : ranking.positives + ranking.negatives;
  const all: Record<string, Figure | null> = {
    accuracy: share(truePositive + trueNegative, truePositive + trueNegative + falsePositive + falseNegative),
    precision: share(truePositive, truePositive + falsePositive),
    recall: share(truePositive, truePositive + falseNegative),
    specificity: share(trueNegative, trueNegative + falsePositive),
    f1: f1(truePositive, falsePositive + falseNegative),
    rocAuc:
      ranking === null || ranking.auc === null
        ? null
        : normalShare(
            ranking.auc,
            ranking.aucVariance === null ? null : Math.sqrt(ranking.aucVariance),
            scored,
          ),
    averagePrecision:
      ranking === null || ranking.averagePrecision === null
        ? null
        : logitShare(ranking.averagePrecision, ranking.positives, scored),
    logLoss: mean(moments.logLoss),
    brier: mean(moments.brier),
    calibrationError: calibrationError(counts),
    businessValue: value === undefined ? null : businessValue(cells, value),
  };
  return present(all);
}

/**
 * Expected calibration error (Naeini, Cooper & Hauskrecht 2015, AAAI): over ten equal parts of [0, 1], the mean distance of the share
 * of positives from the mean score, by rows. It has no interval: chance makes it larger, never smaller.
 */
export function calibrationError({ calibration }: Pick<PerformanceCounts, 'calibration'>): Figure | null {
  const rows = calibration.reduce((sum, bin) => sum + bin.rows, 0);
  if (rows === 0) return null;
  const distance = calibration.reduce((sum, bin) => sum + Math.abs(bin.positives - bin.scoreSum), 0);
  return { value: distance / rows, low: null, high: null, rows };
}

/** Mean value of a prediction. */
function businessValue(cells: BinaryCells, value: BusinessValue): Figure | null {
  const names = Object.keys(value) as (keyof BinaryCells)[];
  const rows = names.reduce((sum, name) => sum + cells[name], 0);
  if (rows === 0) return null;
  const average = names.reduce((sum, name) => sum + cells[name] * value[name], 0) / rows;
  const m2 = names.reduce((sum, name) => sum + cells[name] * (value[name] - average) ** 2, 0);
  return mean({ rows, mean: average, m2 });
}

/** Those that are known. */
export function present(figures: Readonly<Record<string, Figure | null>>): Record<string, Figure> {
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, figure]) => (figure === null ? [] : [[name, figure]])),
  );
}
