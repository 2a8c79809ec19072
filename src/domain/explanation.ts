import type { FeatureKind } from './model.js';
import type { PairChange } from './multivariate.js';
import type { EpisodeCategory } from './verdict.js';

/** How the prediction goes with one feature, over the rows that the reference was fitted from. */
export interface FeatureInfluence {
  readonly feature: string;
  /** Share of the prediction's variance that lies between this feature's bins: the correlation ratio, adjusted for their number. */
  readonly explains: number;
  /** End (exclusive cell index on the model's grid) of each bin; for categories the unseen cell lies in none. */
  readonly ends: readonly number[];
  /** Mean of each target by bin; the overall mean in bins without a row. */
  readonly means: readonly (readonly number[])[];
  /** The same over rows without a usable value. */
  readonly missing: readonly number[];
}

/** How the prediction goes with each feature, one at a time. */
export interface Influence {
  /** What is predicted: a number, or the share of each class. */
  readonly column: string;
  /** Empty where the target is a number. */
  readonly classes: readonly string[];
  readonly rows: number;
  /** Of each target over all rows. */
  readonly means: readonly number[];
  readonly features: readonly FeatureInfluence[];
}

/** A range of values, or a category, whose share of the values changed. */
export interface Move {
  readonly where: string;
  readonly reference: number;
  readonly current: number;
}

/** One drifted column of a window. */
export interface DriftReason {
  readonly feature: string;
  readonly kind: FeatureKind;
  readonly detector: string;
  readonly category: EpisodeCategory;
  readonly material: boolean;
  readonly effect: number | null;
  /** The effect over the one from which a drift is material. */
  readonly severity: number | null;
  /** Share of the prediction's variance in the reference that goes with this feature; null where it is not known. */
  readonly explains: number | null;
  /**
   * What the mean prediction would move by if nothing but this feature's distribution had changed, in units of the prediction (shares
   * of rows for a class); null where it is not known.
   */
  readonly predictionShift: number | null;
  /** The class that the shift is about: the one that moves most. */
  readonly shiftClass: string | null;
  /** Share of the values that would have to change bins to undo the drift. */
  readonly moved: number | null;
  readonly moves: readonly Move[];
  /** For people. */
  readonly sentence: string;
}

/** Features that no longer go together as they did. */
export interface TogetherReason {
  readonly detector: string;
  readonly material: boolean;
  /** How well the window's rows are told from the reference's: 0.5 is not at all. */
  readonly auc: number | null;
  /** Those that tell most, at most three. */
  readonly pairs: readonly PairChange[];
  /** For people. */
  readonly sentence: string;
}

/** Why a window drifted. */
export interface WindowExplanation {
  /** What `features` are ordered by. */
  readonly rankedBy: 'predictionShift' | 'effect';
  /** Why they are not ordered by the prediction; null where they are. */
  readonly note: string | null;
  /** What the prediction did as a whole; null where either side has none. */
  readonly prediction: {
    readonly column: string;
    readonly class: string | null;
    readonly reference: number;
    readonly current: number;
  } | null;
  /** The drifted inputs, worst first. */
  readonly features: readonly DriftReason[];
  /** The model's drifted outputs, labels and latencies: what came of it. */
  readonly outputs: readonly DriftReason[];
  /** What no single column shows; left out unless a verdict on all features together drifted. */
  readonly together?: TogetherReason;
}
