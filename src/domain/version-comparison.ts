import type { Distribution } from './distribution.js';
import type { Task } from './model.js';
import type { Moments, PieceLength } from './performance.js';
import type { Figure } from './performance-figures.js';
import type { RequestId } from './request-rule.js';
import type { Window } from './window.js';

/** Losses and gains of single rows that two versions are compared by, in the order of the store. */
export const ROW_FIGURES = {
  binary: ['accuracy', 'logLoss', 'brier'],
  multiclass: ['accuracy', 'logLoss'],
  regression: ['meanAbsoluteError', 'meanSquaredError'],
} as const satisfies Record<Task, readonly string[]>;
export type RowFigure = (typeof ROW_FIGURES)[Task][number];
export type VersionFigure = RowFigure | 'rocAuc';

/** Figures of which more is better; of the others less is. */
export const MORE_IS_BETTER: ReadonlySet<VersionFigure> = new Set(['rocAuc', 'accuracy']);

/** Two versions of one model over the same time. */
export interface VersionPair {
  readonly model: string;
  readonly champion: string;
  readonly challenger: string;
  readonly task: Task;
  readonly positiveClass: string;
  /** Whole hours of event time; a request belongs to the hour of the champion's answer. */
  readonly window: Window;
}

/** One figure over the matched, labelled requests of an hour. */
export interface MatchedMoments {
  readonly champion: number;
  readonly challenger: number;
  /** Of challenger − champion, row by row. */
  readonly difference: Moments;
  /** Rows where the two differ. */
  readonly changed: number;
}

/** Requests of one hour that both versions answered. */
export interface MatchedHour {
  readonly hourMs: number;
  readonly requests: number;
  /** Where both predicted a class; 0 for regression. */
  readonly classified: number;
  readonly classes: readonly {
    readonly champion: string;
    readonly challenger: string;
    readonly rows: number;
  }[];
  /** |challenger − champion| of the scores (binary) or predictions (regression). */
  readonly distance: Moments;
  /** Where both versions have a label. */
  readonly labelled: number;
  /** Of these, where the two labels are not the same: no figure counts them. */
  readonly conflicting: number;
  readonly figures: Readonly<Partial<Record<RowFigure, MatchedMoments>>>;
}

/** Sums over some rows of whole numbers, as exact as a double. */
export interface PlacementSums {
  readonly rows: number;
  readonly sum: number;
  readonly squares: number;
}

/**
 * Placements of one hour's rows: for a positive, twice the negatives with a lower score plus those with the same; for a negative, twice
 * the positives with a higher one plus those with the same.
 */
export interface PlacementHour {
  readonly pieceMs: number;
  readonly hourMs: number;
  readonly positives: PlacementSums;
  readonly negatives: PlacementSums;
}

/** Of matched requests: what `PlacementHour` says of challenger − champion, and the sums over each version's positives. */
export interface MatchedPlacementHour extends PlacementHour {
  readonly champion: number;
  readonly challenger: number;
}

/** How a version's rows of a period name their requests. */
export interface NamedRequests {
  readonly predictions: number;
  /** Rows that name no request. */
  readonly unnamed: number;
  /** Rows whose request names another row of the same version, too: which of them answers is not known. */
  readonly ambiguous: number;
}

export interface VersionPairStore {
  namedRequests(pair: VersionPair, modelVersion: string): Promise<NamedRequests>;
  /** Hours with a matched request, in order. */
  matchedHours(pair: VersionPair): Promise<MatchedHour[]>;
  /** Binary. Placements among the matched and labelled requests of each piece, of every `every`-th by its hash. */
  matchedPlacements(pair: VersionPair, piece: PieceLength, every: number): Promise<MatchedPlacementHour[]>;
  /** Binary. Placements among all labelled rows of one version in each piece. */
  placements(pair: VersionPair, modelVersion: string, piece: PieceLength): Promise<PlacementHour[]>;
}

/** What a look at a canary says. `equivalent`: the versions differ by less than the margin. */
export type CanaryVerdict = 'better' | 'worse' | 'equivalent' | 'undecided';
export type CanaryReason =
  | 'no_labels'
  | 'labels_immature'
  | 'too_few_rows'
  | 'too_few_days'
  | 'interval_too_wide';

/** Labels that are still needed, of each version, if labels go on as they did. */
export interface LabelsNeeded {
  /** If the difference stays what it is; of immature figures until they can be judged at all. */
  readonly expected: number;
  /** Whatever the difference turns out to be; null where that cannot be told yet. */
  readonly atMost: number | null;
}

export interface FigureDifference {
  readonly champion: number;
  readonly challenger: number;
  /** challenger − champion, with the 95 % interval of a single look. */
  readonly difference: Figure;
  /** The interval that holds the true difference at every look at once, with probability 1 − level. */
  readonly sequence: { readonly low: number; readonly high: number } | null;
  /** Of the difference, were rows independent. */
  readonly standardError: number;
  /** How much more the difference varies than that, since rows of one time are alike; at least 1. */
  readonly designEffect: number;
  /** From which difference on it matters. */
  readonly margin: number;
  readonly verdict: CanaryVerdict;
  readonly reason: CanaryReason | null;
  readonly labelsNeeded: LabelsNeeded | null;
  /** Accuracy of matched requests: where only one of the two was right, and the exact p-value of equal shares (McNemar). */
  readonly mcNemar?: {
    readonly championOnly: number;
    readonly challengerOnly: number;
    readonly pValue: number;
  };
}

export interface LatencySummary {
  readonly rows: number;
  /** ms; within a cell of the model's grid. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** How long the answers of each version took. */
export interface LatencyAnswer {
  readonly model: string;
  readonly versions: readonly {
    readonly modelVersion: string;
    /** Null for a version without predictions. */
    readonly period: Window | null;
    readonly latency: LatencySummary | null;
  }[];
}

export interface VersionSide extends NamedRequests {
  readonly modelVersion: string;
  readonly labelled: number;
  readonly latency: LatencySummary | null;
}

export interface Agreement {
  /** Requests that both versions answered with a class. */
  readonly classified: number;
  /** Share with the same class, with Wilson's interval; null for regression. */
  readonly share: Figure | null;
  /** Cohen's kappa; null for regression, or where only one class was predicted. */
  readonly kappa: number | null;
  /** The most frequent pairs. */
  readonly classes: MatchedHour['classes'];
  /** Mean of |challenger − champion| of scores (binary) or predictions (regression); null for several classes. */
  readonly distance: Figure | null;
}

/** What both versions predicted, on one grid. */
export interface VersionDistribution {
  readonly feature: string;
  /** Jensen–Shannon distance (base 2), 0 to 1; null where it cannot be told. */
  readonly distance: number | null;
  /** `reference` is the champion, `current` the challenger. */
  readonly distribution: Distribution;
}

/** Champion and challenger over the same period. */
export interface VersionComparison {
  readonly model: string;
  readonly task: Task;
  readonly period: Window;
  readonly requestId: RequestId;
  readonly champion: VersionSide;
  readonly challenger: VersionSide;
  readonly requests: {
    /** Answered by both versions. */
    readonly matched: number;
    /** Of these, with a label in both. */
    readonly labelled: number;
    readonly conflictingLabels: number;
  };
  readonly agreement: Agreement | null;
  readonly distributions: readonly VersionDistribution[];
  /** Whether figures compare row by row, or two sets of rows. */
  readonly paired: boolean;
  /** The figure that decides. */
  readonly figure: VersionFigure | null;
  readonly verdict: CanaryVerdict;
  readonly reason: CanaryReason | null;
  /** In one sentence. */
  readonly summary: string;
  /** Probability that a verdict of one figure is ever wrong, however often it is looked at. */
  readonly level: number;
  readonly figures: Readonly<Partial<Record<VersionFigure, FigureDifference>>>;
  readonly bucket: PieceLength;
  /** The deciding figure, stretch by stretch: each with the interval of a single look. */
  readonly periods: readonly {
    readonly window: Window;
    readonly difference: Figure;
    readonly champion: number;
    readonly challenger: number;
  }[];
}

/** What is asked of two versions. */
export interface VersionQuestion {
  readonly model: string;
  readonly champion: string;
  readonly challenger: string;
  /** Ends that are left out are those of the time in which both versions have rows. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** The figure that decides; the task's first when left out. */
  readonly figure?: string | undefined;
  /** The difference of that figure that matters. */
  readonly margin?: number | undefined;
  /** Days before which nothing is said. */
  readonly minimumDays?: number | undefined;
  /** As a picture of the period can show, when null. */
  readonly bucket: PieceLength | null;
}
