import type { PieceLength } from './performance.js';
import type { BinaryCells, Figure } from './performance-figures.js';
import type { Segment } from './segment.js';
import type { Window } from './window.js';

/** A monotone function from scores to probabilities, as `Isotonic` of the statistics. */
export interface Calibration {
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly mean: readonly number[];
  readonly rows: readonly number[];
}

/** An additive model of bin means, as `AdditiveFit` of the statistics: effects by column and bin. */
export interface AdditiveLoss {
  readonly intercept: number;
  readonly effects: readonly (readonly number[])[];
}

/** One column of the additive models: bins end at cells of its grid (exclusive); after them one bin for rows without a value. */
export interface BinnedFeature {
  readonly feature: string;
  readonly ends: readonly number[];
}

/**
 * What is needed to estimate a version's performance from its counts alone, learned from a reference with labels and kept with it.
 * `rows` are those that it was learned from.
 */
export type PerformanceEstimator =
  | {
      readonly task: 'binary';
      readonly rows: number;
      /** The class that the probability is of. */
      readonly positiveClass: string;
      /** Probability of the positive class by score. */
      readonly calibration: Calibration;
      /** Whether what is predicted follows from the score, by one threshold. */
      readonly thresholded: boolean;
    }
  | {
      readonly task: 'multiclass';
      readonly rows: number;
      /** Probability that the predicted class is right, by its own score. */
      readonly calibration: Calibration;
    }
  | {
      readonly task: 'regression';
      readonly rows: number;
      readonly features: readonly BinnedFeature[];
      /** Of e = prediction − label: |e|, e² and e. */
      readonly absolute: AdditiveLoss;
      readonly squared: AdditiveLoss;
      readonly signed: AdditiveLoss;
      /** Var e² / (E e²)². */
      readonly squaredVariation: number;
    };

/** One figure estimated without labels. */
export interface EstimatedFigure {
  readonly value: number;
  /** 95 % interval for the figure that the labels will show, while they go with the scores as in the reference. */
  readonly low: number;
  readonly high: number;
  /** Of the figure over rows like these: chance of the rows and of their labels. */
  readonly samplingError: number;
  /** Of the estimate: what was learned comes from a reference of finite size. */
  readonly calibrationError: number;
}

/** Why nothing, or not all, could be estimated. Documented in docs/estimated-performance.md. */
export const NO_ESTIMATE_REASONS = [
  'no_data',
  'no_labelled_reference',
  'no_scores',
  'other_positive_class',
] as const;
export type NoEstimateReason = (typeof NO_ESTIMATE_REASONS)[number];

/** Estimates for one stretch of event time. */
export interface EstimatedPerformance {
  readonly window: Window;
  /** Rows of the stretch, and those of them that the figures are of. */
  readonly predictions: number;
  readonly estimated: number;
  readonly status: 'estimated' | 'undecided';
  readonly reason: NoEstimateReason | null;
  /** By the names of the realised ones; what has nothing to be of is left out. */
  readonly figures: Readonly<Record<string, EstimatedFigure>>;
  /** Rows that each cell is expected to hold; null unless binary, with predictions that follow from the score. */
  readonly confusion: BinaryCells | null;
}

/** Estimates beside what the labels have shown since. */
export interface ComparedEstimate extends EstimatedPerformance {
  /** Share of the predictions that are labelled. */
  readonly maturity: number;
  /** Realised figures by name, of the labelled predictions only; empty before there are any. */
  readonly realised: Readonly<Record<string, Figure>>;
}

export interface EstimateAnswer {
  readonly model: string;
  readonly modelVersion: string;
  readonly segment: Segment | null;
  readonly bucket: PieceLength;
  /** The reference that the estimator was learned from, or taken over from an earlier one; null for none. */
  readonly referenceHash: string | null;
  /** Labelled rows that it was learned from; 0 for none. */
  readonly learnedFrom: number;
  /** In order; stretches without predictions are left out. */
  readonly periods: readonly ComparedEstimate[];
}
