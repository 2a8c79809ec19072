import type { PerformanceEstimator } from './estimate.js';
import type { Influence } from './explanation.js';
import type { MultivariateBaseline } from './multivariate.js';
import type { PerformanceBaseline } from './performance.js';
import type { Segment } from './segment.js';
import { type Bucket, HOUR_MS, tile, type Window } from './window.js';

/**
 * How much one test's statistic varies between window-long pieces of the reference, beyond what independent rows would show.
 * `ratio` is the statistic on its null scale with mean 1 under independent rows (n·m/(n+m)·D²/(π²/12), X²/df, …).
 */
export interface TemporalSpread {
  readonly feature: string;
  readonly detector: string;
  /** Number of reference pieces it was estimated from. */
  readonly pieces: number;
  /** Between-piece variance component: E[ratio] at n rows is 1 + excess·(n·m/(n+m)). */
  readonly excess: number;
  /** Degrees of freedom matched to the spread of the pieces' ratios. */
  readonly shape: number;
  /** Independent pieces that the pieces are worth for this spread, as neighbours are alike; all of them when left out. */
  readonly effectivePieces?: number;
  /** Lag-1 autocorrelation of the pieces, beyond chance of rows; 0 when left out. */
  readonly autocorrelation?: number;
  /** How far a straight line through the pieces goes from the first to the last; of primary tests only. */
  readonly trend?: ReferenceTrend;
}

/** A reference that moves has no one state to compare with: what is one of its days at its end was none at its start. */
export interface ReferenceTrend {
  /** D, Cramér's V or difference of shares between the line's ends. */
  readonly change: number;
  /** P-value of no trend; neighbouring pieces may be alike. */
  readonly pValue: number;
  /** Whether it is more than chance (p < 0.01) and as large as a drift that matters. */
  readonly material: boolean;
}

/** Columns that move through the reference so much that it matters, in order. */
export function movingColumns({ spreads }: NullModel): string[] {
  return [...new Set(spreads.filter(({ trend }) => trend?.material === true).map(({ feature }) => feature))];
}

/** The null model of a reference: temporal when it has timestamps and at least ten windows' worth, else iid. */
export interface NullModel {
  readonly kind: 'iid' | 'temporal';
  /** Length of the pieces, ms; 0 for iid. */
  readonly pieceMs: number;
  readonly spreads: readonly TemporalSpread[];
  /** Production that it was learned from, where the reference itself could not say; windows before its end do not know it. */
  readonly learned?: Window;
  /** How windows differ is not known yet: verdicts by this null open no episode. */
  readonly provisional?: true;
}

/** The rows of a reference that belong to a segment. */
export interface SegmentReference {
  readonly segment: Segment;
  readonly rows: number;
  readonly nullModel: NullModel;
  /** How good the model was on them; left out without labels, and in references of before. */
  readonly performance?: readonly PerformanceBaseline[];
}

/** The training baseline of one model version. Its counts are profiles of scope `reference:<hash>` on the model's grids. */
export interface Reference {
  readonly model: string;
  readonly modelVersion: string;
  /** SHA-256 of the canonical content, hex. */
  readonly hash: string;
  readonly rows: number;
  /** Event time covered; null when the reference has no timestamps. */
  readonly period: Window | null;
  /** Where it came from, for people. */
  readonly provenance: string;
  readonly createdAtMs: number;
  readonly nullModel: NullModel;
  /** Parts of the reference that have verdicts of their own; their counts are profiles of a scope of their own. */
  readonly segments?: readonly SegmentReference[];
  /** Serialised isolation forest with its encoding and threshold; null until fitted. */
  readonly forest: string | null;
  /**
   * How the prediction goes with each feature; null where the rows hold no prediction that varies. Left out in references of before,
   * and of periods whose raw rows have expired.
   */
  readonly influence?: Influence | null;
  /**
   * How labels go with scores, or errors with features; null where the rows have no labels, or too few. Left out in references of
   * before.
   */
  readonly estimator?: PerformanceEstimator | null;
  /**
   * How alike window-long pieces of it are in all features together, of which a sample of its rows is kept; left out where there is none
   * (switched off, references of before, periods whose raw rows have expired).
   */
  readonly multivariate?: MultivariateBaseline;
  /** How good the model was on it, by the labels it holds; left out where it holds none, and in references of before. */
  readonly performance?: readonly PerformanceBaseline[];
}

/** What is told of a reference: all but what it taught the service, which is large and of use to that only. */
export interface ReferenceSummary
  extends Omit<Reference, 'forest' | 'influence' | 'estimator' | 'multivariate'> {
  /** Whether the version's windows are judged against it now. */
  readonly current: boolean;
}

/** Why a reference became the current one: a new file or query, a past production period, or an earlier reference again. */
export type ReferenceChangeKind = 'registered' | 'rebaselined' | 'restored';

/** One change of a version's current reference. Verdicts keep the hash of the one that they were made with. */
export interface ReferenceChange {
  readonly model: string;
  readonly modelVersion: string;
  readonly kind: ReferenceChangeKind;
  /** The current one from then on. */
  readonly hash: string;
  /** The current one before; null for a version's first. */
  readonly previousHash: string | null;
  /** Real time, ms. */
  readonly atMs: number;
  /** Id of the API key that asked for it; `local` where the service has no keys. */
  readonly by: string;
  /** In the words of who did it; may be empty. */
  readonly reason: string;
}

/** Whose doing a change is. */
export interface ReferenceAuthor {
  readonly by: string;
  readonly reason: string;
}

/** The hours and days that hold a reference's rows; references without timestamps keep them in the epoch's first hour. */
export function referenceBuckets(reference: Pick<Reference, 'period'>): Bucket[] {
  const period = reference.period ?? { startMs: 0, endMs: HOUR_MS };
  return tile({
    startMs: Math.floor(period.startMs / HOUR_MS) * HOUR_MS,
    endMs: Math.ceil(period.endMs / HOUR_MS) * HOUR_MS,
  });
}

/**
 * Whether a piece lies inside the reference's period, to the hour. The first and the last piece mostly do not, and half a day
 * differs from a whole one by more than two days do.
 */
export function coveredBy(period: Window, piece: Window): boolean {
  return (
    piece.startMs >= Math.floor(period.startMs / HOUR_MS) * HOUR_MS &&
    piece.endMs <= Math.ceil(period.endMs / HOUR_MS) * HOUR_MS
  );
}
