import type { ModelVersion } from '../domain/model.js';
import type {
  ComparedFigure,
  PerformanceBaseline,
  PerformanceSample,
  PieceSpread,
} from '../domain/performance.js';
import type { Reference } from '../domain/reference.js';
import type { Segment } from '../domain/segment.js';
import type { UndecidedReason, Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import { persistenceInflation } from '../stats/piece-series.js';
import { normalHalfWidth } from '../stats/special.js';
import { studentQuantile, studentSf } from '../stats/student.js';

/** From which a loss matters: of AUC or accuracy, or of mean absolute error relative to the reference's. */
export const MINIMUM_LOSS: Readonly<Record<ComparedFigure, number>> = {
  rocAuc: 0.05,
  accuracy: 0.05,
  meanAbsoluteError: 0.1,
};
const Z_95 = normalHalfWidth(0.95);

export interface PerformanceInput {
  readonly model: ModelVersion;
  readonly window: Window;
  readonly reference: Reference;
  readonly baselines: readonly PerformanceBaseline[];
  /** Figures of the window's labelled rows. */
  readonly samples: readonly PerformanceSample[];
  /** Why they decide nothing, or null. */
  readonly reason: UndecidedReason | null;
  readonly level: number;
  /** Of the window, for the verdict to carry. */
  readonly counts: { readonly predictions: number; readonly labelled: number };
  /** Whose rows they are; all of the window's when left out. */
  readonly segment?: Segment;
}

/**
 * Whether a version has become worse than it was on its reference: one verdict for each figure that the reference has, to one side. The
 * distance over its standard error is compared with Student's t: variances of the window's rows, of the reference's, and between
 * window-long pieces of it, which is a new window's prediction interval in a random-effects model (Higgins, Thompson & Spiegelhalter
 * 2009, JRSS A 172:137); the p-value of independent rows where that is larger. Errors are compared by their logarithms. Better never
 * alarms.
 */
export function judgePerformance(input: PerformanceInput): Verdict[] {
  return input.baselines.map((baseline) =>
    judgeFigure(
      input,
      baseline,
      input.samples.find(({ figure }) => figure === baseline.figure),
    ),
  );
}

function judgeFigure(
  input: PerformanceInput,
  baseline: PerformanceBaseline,
  sample: PerformanceSample | undefined,
): Verdict {
  const { reference, level } = input;
  const { spread } = baseline;
  const verdict = frame(input, baseline, sample);
  if (sample === undefined) return { ...verdict, reason: input.reason ?? 'too_few_rows' };
  const isError = baseline.figure === 'meanAbsoluteError';
  if (isError && !(baseline.value > 0)) return { ...verdict, reason: 'constant_column' };
  const { distance, independent, between, changeOf } = isError
    ? ratioOf(sample, baseline)
    : differenceOf(sample, baseline);
  const sign = isError ? 1 : -1;
  const error = Math.sqrt(independent + between);
  const loss = sign * changeOf(distance);
  const effect = {
    value: changeOf(distance),
    low: changeOf(distance - Z_95 * error),
    high: changeOf(distance + Z_95 * error),
  };
  const designEffect = (independent + between) / independent;
  const seen = { ...verdict, statistic: loss, effect, designEffect };
  if (input.reason !== null) return { ...seen, reason: input.reason };
  // Taking windows as alike where nobody knows whether they are would page from the first one.
  if (spread === null && reference.nullModel.kind === 'temporal') return { ...seen, reason: 'no_reference' };
  const degrees = spread === null ? Number.POSITIVE_INFINITY : spreadDegrees(spread);
  const rowError = Math.sqrt(independent);
  const worse = sign * distance;
  const pValue = Math.max(
    studentSf(worse / rowError, Number.POSITIVE_INFINITY),
    studentSf(worse / error, degrees),
  );
  const threshold = changeOf(
    Math.max(
      studentQuantile(level, Number.POSITIVE_INFINITY) * rowError,
      studentQuantile(level, degrees) * error,
    ),
  );
  if (isError ? threshold === Number.POSITIVE_INFINITY : threshold > baseline.value)
    return { ...seen, reason: 'not_visible_at_window_length' };
  return {
    ...seen,
    status: pValue <= level ? 'drifted' : 'stable',
    material: pValue <= level && loss >= verdict.minimumEffect,
    pValue,
    threshold,
    smallestVisibleEffect: sign * threshold,
    effectiveReferenceRows: baseline.rows / designEffect,
    effectiveCurrentRows: sample.rows / designEffect,
  };
}

/** How far a window is from the reference, where its chance is symmetric, and what change a distance there is. */
interface Comparison {
  readonly distance: number;
  /** Variance were rows independent, and between windows. */
  readonly independent: number;
  readonly between: number;
  readonly changeOf: (distance: number) => number;
}

function differenceOf(sample: PerformanceSample, baseline: PerformanceBaseline): Comparison {
  return {
    distance: sample.value - baseline.value,
    independent: sample.variance + baseline.variance,
    between: betweenWindows(baseline.spread),
    changeOf: (distance) => distance,
  };
}

/** Errors differ by factors: their logarithms, with variances of the delta method. Errors of 0 are as far from any as can be. */
function ratioOf(sample: PerformanceSample, baseline: PerformanceBaseline): Comparison {
  const square = baseline.value ** 2;
  const own = sample.value > 0 ? sample.variance / sample.value ** 2 : 0;
  return {
    distance: Math.log(sample.value / baseline.value),
    independent: own + baseline.variance / square,
    between: betweenWindows(baseline.spread) / square,
    changeOf: Math.expm1,
  };
}

/** Variance of a new window about the mean of the reference's pieces, chance of rows aside. */
function betweenWindows(spread: PieceSpread | null): number {
  if (spread === null) return 0;
  const { pieces, variance, autocorrelation = 0 } = spread;
  return variance * (1 + 1 / pieces) * persistenceInflation(pieces, autocorrelation);
}

/** Degrees of freedom of the pieces' variance. */
export function spreadDegrees({ pieces, effectivePieces = pieces }: PieceSpread): number {
  return Math.max(1, effectivePieces - 1);
}

function frame(
  { model, window, reference, counts, segment }: PerformanceInput,
  { figure, value, rows, spread }: PerformanceBaseline,
  sample: PerformanceSample | undefined,
): Verdict {
  return {
    model: model.model,
    modelVersion: model.modelVersion,
    feature: '',
    ...(segment === undefined ? {} : { segment }),
    detector: figure,
    category: 'performance',
    role: 'primary',
    window,
    status: 'undecided',
    reason: null,
    material: false,
    statistic: null,
    effect: null,
    pValue: null,
    adjustedPValue: null,
    threshold: null,
    minimumEffect: MINIMUM_LOSS[figure],
    referenceRows: rows,
    currentRows: sample?.rows ?? 0,
    effectiveReferenceRows: rows,
    effectiveCurrentRows: sample?.rows ?? 0,
    null: spread === null ? 'iid' : 'temporal',
    designEffect: 1,
    resolution: null,
    smallestVisibleEffect: null,
    referenceHash: reference.hash,
    parameters: {
      referenceValue: value,
      ...(sample === undefined ? {} : { value: sample.value }),
      predictions: counts.predictions,
      labelled: counts.labelled,
      ...(spread === null
        ? {}
        : {
            pieces: spread.pieces,
            betweenVariance: spread.variance,
            effectivePieces: spread.effectivePieces ?? spread.pieces,
            autocorrelation: spread.autocorrelation ?? 0,
          }),
      ...(reference.nullModel.provisional === true ? { nullProvisional: true } : {}),
    },
    seed: null,
  };
}
