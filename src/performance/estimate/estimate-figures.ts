import type {
  EstimatedFigure,
  EstimatedPerformance,
  NoEstimateReason,
  PerformanceEstimator,
} from '../../domain/estimate.js';
import { PREDICTION, PREDICTION_PROBA } from '../../domain/model.js';
import type { BinaryCells, BusinessValue } from '../../domain/performance-figures.js';
import type { Grid, Profile } from '../../domain/profile.js';
import { total } from '../../stats/cells.js';

import { binaryEstimates, multiclassEstimates } from './classifier-estimates.js';
import { regressionEstimates } from './regression-estimates.js';

/** A column's counts in some stretch, with the grid that they lie on. */
export interface CountedColumn {
  readonly grid: Grid;
  readonly profile: Profile;
}

export interface EstimateInput {
  /** Null where the reference had nothing to learn from. */
  readonly estimator: PerformanceEstimator | null;
  readonly positiveClass: string;
  readonly value?: BusinessValue | undefined;
  readonly grids: readonly Grid[];
  /** Counts of a stretch of production, one for each column. */
  readonly profiles: readonly Profile[];
}

/** The figures that a stretch's labels are expected to show, from its counts alone. */
export function estimateFigures(input: EstimateInput): Omit<EstimatedPerformance, 'window'> {
  const predictions = input.profiles[0]?.rows ?? 0;
  const undecided = (reason: NoEstimateReason) =>
    ({ predictions, estimated: 0, status: 'undecided', reason, figures: {}, confusion: null }) as const;
  const { estimator, positiveClass } = input;
  if (predictions === 0) return undecided('no_data');
  if (estimator === null) return undecided('no_labelled_reference');
  if (estimator.task === 'binary' && estimator.positiveClass !== positiveClass)
    return undecided('other_positive_class');
  const columnOf = (name: string): CountedColumn | null => {
    const grid = input.grids.find(({ feature }) => feature === name);
    const profile = input.profiles.find(({ feature }) => feature === name);
    return grid === undefined || profile === undefined ? null : { grid, profile };
  };
  const told = (
    estimated: number,
    figures: Readonly<Record<string, EstimatedFigure>>,
    confusion: BinaryCells | null = null,
  ) =>
    estimated === 0
      ? undecided('no_scores')
      : ({ predictions, estimated, status: 'estimated', reason: null, figures, confusion } as const);
  const prediction = columnOf(PREDICTION);
  if (estimator.task === 'regression') {
    const estimated = prediction === null ? 0 : total(prediction.profile.counts);
    return told(estimated, regressionEstimates(estimator, columnOf, predictions));
  }
  const score = columnOf(PREDICTION_PROBA);
  if (score === null || score.grid.kind !== 'numeric') return undecided('no_scores');
  const scored = total(score.profile.counts);
  if (estimator.task === 'multiclass') return told(scored, multiclassEstimates(estimator, score));
  const { figures, confusion } = binaryEstimates(estimator, score, prediction, input.value);
  return told(scored, figures, confusion);
}
