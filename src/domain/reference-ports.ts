import type { FeatureSchema, ModelVersion } from './model.js';
import type { FeatureRow } from './ports.js';
import type { AppliedRule, PrivacyRule } from './privacy.js';
import type { Segment, SegmentSetting } from './segment.js';
import type { Window } from './window.js';

export interface SegmentStore {
  /**
   * The segments of a version, by column as set, the most frequent values first: of a categorical feature the first categories of its
   * grid; of a tag those of the first rows stored, once chosen kept. A column that is neither has none.
   */
  segmentsOf(model: ModelVersion, setting: SegmentSetting): Promise<Segment[]>;
  /** As `profileHours`, for the rows of each segment. Call it before: then a crash between the two repeats both. */
  profileSegments(
    model: ModelVersion,
    segments: readonly Segment[],
    hourStartsMs: readonly number[],
  ): Promise<void>;
}

/** The key that values are hashed with. */
export interface HashKey {
  readonly bytes: Uint8Array;
  /** Tells it apart from others, and nothing else of it. */
  readonly id: string;
}

export interface TreatFileInput {
  readonly path: string;
  /** Of the new file: Parquet. */
  readonly target: string;
  readonly rules: Readonly<Record<string, PrivacyRule>>;
  /** What the model's features were treated with before: buckets that were learned then stay. */
  readonly known: ReadonlyMap<string, AppliedRule>;
  readonly key: HashKey;
}

/** Production as a reference: the counts of a past period, kept for good, and its raw rows while they are there. */
export interface PeriodStore {
  /**
   * Copies production's profiles of the period (whole hours) to scope `reference:<hash>`, the hash being that of the counts, or made of it by `hashOf`:
   * what is counted later in those hours does not change the reference. No rows, no copy. Segments are copied along.
   */
  freezePeriod(
    model: ModelVersion,
    period: Window,
    hashOf?: (counts: string) => string,
  ): Promise<{ hash: string; rows: number }>;
  /**
   * Raw rows of the period for fitting, in the order of `columns`; of more than `limit` the same sample each time. `stored` is how
   * many there still are.
   */
  sampleRows(
    model: ModelVersion,
    columns: readonly FeatureSchema[],
    period: Window,
    limit: number,
  ): Promise<{ stored: number; rows: { values: FeatureRow['values']; timestampMs: number }[] }>;
  /** The rows of `sampleRows` alone, which costs half. */
  someRows(
    model: ModelVersion,
    columns: readonly FeatureSchema[],
    period: Window,
    limit: number,
  ): Promise<{ values: FeatureRow['values']; timestampMs: number }[]>;
}

export interface QuerySource {
  /**
   * Writes the answer of an operator's SELECT to a Parquet file. It may read the server's tables and views, as the service's database
   * user may, and nothing else. Throws AppError `invalid_request` when it is refused, fails, or when the store is embedded,
   * `payload_too_large` beyond the limits.
   */
  exportQuery(sql: string, path: string): Promise<void>;
}
