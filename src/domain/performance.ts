import type { ModelVersion, Task } from './model.js';
import type { ProfileScope, VersionKey } from './ports.js';
import type { RequestId } from './request-rule.js';
import type { Segment } from './segment.js';
import { DAY_MS, HOUR_MS, type Window } from './window.js';

/** How many values, their mean and the sum of their squared deviations from it. */
export interface Moments {
  readonly rows: number;
  readonly mean: number;
  readonly m2: number;
}

/** Losses whose moments are kept for each hour, in the order of the store. */
export const MOMENTS = {
  binary: ['logLoss', 'brier'],
  multiclass: ['logLoss'],
  /** `under` is max(label − prediction, 0), `over` max(prediction − label, 0). */
  regression: ['under', 'over', 'squaredError', 'percentageError', 'label'],
} as const satisfies Record<Task, readonly string[]>;
export type MomentName = (typeof MOMENTS)[Task][number];

/** Upper ends of the delays that labels are counted by, ms: within none, an hour, … of the prediction; the last part is open. */
export const DELAY_EDGES_MS: readonly number[] = [
  0,
  HOUR_MS,
  6 * HOUR_MS,
  ...[1, 2, 3, 7, 14, 30, 60, 90, 180].map((days) => days * DAY_MS),
];

/** Equal parts of [0, 1] that calibration is looked at by. */
export const CALIBRATION_BINS = 10;

/** How well scores order the positive class before the others, over all rows of a piece. */
export interface ScoreRanking {
  readonly positives: number;
  readonly negatives: number;
  /** Area under the ROC curve, ties counted half; null without rows of both classes. */
  readonly auc: number | null;
  /** Its variance (DeLong); null with fewer than two rows of either class. */
  readonly aucVariance: number | null;
  /** Average precision; null without positives. */
  readonly averagePrecision: number | null;
  /** How far `auc` may lie from that of the scores themselves, where so many differ that they are kept in cells; 0 when exact. */
  readonly aucResolution: number;
}

export interface CalibrationBin {
  readonly rows: number;
  readonly positives: number;
  readonly scoreSum: number;
}

/** Predictions of one stretch of event time against their labels. */
export interface PerformanceCounts {
  readonly window: Window;
  readonly predictions: number;
  /** Of these, with a label. */
  readonly labelled: number;
  /** Labelled ones by the delay of their first label: one part more than there are edges. */
  readonly delays: readonly number[];
  /** By label and predicted class; empty for regression. Pairs beyond the 10,000 most frequent of an hour are left out. */
  readonly confusion: readonly {
    readonly actual: string;
    readonly predicted: string;
    readonly rows: number;
  }[];
  /** Labelled predictions with a predicted class, and those where it is the label's. */
  readonly classified: number;
  readonly correct: number;
  /** Binary with probabilities only. */
  readonly ranking: ScoreRanking | null;
  readonly calibration: readonly CalibrationBin[];
  readonly moments: Readonly<Partial<Record<MomentName, Moments>>>;
}

/** How a version's predictions are counted against their labels. */
export interface PerformanceSetting {
  /** The class that a binary model's probability is of. */
  readonly positiveClass: string;
  /** Columns by which segments are made, and the segments that have figures of their own. */
  readonly segmentColumns: readonly string[];
  readonly segments: readonly Segment[];
  /** How rows name their requests; rows that are kept already stay as they are. */
  readonly requestId: RequestId;
}

export type PieceLength = 'hour' | 'day' | 'week' | 'month' | 'all' | { readonly ms: number };

export interface MeasuredHours {
  /** Hours that were counted. */
  readonly hourStartsMs: readonly number[];
  /** Of these, those that had as many predictions and labels before, but not the same ones. */
  readonly correctedMs: readonly number[];
}

export interface PerformanceStore {
  /** Versions of which any label is stored. */
  labelledVersions(): Promise<VersionKey[]>;
  /**
   * Counts the hours whose predictions or labels have changed since they were counted, or that were counted with other settings, and
   * no others. Idempotent.
   */
  measurePerformance(model: ModelVersion, setting: PerformanceSetting): Promise<MeasuredHours>;
  /**
   * What was counted, by UTC hour, day, week (from Monday), month, or pieces of so many ms since the epoch; in order, pieces without
   * predictions left out.
   */
  performanceCounts(
    query: VersionKey & { readonly task: Task; readonly scope: ProfileScope; readonly window: Window },
    piece: PieceLength,
  ): Promise<PerformanceCounts[]>;
}

/** Moments of several groups of values together (Chan, Golub & LeVeque 1983), in the order given; null without values. */
export function mergeMoments(groups: readonly Moments[]): Moments | null {
  let rows = 0;
  let mean = 0;
  let m2 = 0;
  for (const group of groups) {
    if (group.rows === 0) continue;
    const total = rows + group.rows;
    const step = group.mean - mean;
    m2 += group.m2 + (step * step * rows * group.rows) / total;
    mean += (step * group.rows) / total;
    rows = total;
  }
  return rows === 0 ? null : { rows, mean, m2 };
}

/** The figures that are compared with the reference's. */
export type ComparedFigure = 'rocAuc' | 'accuracy' | 'meanAbsoluteError';

/** One figure of some rows, and its variance were they independent. */
export interface PerformanceSample {
  readonly figure: ComparedFigure;
  readonly value: number;
  readonly variance: number;
  readonly rows: number;
}

/** How much a figure of window-long pieces of a reference differs, beyond chance of their rows. */
export interface PieceSpread {
  readonly pieces: number;
  readonly variance: number;
  /** Independent pieces that these are worth for their spread, as neighbours are alike; all of them in references of before. */
  readonly effectivePieces?: number;
  /** Lag-1 autocorrelation of the pieces, beyond chance of rows; 0 when left out. */
  readonly autocorrelation?: number;
}

/** A figure to compare with, and how much window-long pieces of it differ; null where too few pieces tell. */
export interface PerformanceBaseline extends PerformanceSample {
  readonly spread: PieceSpread | null;
}
