import type { FeatureSchema, ModelVersion } from './model.js';
import type { OutlierReason } from './outlier.js';
import type { FeatureRow, VersionKey } from './ports.js';
import type { Window } from './window.js';

/** A row with its score by a reference's forest. */
export interface ScoredRow {
  readonly row: FeatureRow;
  readonly score: number;
  /** Whether the score is above the forest's threshold. */
  readonly flagged: boolean;
  /** What isolated it, the largest contribution first; of flagged rows only. */
  readonly reasons: readonly OutlierReason[];
}

/** A place in the order of outliers: highest scores first, then by time. */
export interface OutlierCursor {
  /** The score's 64 bits as a decimal number: scores are above 0, so that both have the same order, and text keeps it exactly. */
  readonly scoreBits: string;
  readonly timestampMs: number;
  /** Decimal text of a UInt64. */
  readonly identity: string;
}

export interface OutlierQuery {
  /** Of event time. */
  readonly window: Window;
  readonly minScore?: number | undefined;
  /** Only rows whose largest contribution is this feature's. */
  readonly feature?: string | undefined;
  readonly after?: OutlierCursor | undefined;
  readonly limit: number;
}

export interface OutlierRecord extends VersionKey {
  readonly predictionId: string;
  readonly rowIndex: number;
  readonly timestampMs: number;
  readonly score: number;
  readonly reasons: readonly OutlierReason[];
  /** Values by column, null where missing; null as a whole once the raw row has expired. */
  readonly values: Readonly<Record<string, number | string | null>> | null;
}

export interface OutlierStore {
  /** Pages over unscored rows in (ingested, id) order; an empty page means done. */
  unscoredRows(model: ModelVersion, columns: readonly string[], limit: number): Promise<FeatureRow[]>;
  /** Marks the rows as scored and keeps the flagged ones. Idempotent per row. */
  saveScores(key: VersionKey, referenceHash: string, scored: readonly ScoredRow[]): Promise<void>;
  /** Scored and flagged rows in a window of event time, by the forest of a reference: of the current one by default. */
  outlierCounts(
    key: VersionKey,
    window: Window,
    referenceHash?: string,
  ): Promise<{ scored: number; flagged: number }>;
  /** Flagged rows of the current reference, highest scores first, with the values of `columns`; `next` is null after the last. */
  listOutliers(
    key: VersionKey,
    columns: readonly FeatureSchema[],
    query: OutlierQuery,
  ): Promise<{ outliers: OutlierRecord[]; next: OutlierCursor | null }>;
}
