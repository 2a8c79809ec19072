import type { TrainingSkew } from '../../src/domain/training-skew.js';
import type { FigureDifference, VersionComparison } from '../../src/domain/version-comparison.js';
import { DAY_MS, WEEK_MS } from '../../src/domain/window.js';

const START_MS = Date.UTC(2026, 2, 1);

export function differenceOf(overrides: Partial<FigureDifference> = {}): FigureDifference {
  return {
    champion: 0.71,
    challenger: 0.74,
    difference: { value: 0.03, low: 0.02, high: 0.04, rows: 9_800 },
    sequence: { low: 0.012, high: 0.048 },
    standardError: 0.004,
    designEffect: 1.6,
    margin: 0.01,
    verdict: 'better',
    reason: null,
    labelsNeeded: null,
    ...overrides,
  };
}

/** Two versions that both answered every request. */
export function comparisonOf(overrides: Partial<VersionComparison> = {}): VersionComparison {
  const side = { predictions: 10_000, unnamed: 0, ambiguous: 0, labelled: 9_800 };
  return {
    model: 'churn',
    task: 'binary',
    period: { startMs: START_MS, endMs: START_MS + 10 * DAY_MS },
    requestId: '{request}',
    champion: {
      ...side,
      modelVersion: '3',
      latency: { rows: 10_000, p50: 12, p95: 40, p99: 90 },
    },
    challenger: { ...side, modelVersion: '4', latency: null },
    requests: { matched: 10_000, labelled: 9_800, conflictingLabels: 0 },
    agreement: {
      classified: 10_000,
      share: { value: 0.9, low: 0.894, high: 0.906, rows: 10_000 },
      kappa: 0.7,
      classes: [],
      distance: { value: 0.08, low: 0.078, high: 0.082, rows: 10_000 },
    },
    distributions: [],
    paired: true,
    figure: 'rocAuc',
    verdict: 'better',
    reason: null,
    summary: 'Version 4 is better than version 3.',
    level: 0.05,
    figures: { rocAuc: differenceOf() },
    bucket: 'day',
    periods: Array.from({ length: 10 }, (_, day) => ({
      window: { startMs: START_MS + day * DAY_MS, endMs: START_MS + (day + 1) * DAY_MS },
      difference: { value: 0.03, low: -0.001, high: 0.061, rows: 980 },
      champion: 0.71,
      challenger: 0.74,
    })),
    ...overrides,
  };
}

export const NO_SKEW: TrainingSkew = {
  model: 'churn',
  modelVersion: '3',
  referenceHash: 'abc',
  referenceRows: 100,
  week: { startMs: START_MS, endMs: START_MS + WEEK_MS },
  complete: true,
  rows: 0,
  pieceMs: null,
  level: 0.05,
  status: 'undecided',
  drifted: 0,
  undecided: 0,
  columns: [],
};
