import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EstimateAnswer, EstimatedPerformance } from '../domain/estimate.js';
import { type ModelVersion, PREDICTION, PREDICTION_PROBA } from '../domain/model.js';
import type { PieceLength } from '../domain/performance.js';
import type { FigureSetting } from '../domain/performance-figures.js';
import { PRODUCTION, type ProfileScope, type Store, type VersionKey } from '../domain/ports.js';
import type { Grid } from '../domain/profile.js';
import type { Reference } from '../domain/reference.js';
import { segmentScope } from '../domain/segment.js';
import { DAY_MS, HOUR_MS, tile, WEEK_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import { estimateFigures } from '../performance/estimate/estimate-figures.js';
import type { PerformanceQuestion, PerformanceReader } from './read-performance.js';

/** Most stretches of one answer: each is read and estimated by itself. */
const MAX_PERIODS = 1_000;
/** Mondays: the epoch was a Thursday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

export interface EstimateReaderDeps {
  readonly store: Pick<
    Store,
    'listModels' | 'watermarks' | 'currentReference' | 'listGrids' | 'mergedProfiles'
  >;
  readonly setting: (model: string) => Pick<FigureSetting, 'positiveClass' | 'value'>;
  /** What the labels have shown. */
  readonly realised: PerformanceReader;
}

/** The stretches of a period by UTC hour, day, week (from Monday), month, or pieces of so many ms since the epoch. */
export function piecesOf({ startMs, endMs }: Window, length: PieceLength, most: number): Window[] {
  const pieces: Window[] = [];
  for (let at = startMs; at < endMs && pieces.length <= most; ) {
    const next = Math.min(endMs, nextStart(at, length));
    pieces.push({ startMs: at, endMs: next });
    at = next;
  }
  return pieces;
}

function nextStart(ms: number, length: PieceLength): number {
  const after = (step: number, first = 0) => (Math.floor((ms - first) / step) + 1) * step + first;
  switch (length) {
    case 'hour':
      return after(HOUR_MS);
    case 'day':
      return after(DAY_MS);
    case 'week':
      return after(WEEK_MS, FIRST_MONDAY_MS);
    case 'month': {
      const date = new Date(ms);
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    }
    case 'all':
      return Infinity;
    default:
      return after(length.ms);
  }
}

/** Of one stretch: its counts, and what they say. */
export function createEstimator({
  store,
  setting,
}: Pick<EstimateReaderDeps, 'setting'> & { readonly store: Pick<Store, 'mergedProfiles'> }) {
  return async function estimate(
    model: ModelVersion,
    { estimator }: Pick<Reference, 'estimator'>,
    { window, scope, grids }: { window: Window; scope: ProfileScope; grids: readonly Grid[] },
  ): Promise<EstimatedPerformance> {
    const regression = estimator?.task === 'regression';
    const profiles = await store.mergedProfiles(
      {
        model: model.model,
        modelVersion: model.modelVersion,
        scope,
        features: regression
          ? estimator.features.map(({ feature }) => feature)
          : [PREDICTION, PREDICTION_PROBA],
      },
      tile(window),
    );
    const { positiveClass, value } = setting(model.model);
    return {
      window,
      ...estimateFigures({ estimator: estimator ?? null, positiveClass, value, grids, profiles }),
    };
  };
}

/** What the labels of each stretch are expected to show, by the counts of scores and features alone, and what they have shown. */
export function createEstimateReader(deps: EstimateReaderDeps) {
  const { store, realised } = deps;
  const estimate = createEstimator(deps);

  /** Throws AppError `unknown_model`, or `invalid_request` where the answer would be too long. */
  return async function readEstimates(question: PerformanceQuestion): Promise<EstimateAnswer> {
    const { model: name, modelVersion, bucket, segment } = question;
    const isIt = (key: VersionKey) => key.model === name && key.modelVersion === modelVersion;
    const model = (await store.listModels()).find(isIt);
    if (model === undefined)
      throw new AppError(
        'unknown_model',
        'this model version is not registered: GET /v1/models lists those that are',
      );
    const reference = await store.currentReference(model);
    const mark = (await store.watermarks()).find(isIt);
    const period = {
      startMs: Math.max(question.period?.startMs ?? 0, floorHour(mark?.firstEventMs ?? 0)),
      endMs: Math.min(question.period?.endMs ?? Infinity, floorHour(mark?.watermarkMs ?? -1) + HOUR_MS),
    };
    const pieces = piecesOf(period, bucket, MAX_PERIODS);
    if (pieces.length > MAX_PERIODS)
      throw new AppError(
        'invalid_request',
        `from, to: hold more than ${MAX_PERIODS} periods: ask for fewer, or for a longer bucket`,
      );
    const grids = await store.listGrids(name);
    const scope = segmentScope(PRODUCTION, segment ?? undefined);
    const estimates: EstimatedPerformance[] = [];
    for (const window of pieces) {
      const one = await estimate(model, reference ?? {}, { window, scope, grids });
      if (one.predictions > 0) estimates.push(one);
      await nextTurn();
    }
    const shown = pieces.length === 0 ? [] : (await realised({ ...question, period })).periods;
    return {
      model: name,
      modelVersion,
      segment,
      bucket,
      referenceHash: reference?.estimator == null ? null : reference.hash,
      learnedFrom: reference?.estimator?.rows ?? 0,
      periods: estimates.map((one) => {
        const labels = shown.find(({ window }) => window.endMs > one.window.startMs);
        const same = labels !== undefined && labels.window.startMs < one.window.endMs;
        return {
          ...one,
          maturity: same ? labels.maturity : 0,
          realised: same && labels.labelled > 0 ? labels.figures : {},
        };
      }),
    };
  };
}

export type EstimateReader = ReturnType<typeof createEstimateReader>;

const floorHour = (ms: number) => Math.floor(ms / HOUR_MS) * HOUR_MS;
