import type { BinnedFeature, PerformanceEstimator } from '../../domain/estimate.js';
import { type CellValue, cellFinder } from '../../domain/grid-cells.js';
import {
  type FeatureSchema,
  LABEL,
  type ModelSchema,
  PREDICTION,
  PREDICTION_PROBA,
} from '../../domain/model.js';
import { cellCount, type Grid } from '../../domain/profile.js';
import { quantileBinEnds } from '../../stats/cells.js';
import { type BinnedColumn, fitAdditive } from '../../stats/estimate/additive.js';
import { fitIsotonic } from '../../stats/estimate/isotonic.js';

/** Fewer labelled rows say too little of how labels go with scores. */
export const MIN_ESTIMATOR_ROWS = 200;
/** Most rows that are learned from. Losses are fitted feature by feature, again and again, while nothing else gets a turn. */
export const MAX_ESTIMATOR_ROWS = { binary: 100_000, multiclass: 100_000, regression: 20_000 } as const;
const BINS = 20;
/** Categories with a bin of their own; the rest, rare ones, share one. */
const TOP_CATEGORIES = 50;
/** Share of rows that may lie on the wrong side of the threshold: scores are rounded. */
const MAX_MISPLACED = 0.001;

export interface EstimatorInput {
  readonly schema: ModelSchema;
  readonly grids: readonly Grid[];
  /** The class that a binary model's probability is of. */
  readonly positiveClass: string;
  /** Of `rows`, in the order of their values; with the label. */
  readonly columns: readonly FeatureSchema[];
  readonly rows: readonly (readonly CellValue[])[];
}

/** The columns that `fitEstimator` learns from; none where there is nothing to learn. */
export function estimatorColumns(schema: ModelSchema): FeatureSchema[] {
  if (schema.label !== true) return [];
  const outcome = schema.task === 'regression' ? 'numeric' : 'categorical';
  const label: FeatureSchema = { name: LABEL, kind: outcome };
  const prediction: FeatureSchema = { name: PREDICTION, kind: outcome };
  if (schema.task === 'regression')
    return [...schema.features.filter(({ time }) => time !== true), prediction, label];
  const scored = schema.probability ?? schema.task === 'binary';
  return scored ? [{ name: PREDICTION_PROBA, kind: 'numeric' }, prediction, label] : [];
}

/** Learns how labels go with scores, or errors with features; null where the rows cannot tell. */
export function fitEstimator(input: EstimatorInput): PerformanceEstimator | null {
  const { schema, columns } = input;
  if (columns.length === 0) return null;
  if (schema.task === 'regression') return fitRegression(input);
  const of = (name: string) => columns.findIndex((column) => column.name === name);
  const [scoreAt, predictionAt, labelAt] = [of(PREDICTION_PROBA), of(PREDICTION), of(LABEL)];
  const rows = input.rows.flatMap((row) => {
    const [score, prediction, label] = [row[scoreAt], row[predictionAt], row[labelAt]];
    const complete = typeof score === 'number' && Number.isFinite(score) && label != null;
    return complete
      ? [{ score, prediction: prediction == null ? null : String(prediction), label: String(label) }]
      : [];
  });
  if (schema.task === 'multiclass') {
    const predicted = rows.filter(({ prediction }) => prediction !== null);
    if (predicted.length < MIN_ESTIMATOR_ROWS) return null;
    return {
      task: 'multiclass',
      rows: predicted.length,
      calibration: calibrate(predicted, ({ label, prediction }) => label === prediction),
    };
  }
  const { positiveClass } = input;
  if (rows.length < MIN_ESTIMATOR_ROWS || !rows.some(({ label }) => label === positiveClass)) return null;
  return {
    task: 'binary',
    rows: rows.length,
    positiveClass,
    calibration: calibrate(rows, ({ label }) => label === positiveClass),
    thresholded: followsThreshold(rows, positiveClass),
  };
}

interface ScoredRow {
  readonly score: number;
  readonly prediction: string | null;
  readonly label: string;
}

function calibrate(rows: readonly ScoredRow[], hit: (row: ScoredRow) => boolean) {
  return fitIsotonic(
    rows.map(({ score }) => score),
    rows.map((row) => Number(hit(row))),
  );
}

/** Whether the rows predicted positive are those of the highest scores. */
function followsThreshold(rows: readonly ScoredRow[], positiveClass: string): boolean {
  const predicted = rows.filter(({ prediction }) => prediction !== null);
  if (predicted.length === 0) return false;
  const sorted = [...predicted].sort((a, b) => b.score - a.score);
  const positives = predicted.filter(({ prediction }) => prediction === positiveClass).length;
  const least = sorted[positives - 1]?.score ?? Infinity;
  const misplaced = predicted.filter(
    ({ score, prediction }) => score !== least && score > least !== (prediction === positiveClass),
  );
  return misplaced.length <= MAX_MISPLACED * predicted.length;
}

function fitRegression({ columns, grids, rows: all }: EstimatorInput): PerformanceEstimator | null {
  const of = (name: string) => columns.findIndex((column) => column.name === name);
  const [predictionAt, labelAt] = [of(PREDICTION), of(LABEL)];
  const rows = all.filter((row) => Number.isFinite(row[predictionAt]) && Number.isFinite(row[labelAt]));
  if (rows.length < MIN_ESTIMATOR_ROWS) return null;
  const used = columns.flatMap((column, at): { feature: BinnedFeature; column: BinnedColumn }[] => {
    const grid = grids.find(({ feature }) => feature === column.name);
    if (column.name === LABEL || grid === undefined || grid.kind !== column.kind) return [];
    const cellOf = cellFinder(grid);
    return [
      binned(
        grid,
        Int32Array.from(rows, (row) => cellOf(row[at] ?? null)),
      ),
    ];
  });
  const errors = Float64Array.from(rows, (row) => Number(row[predictionAt]) - Number(row[labelAt]));
  const binnedColumns = used.map(({ column }) => column);
  const fitted = (loss: (error: number) => number) => fitAdditive(binnedColumns, errors.map(loss));
  const mean = (power: number) =>
    errors.reduce((sum, error) => sum + Math.abs(error) ** power, 0) / errors.length;
  const [second, fourth] = [mean(2), mean(4)];
  return {
    task: 'regression',
    rows: rows.length,
    features: used.map(({ feature }) => feature),
    absolute: fitted(Math.abs),
    squared: fitted((error) => error * error),
    signed: fitted((error) => error),
    squaredVariation: second > 0 ? fourth / second ** 2 - 1 : 0,
  };
}

/** A column's bins, and that of each row: categories unseen in the reference have none. */
function binned(grid: Grid, cells: Int32Array): { feature: BinnedFeature; column: BinnedColumn } {
  const ends = binEnds(grid, cells);
  const binOfCell = new Int32Array(cellCount(grid)).fill(-1);
  for (let cell = 0, bin = 0; cell < (ends.at(-1) ?? 0); cell++) {
    if (cell >= (ends[bin] ?? 0)) bin++;
    binOfCell[cell] = bin;
  }
  return {
    feature: { feature: grid.feature, ends },
    column: {
      count: ends.length + 1,
      bins: cells.map((cell) => (cell < 0 ? ends.length : (binOfCell[cell] as number))),
    },
  };
}

function binEnds(grid: Grid, cells: Int32Array): number[] {
  if (grid.kind === 'categorical') {
    const own = Array.from({ length: Math.min(TOP_CATEGORIES, grid.headSize) }, (_, i) => i + 1);
    return [...own, grid.headSize + 1];
  }
  const counts = new Array<number>(cellCount(grid)).fill(0);
  for (const cell of cells) if (cell >= 0) counts[cell] = (counts[cell] ?? 0) + 1;
  return counts.some((count) => count > 0) ? quantileBinEnds(counts, BINS) : [counts.length];
}
