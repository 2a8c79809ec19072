import type { FeatureKind } from './model.js';
import type { Verdict, VerdictStatus } from './verdict.js';
import type { Window } from './window.js';

export interface SkewedColumn {
  readonly feature: string;
  readonly kind: FeatureKind;
  readonly status: VerdictStatus;
  /** Whether a drift is as large as one that matters. */
  readonly material: boolean;
  /** The test that the column is ranked by; null where none applies. */
  readonly verdict: Verdict | null;
  /** What moved, or why nothing can be said. */
  readonly sentence: string;
}

/** A version's training reference against its first week in production. */
export interface TrainingSkew {
  readonly model: string;
  readonly modelVersion: string;
  readonly referenceHash: string;
  readonly referenceRows: number;
  /** The first week of production, as far as it has come. */
  readonly week: Window;
  /** Whether the week is over. */
  readonly complete: boolean;
  readonly rows: number;
  /**
   * How the reference's own rows vary was learned from its pieces of so many ms; null for a reference without enough of them: then rows
   * are taken as independent, and more seems to differ than does.
   */
  readonly pieceMs: number | null;
  /** Probability that a week like the reference has any drifted column. */
  readonly level: number;
  readonly status: VerdictStatus;
  readonly drifted: number;
  readonly undecided: number;
  /** The worst first. */
  readonly columns: readonly SkewedColumn[];
}
