import type { Moments, PerformanceCounts } from '../domain/performance.js';
import type { Figure } from '../domain/performance-figures.js';
import { present } from './binary.js';
import { mean, transformed } from './interval.js';

/**
 * a·U + b·V of two values of which one is always 0: its moments follow from theirs, since U·V is 0 and so E[(aU + bV)²] =
 * a²·E[U²] + b²·E[V²].
 */
function combined(u: Moments, a: number, v: Moments, b: number): Moments {
  const average = a * u.mean + b * v.mean;
  const square = (moments: Moments) => moments.m2 + moments.rows * moments.mean ** 2;
  const m2 = a * a * square(u) + b * b * square(v) - u.rows * average ** 2;
  return { rows: u.rows, mean: average, m2: Math.max(0, m2) };
}

/** |label − prediction|, of which every absolute error is the part under or the part over. */
export function absoluteError({
  moments: { under, over },
}: Pick<PerformanceCounts, 'moments'>): Moments | null {
  return under === undefined || over === undefined ? null : combined(under, 1, over, 1);
}

/**
 * Figures of a regression by name, with Student's intervals; `r2` has none. `bias` is the mean of prediction − label.
 * `meanAbsolutePercentageError` is over rows whose label is not 0. `quantileLossQ` is the pinball loss at quantile Q (Koenker & Bassett
 * 1978): Q·max(label − prediction, 0) + (1 − Q)·max(prediction − label, 0).
 */
export function regressionFigures(
  counts: PerformanceCounts,
  { quantiles }: { readonly quantiles: readonly number[] },
): Record<string, Figure> {
  const { under, over, squaredError, percentageError, label } = counts.moments;
  if (under === undefined || over === undefined) return {};
  return present({
    meanAbsoluteError: mean(absoluteError(counts)),
    rootMeanSquaredError: transformed(mean(squaredError), (x) => Math.sqrt(Math.max(0, x))),
    meanAbsolutePercentageError: mean(percentageError),
    r2: explained(squaredError, label),
    bias: mean(combined(over, 1, under, -1)),
    ...Object.fromEntries(
      quantiles.map((q) => [`quantileLoss${q}`, mean(combined(under, q, over, 1 - q))] as const),
    ),
  });
}

/** Share of the labels' variance that the predictions explain; null where labels do not vary. */
function explained(squaredError: Moments | undefined, label: Moments | undefined): Figure | null {
  if (squaredError === undefined || label === undefined || !(label.m2 > 0)) return null;
  const value = 1 - (squaredError.rows * squaredError.mean) / label.m2;
  return { value, low: null, high: null, rows: label.rows };
}
