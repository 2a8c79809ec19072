/** What one feature has to do with a row's score: the score is 2^(sum of all contributions − 1). */
export interface OutlierReason {
  readonly feature: string;
  /** In doublings of the score; features that make the row less odd are left out. */
  readonly contribution: number;
}

/** How a version's isolation forest is grown. */
export interface ForestSettings {
  readonly trees: number;
  /** ψ: reference rows that each tree is grown on. */
  readonly sampleSize: number;
}

/** What a registration asks for; the model's configuration says the rest. */
export interface AskedForest {
  readonly trees?: number | undefined;
  readonly sampleSize?: number | undefined;
}

export const DEFAULT_FOREST: ForestSettings = { trees: 100, sampleSize: 256 };

/** Trees × rows per tree: beyond it a stored forest has more than 7 MB. */
export const MAX_FOREST_SIZE = 512_000;

export const isForestTooLarge = ({ trees, sampleSize }: ForestSettings): boolean =>
  trees * sampleSize > MAX_FOREST_SIZE;
