import type { Calibration, EstimatedFigure, PerformanceEstimator } from '../../domain/estimate.js';
import type { BinaryCells, BusinessValue } from '../../domain/performance-figures.js';
import type { Grid, Profile } from '../../domain/profile.js';
import { total } from '../../stats/cells.js';
import {
  type Expected,
  type ExpectedConfusion,
  expectedAveragePrecision,
  expectedConfusion,
  expectedLosses,
  expectedRocAuc,
  expectedValue,
  type ScoreCell,
  thresholdFigures,
} from '../../stats/estimate/expected-performance.js';
import { isotonicAt } from '../../stats/estimate/isotonic.js';
import type { CountedColumn } from './estimate-figures.js';
import { estimated } from './interval.js';

type Figures = Readonly<Record<string, Expected | null>>;

/** Large against rounding, small against what bends the figures. */
const STEP = 1e-3;
const SHARE: readonly [number, number] = [0, 1];
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  logLoss: [0, Infinity],
  businessValue: [-Infinity, Infinity],
};

/** Scores in ascending order with the rows that have them: of the cells between two cut points the mean stands for all. */
function scoresOf({ grid, profile }: CountedColumn): Omit<ScoreCell, 'probability'>[] {
  if (grid.kind !== 'numeric') return [];
  return profile.counts.flatMap((rows, cell) =>
    rows === 0 ? [] : [{ rows, score: cellMean(grid, profile, cell), spread: cell % 2 === 0 }],
  );
}

function cellMean(
  grid: Extract<Grid, { kind: 'numeric' }>,
  { counts, offsets, min, max }: Profile,
  cell: number,
) {
  const base = grid.cutPoints[Math.max(0, Math.ceil(cell / 2) - 1)] ?? 0;
  const mean = base + ((offsets[cell] ?? 0) * grid.quantum) / (counts[cell] ?? 1);
  // Offsets are rounded, and end somewhere: a mean lies within its cell, and within the values.
  const low = cell === 0 ? (min ?? mean) : base;
  const high = cell % 2 === 1 ? base : (grid.cutPoints[cell / 2] ?? max ?? mean);
  return Math.min(high, Math.max(low, mean));
}

/**
 * Figures with both errors. That of the calibration is the delta method over its blocks: each block's mean is a share of its rows, and
 * how much a figure hangs on it follows from how many rows of the stretch have their scores there.
 */
function withErrors(
  calibration: Calibration,
  scores: readonly Omit<ScoreCell, 'probability'>[],
  figuresOf: (cells: readonly ScoreCell[]) => Figures,
): Record<string, EstimatedFigure> {
  const at = (curve: Calibration) =>
    figuresOf(scores.map((cell) => ({ ...cell, probability: isotonicAt(curve, cell.score) })));
  const figures = at(calibration);
  const variances = new Map<string, number>();
  for (const [block, rows] of calibration.rows.entries()) {
    const mean = calibration.mean[block] ?? 0;
    // A half more of each kind: a block of one row knows no more of its mean than one row can.
    const share = (mean * rows + 0.5) / (rows + 1);
    const step = mean < 0.5 ? STEP : -STEP;
    const moved = at({ ...calibration, mean: calibration.mean.with(block, mean + step) });
    for (const [name, figure] of Object.entries(figures)) {
      const slope = ((moved[name]?.value ?? Number.NaN) - (figure?.value ?? Number.NaN)) / step;
      variances.set(name, (variances.get(name) ?? 0) + (slope ** 2 * share * (1 - share)) / rows);
    }
  }
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, figure]) =>
      figure === null
        ? []
        : [[name, estimated(figure, Math.sqrt(variances.get(name) ?? 0), RANGES[name] ?? SHARE)] as const],
    ),
  );
}

/**
 * Confidence-based performance estimation (CBPE; NannyML) from the counts of scores and of predicted classes. Figures at the threshold
 * are left out where predictions do not follow from the score: then which rows were predicted positive is not in the counts.
 */
export function binaryEstimates(
  estimator: Extract<PerformanceEstimator, { task: 'binary' }>,
  score: CountedColumn,
  prediction: CountedColumn | null,
  value: BusinessValue | undefined,
): { figures: Record<string, EstimatedFigure>; confusion: BinaryCells | null } {
  const { calibration } = estimator;
  const scores = scoresOf(score);
  const predictedPositives = predictedPositivesOf(estimator, score, prediction);
  const confusionOf = (cells: readonly ScoreCell[]) =>
    predictedPositives === null ? null : expectedConfusion(cells, predictedPositives);
  const probabilities = scores.every((each) => each.score >= 0 && each.score <= 1);
  const figures = withErrors(calibration, scores, (cells) => {
    const confusion = confusionOf(cells);
    return {
      ...(confusion === null
        ? {}
        : {
            ...thresholdFigures(confusion),
            ...(value === undefined ? {} : { businessValue: expectedValue(confusion, value) }),
          }),
      rocAuc: expectedRocAuc(cells),
      averagePrecision: expectedAveragePrecision(cells),
      ...(probabilities ? expectedLosses(cells) : {}),
    };
  });
  const cells = scores.map((cell) => ({ ...cell, probability: isotonicAt(calibration, cell.score) }));
  return { figures, confusion: cellsOf(confusionOf(cells)) };
}

function cellsOf(confusion: ExpectedConfusion | null): BinaryCells | null {
  if (confusion === null) return null;
  return {
    truePositive: confusion.truePositives,
    falsePositive: confusion.falsePositives,
    trueNegative: confusion.trueNegatives,
    falseNegative: confusion.falseNegatives,
  };
}

/** How many of the scored rows were predicted positive; null where that does not follow from their scores. */
function predictedPositivesOf(
  { thresholded, positiveClass }: Extract<PerformanceEstimator, { task: 'binary' }>,
  score: CountedColumn,
  prediction: CountedColumn | null,
): number | null {
  const share = thresholded ? positiveShare(prediction, positiveClass) : null;
  return share === null ? null : share * total(score.profile.counts);
}

/** Share of the predictions that are of the positive class; null where there are none. */
function positiveShare(prediction: CountedColumn | null, positiveClass: string): number | null {
  if (prediction === null || prediction.grid.kind !== 'categorical') return null;
  const { grid, profile } = prediction;
  const predicted = total(profile.counts);
  const cell = grid.categories.indexOf(positiveClass);
  return predicted === 0 ? null : (cell < 0 ? 0 : (profile.counts[cell] ?? 0)) / predicted;
}

/** Expected accuracy from the score of the predicted class alone (top-label calibration; Gupta & Ramdas 2022, ICLR). */
export function multiclassEstimates(
  { calibration }: Extract<PerformanceEstimator, { task: 'multiclass' }>,
  score: CountedColumn,
): Record<string, EstimatedFigure> {
  return withErrors(calibration, scoresOf(score), (cells) => ({
    // Every row is predicted to be right.
    accuracy: thresholdFigures(expectedConfusion(cells, total(score.profile.counts))).precision,
  }));
}
