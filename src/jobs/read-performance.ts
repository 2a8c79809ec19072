import type { ModelVersion } from '../domain/model.js';
import type { PerformanceCounts, PieceLength } from '../domain/performance.js';
import type { FigureSetting, PerformanceAnswer, PerformancePeriod } from '../domain/performance-figures.js';
import { PRODUCTION, type Store, type VersionKey } from '../domain/ports.js';
import { type Segment, segmentScope } from '../domain/segment.js';
import { HOUR_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import { figuresOf, undecidedReason } from '../performance/figures.js';
import { delayCurve, maturityOf, usualMaturity } from '../performance/maturity.js';
import { classFigures } from '../performance/multiclass.js';

/** Most stretches of one answer. */
const MAX_PERIODS = 10_000;

export interface PerformanceReaderDeps {
  readonly store: Pick<Store, 'listModels' | 'watermarks' | 'performanceCounts' | 'currentReference'>;
  readonly setting: (model: string) => FigureSetting;
}

export interface PerformanceQuestion extends VersionKey {
  /** All of event time when null. */
  readonly period: Window | null;
  readonly bucket: PieceLength;
  /** Whole traffic when null. */
  readonly segment: Segment | null;
}

/** How good a version was, stretch by stretch, by the labels that have come. */
export function createPerformanceReader({ store, setting }: PerformanceReaderDeps) {
  /** The whole reference: none of its labels is missing because it would still come. */
  async function referenceOf(model: ModelVersion): Promise<PerformancePeriod | null> {
    const reference = await store.currentReference(model);
    if (reference === null) return null;
    const [counts] = await store.performanceCounts(
      {
        model: model.model,
        modelVersion: model.modelVersion,
        task: model.schema.task,
        scope: `reference:${reference.hash}`,
        window: reference.period ?? { startMs: 0, endMs: HOUR_MS },
      },
      'all',
    );
    if (counts === undefined || counts.labelled === 0) return null;
    const described = describe(model, counts, setting(model.model));
    return { ...described, status: 'decided', reason: null, usualMaturity: null };
  }

  /** Throws AppError `unknown_model`, or `invalid_request` where the answer would be too long. */
  return async function readPerformance(question: PerformanceQuestion): Promise<PerformanceAnswer> {
    const { model: name, modelVersion, bucket, segment } = question;
    const isIt = (key: VersionKey) => key.model === name && key.modelVersion === modelVersion;
    const model = (await store.listModels()).find(isIt);
    if (model === undefined)
      throw new AppError(
        'unknown_model',
        'this model version is not registered: GET /v1/models lists those that are',
      );
    const mark = (await store.watermarks()).find(isIt);
    const nowMs = mark?.watermarkMs ?? 0;
    const period = question.period ?? {
      startMs: 0,
      endMs: Math.ceil((nowMs + 1) / HOUR_MS) * HOUR_MS,
    };
    const query = {
      model: name,
      modelVersion,
      task: model.schema.task,
      scope: segmentScope(PRODUCTION, segment ?? undefined),
      window: period,
    };
    const counts = await store.performanceCounts(query, bucket);
    if (counts.length > MAX_PERIODS)
      throw new AppError(
        'invalid_request',
        `from, to: hold ${counts.length} periods with predictions, at most ${MAX_PERIODS} are told at once: ask for fewer, or for a longer bucket`,
      );
    const delays = delayCurve(counts, nowMs);
    const reference = segment === null ? await referenceOf(model) : null;
    const figureSetting = setting(name);
    return {
      model: name,
      modelVersion,
      task: model.schema.task,
      segment,
      bucket,
      setting: figureSetting,
      delays,
      reference,
      periods: counts.map((piece) => ({
        ...describe(model, piece, figureSetting),
        usualMaturity: usualMaturity(delays, nowMs - piece.window.endMs),
      })),
    };
  };
}

function describe(
  { schema: { task } }: ModelVersion,
  counts: PerformanceCounts,
  setting: FigureSetting,
): Omit<PerformancePeriod, 'usualMaturity'> {
  const reason = undecidedReason(counts, setting);
  return {
    window: counts.window,
    predictions: counts.predictions,
    labelled: counts.labelled,
    maturity: maturityOf(counts),
    status: reason === null ? 'decided' : 'undecided',
    reason,
    figures: figuresOf(task, counts, setting),
    confusion: counts.confusion,
    classes: task === 'multiclass' ? classFigures(counts) : [],
  };
}

export type PerformanceReader = ReturnType<typeof createPerformanceReader>;
