import type { EstimatedFigure, PerformanceEstimator } from '../../domain/estimate.js';
import { binCounts } from '../../stats/cells.js';
import { additiveMean } from '../../stats/estimate/additive.js';
import type { CountedColumn } from './estimate-figures.js';
import { estimated } from './interval.js';

const ANY: readonly [number, number] = [-Infinity, Infinity];
const AT_LEAST_0: readonly [number, number] = [0, Infinity];

/**
 * Direct loss estimation (DLE; NannyML) with an additive model in place of gradient-boosted trees: the mean loss of a stretch follows
 * from each column's own counts. Errors as those of means of rows, and of the reference's as many rows again.
 */
export function regressionEstimates(
  estimator: Extract<PerformanceEstimator, { task: 'regression' }>,
  columnOf: (name: string) => CountedColumn | null,
  rows: number,
): Record<string, EstimatedFigure> {
  const counts = estimator.features.map(({ feature, ends }) => {
    const profile = columnOf(feature)?.profile;
    // A column that is not counted is one without values.
    if (profile === undefined) return [...ends.map(() => 0), rows];
    return [...binCounts(profile.counts, ends), profile.missing + profile.nonFinite + profile.mistyped];
  });
  const bias = additiveMean(estimator.signed, counts, rows);
  // Sums of effects may lie beyond what a loss can be where the columns are unlike any in the reference.
  const squared = Math.max(additiveMean(estimator.squared, counts, rows), bias ** 2);
  const absolute = Math.min(
    Math.max(additiveMean(estimator.absolute, counts, rows), Math.abs(bias)),
    Math.sqrt(squared),
  );
  const root = Math.sqrt(squared);
  const figure = (value: number, variance: number, range: readonly [number, number]) =>
    estimated(
      { value, standardError: Math.sqrt(variance / rows) },
      Math.sqrt(variance / estimator.rows),
      range,
    );
  return {
    meanAbsoluteError: figure(absolute, squared - absolute ** 2, AT_LEAST_0),
    // The delta method: d√x = dx / (2√x).
    rootMeanSquaredError: figure(root, (estimator.squaredVariation * squared) / 4, AT_LEAST_0),
    bias: figure(bias, squared - bias ** 2, ANY),
  };
}
