import type { Task } from './model.js';
import type { PieceLength } from './performance.js';
import type { Segment } from './segment.js';
import type { UndecidedReason } from './verdict.js';
import type { Window } from './window.js';

/** One figure with its 95 % interval, where one is known. */
export interface Figure {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  /** Rows that it is of. */
  readonly rows: number;
}

/** Figures of one class against all others. */
export interface ClassFigures {
  readonly class: string;
  /** Rows whose label it is. */
  readonly rows: number;
  readonly figures: Readonly<Record<string, Figure>>;
}

/** A point of the usual delay curve. */
export interface DelayPoint {
  /** Age of a prediction, ms. */
  readonly withinMs: number;
  /** Share of predictions, of all that are so old, whose first label came within that. */
  readonly share: number;
  readonly predictions: number;
}

/** Rows in each cell of a confusion matrix of two classes. */
export interface BinaryCells {
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly trueNegative: number;
  readonly falseNegative: number;
}

/** What one prediction is worth by its cell of the confusion matrix, in a unit of the reader's. */
export interface BusinessValue {
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly trueNegative: number;
  readonly falseNegative: number;
}

/** What figures depend on beside the counts: a model's `performance` section. */
export interface FigureSetting {
  readonly positiveClass: string;
  /** Share of predictions that must be labelled before a figure says anything about them all. */
  readonly minimumMaturity: number;
  readonly value?: BusinessValue | undefined;
  readonly quantiles: readonly number[];
}

/** How good a version was in one stretch of event time, and how much of that can be told yet. */
export interface PerformancePeriod {
  readonly window: Window;
  readonly predictions: number;
  readonly labelled: number;
  /** Share of predictions that are labelled. */
  readonly maturity: number;
  /** The share that usually are at this age; null where no earlier prediction was as old. */
  readonly usualMaturity: number | null;
  readonly status: 'decided' | 'undecided';
  readonly reason: UndecidedReason | null;
  readonly figures: Readonly<Record<string, Figure>>;
  /** By label and predicted class; empty for regression. */
  readonly confusion: readonly {
    readonly actual: string;
    readonly predicted: string;
    readonly rows: number;
  }[];
  /** Of several classes. */
  readonly classes: readonly ClassFigures[];
}

export interface PerformanceAnswer {
  readonly model: string;
  readonly modelVersion: string;
  readonly task: Task;
  readonly segment: Segment | null;
  readonly bucket: PieceLength;
  readonly setting: FigureSetting;
  /** How long labels usually take, over the whole time shown. */
  readonly delays: readonly DelayPoint[];
  /** On the version's current reference; null where that holds no labels, and for segments. */
  readonly reference: PerformancePeriod | null;
  /** In order; stretches without predictions are left out. */
  readonly periods: readonly PerformancePeriod[];
}
