import type { ErrorStreamAnswer } from '../../src/domain/error-stream.js';
import type { ComparedEstimate, EstimateAnswer } from '../../src/domain/estimate.js';
import type { ModelVersion, Task } from '../../src/domain/model.js';
import type { PerformanceSetting } from '../../src/domain/performance.js';
import type { PerformanceAnswer } from '../../src/domain/performance-figures.js';
import type { LabelRow, PredictionRow } from '../../src/domain/prediction.js';
import type { Window } from '../../src/domain/window.js';
import { labelRow, named, predictionRow } from './rows.js';

/** One prediction with what came true. */
export interface ScoredRow {
  readonly label: number | string;
  readonly prediction: number | string;
  readonly proba?: number;
  readonly probas?: Readonly<Record<string, number>>;
}

export function scoredModel(model: string, task: Task): ModelVersion {
  return {
    model,
    modelVersion: '1',
    schema: { task, label: true, features: [{ name: 'plan', kind: 'categorical' }] },
    registeredAtMs: 0,
  };
}

export const PLAIN_SETTING: PerformanceSetting = {
  positiveClass: '1',
  segmentColumns: [],
  segments: [],
  requestId: '{request}',
};

export function scoredPrediction(
  model: ModelVersion,
  id: string,
  timestampMs: number,
  { prediction, proba, probas }: Omit<ScoredRow, 'label'>,
  overrides: Partial<PredictionRow> = {},
): PredictionRow {
  return predictionRow(id, {
    model: model.model,
    modelVersion: model.modelVersion,
    timestampMs,
    prediction,
    proba: proba ?? null,
    probas: named(Object.entries(probas ?? {})),
    ...overrides,
  });
}

export function scoredLabel(
  model: ModelVersion,
  predictionId: string,
  timestampMs: number,
  label: number | string,
): LabelRow {
  return labelRow(predictionId, {
    model: model.model,
    modelVersion: model.modelVersion,
    timestampMs,
    label,
  });
}

export const NO_PERFORMANCE: PerformanceAnswer = {
  model: 'churn',
  modelVersion: '3',
  task: 'binary',
  segment: null,
  bucket: 'day',
  setting: { positiveClass: '1', minimumMaturity: 0.8, quantiles: [0.5] },
  delays: [],
  reference: null,
  periods: [],
};

export const NO_ESTIMATES: EstimateAnswer = {
  model: 'churn',
  modelVersion: '3',
  segment: null,
  bucket: 'day',
  referenceHash: null,
  learnedFrom: 0,
  periods: [],
};

export const NO_ERRORS: ErrorStreamAnswer = {
  model: 'churn',
  modelVersion: '3',
  errors: 0,
  unmatched: 0,
  detectors: [],
  detections: [],
};

/** An estimate of one stretch, beside which nothing is known yet. */
export function estimateOf(window: Window, overrides: Partial<ComparedEstimate> = {}): ComparedEstimate {
  return {
    window,
    predictions: 1_000,
    estimated: 1_000,
    status: 'estimated',
    reason: null,
    figures: {
      rocAuc: { value: 0.606, low: 0.595, high: 0.618, samplingError: 0.004, calibrationError: 0.003 },
    },
    confusion: null,
    maturity: 0,
    realised: {},
    ...overrides,
  };
}
