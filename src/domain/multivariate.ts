import type { VersionKey } from './ports.js';

/** How a version's windows are compared with its reference in all features together. */
export interface MultivariateSettings {
  /** Whether they are at all. */
  readonly enabled: boolean;
  /** Rows of the reference that are kept to compare with. */
  readonly referenceRows: number;
  /** Rows of a window that are compared at most. */
  readonly windowRows: number;
}

export const DEFAULT_MULTIVARIATE: MultivariateSettings = {
  enabled: true,
  referenceRows: 5_000,
  windowRows: 2_000,
};

/** How well the domain classifier tells a stretch of time from the reference. */
export interface MultivariatePiece {
  readonly startMs: number;
  readonly auc: number;
  /** Variance of the AUC if its rows were the reference's. */
  readonly nullVariance: number;
}

/** What a reference says of its features together; its rows are kept beside it. */
export interface MultivariateBaseline {
  /** Of the sample. */
  readonly rows: number;
  readonly features: number;
  /** Rows of a window that are compared at most: as many as window-long pieces of the reference had. */
  readonly windowRows: number;
  /** Window-long pieces against the rest, in order of time; empty without timestamps, or with too few rows in each. */
  readonly pieces: readonly MultivariatePiece[];
}

/** A column, one category of it, or whether it has a value. */
export interface PairPart {
  readonly feature: string;
  readonly category?: string;
  readonly missing?: true;
}

/** Two features that go together otherwise than they did. */
export interface PairChange {
  readonly parts: readonly [PairPart, PairPart];
  /** Correlation in the reference and in the window (of numbers: of their normal scores). */
  readonly reference: number;
  readonly current: number;
  /** Its part of what tells the two apart, in (0, 1]. */
  readonly share: number;
}

export interface ReferenceSampleStore {
  /**
   * Keeps the sample of a reference: a text, under the reference's hash. Saving again replaces it. One of production's rows goes when any
   * of the model's rows are erased.
   */
  saveReferenceSample(
    key: VersionKey & { hash: string },
    sample: { readonly text: string; readonly production: boolean },
  ): Promise<void>;
  /** Null where the reference was registered before samples were kept, without one, or where it was erased. */
  referenceSample(key: VersionKey & { hash: string }): Promise<{ text: string; production: boolean } | null>;
}
