import type { ModelVersion } from '../domain/model.js';
import type { ComparedFigure, PerformanceBaseline, PerformanceSample } from '../domain/performance.js';
import type { Reference } from '../domain/reference.js';
import type { UndecidedReason, Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
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
}

/**
 * Whether a version has become worse than it was on its reference: one verdict for each figure that the reference has, to one side. The
 * distance over its standard error is compared with Student's t: variances of the window's rows, of the reference's, and between
 * window-long pieces of it, which is a new window's prediction interval in a random-effects model (Higgins, Thompson & Spiegelhalter
 * 2009, JRSS A 172:137); the p-value of independent rows where that is larger. Better never alarms.
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
  const sign = baseline.figure === 'meanAbsoluteError' ? 1 : -1;
  const unit = baseline.figure === 'meanAbsoluteError' ? baseline.value : 1;
  if (!(unit > 0)) return { ...verdict, reason: 'constant_column' };
  const independent = sample.variance + baseline.variance;
  const between = spread === null ? 0 : spread.variance * (1 + 1 / spread.pieces);
  const error = Math.sqrt(independent + between) / unit;
  const change = (sample.value - baseline.value) / unit;
  const loss = sign * change;
  const effect = { value: change, low: change - Z_95 * error, high: change + Z_95 * error };
  const designEffect = (independent + between) / independent;
  const seen = { ...verdict, statistic: loss, effect, designEffect };
  if (input.reason !== null) return { ...seen, reason: input.reason };
  // Taking windows as alike where nobody knows whether they are would page from the first one.
  if (spread === null && reference.nullModel.kind === 'temporal') return { ...seen, reason: 'no_reference' };
  const degrees = spread === null ? Number.POSITIVE_INFINITY : spread.pieces - 1;
  const rowError = Math.sqrt(independent) / unit;
  const pValue = Math.max(
    studentSf(loss / rowError, Number.POSITIVE_INFINITY),
    studentSf(loss / error, degrees),
  );
  const threshold = Math.max(
    studentQuantile(level, Number.POSITIVE_INFINITY) * rowError,
    studentQuantile(level, degrees) * error,
  );
  if (sign < 0 && threshold > baseline.value) return { ...seen, reason: 'not_visible_at_window_length' };
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

function frame(
  { model, window, reference, counts }: PerformanceInput,
  { figure, value, rows, spread }: PerformanceBaseline,
  sample: PerformanceSample | undefined,
): Verdict {
  return {
    model: model.model,
    modelVersion: model.modelVersion,
    feature: '',
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
      ...(spread === null ? {} : { pieces: spread.pieces, betweenVariance: spread.variance }),
      ...(reference.nullModel.provisional === true ? { nullProvisional: true } : {}),
    },
    seed: null,
  };
}
