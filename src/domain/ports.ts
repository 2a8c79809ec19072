import type { SnapshotStore } from './backup.js';
import type { Episode } from './episode.js';
import type { EpisodeActionStore } from './episode-action.js';
import type { ErasureStore } from './erasure.js';
import type { ErrorStreamStore } from './error-stream.js';
import type { FeedbackStore } from './feedback.js';
import type { CallHalfStore, RejectedStore } from './kept-ports.js';
import type { LeaseStore } from './lease.js';
import type { FeatureSchema, ModelVersion } from './model.js';
import type { ReferenceSampleStore } from './multivariate.js';
import type { OutboxStore } from './outbox-ports.js';
import type { OutlierStore } from './outlier-ports.js';
import type { PerformanceStore } from './performance.js';
import type { IngestCounts } from './prediction.js';
import type { AppliedRule } from './privacy.js';
import type { Grid, Profile } from './profile.js';
import type { Reference, ReferenceChange, ReferenceSummary } from './reference.js';
import type { PeriodStore, QuerySource, SegmentStore, TreatFileInput } from './reference-ports.js';
import type { ReportStore } from './report.js';
import type { RetrainingStore } from './retraining.js';
import type { LogAuditStore, RowStore } from './row-ports.js';
import type { UndeclaredFeature } from './schema-changes.js';
import type { Segment } from './segment.js';
import type { StoredPolicyStore } from './stored-policy.js';
import type { Verdict, WindowOutcome } from './verdict.js';
import type { VersionPairStore } from './version-comparison.js';
import type { Bucket, Window } from './window.js';

export type { OutboxStore } from './outbox-ports.js';
export type { LogAuditStore, RowBatch, RowStore } from './row-ports.js';

export interface VersionKey {
  readonly model: string;
  readonly modelVersion: string;
}

export interface ModelStore {
  saveModel(model: ModelVersion): Promise<void>;
  listModels(): Promise<ModelVersion[]>;
  saveGrids(model: string, grids: readonly Grid[]): Promise<void>;
  listGrids(model: string): Promise<Grid[]>;
  /** Saves the reference and makes it the version's current one. */
  saveReference(reference: Reference): Promise<void>;
  currentReference(key: VersionKey): Promise<Reference | null>;
  /** One of the version's references, current or not. */
  findReference(key: VersionKey & { hash: string }): Promise<Reference | null>;
  /** All references of the version, the current one first, then by the time they were last current. */
  listReferences(key: VersionKey): Promise<ReferenceSummary[]>;
  /**
   * Removes all that is stored of a model, its registration first. Repeatable: a crash half-way is mended by another call.
   * With `keepRows` predictions, labels and rejected rows stay. Returns how many stored rows there were, by table.
   */
  deleteModel(model: string, options?: { keepRows?: boolean }): Promise<Record<string, number>>;
  saveReferenceChange(change: ReferenceChange): Promise<void>;
  /** Newest first. */
  listReferenceChanges(key: VersionKey): Promise<ReferenceChange[]>;
}

/** Whose rows a profile counts: `production`, or `reference:<hash>`; with a segment as `segmentScope` writes it. */
export type ProfileScope = string;
export const PRODUCTION: ProfileScope = 'production';

export interface ProfileQuery extends VersionKey {
  readonly scope: ProfileScope;
  /** All of the model's columns when left out. */
  readonly features?: readonly string[];
}

/**
 * Unprofiled work: hour buckets of one version whose stored rows are more than the profiled ones. The version's newest hour, which
 * still fills, may lag behind by a tenth of its rows for some minutes.
 */
export interface DirtyBuckets extends VersionKey {
  readonly hourStartsMs: readonly number[];
}

export interface ProfileStore {
  /** Oldest and newest event time stored for each version, ms. Versions without rows are absent. */
  watermarks(): Promise<(VersionKey & { firstEventMs: number; watermarkMs: number; rows: number })[]>;
  /**
   * Hours with more stored rows than counted ones. A version's newest hour may wait for more, unless it ends by `settledMs`:
   * then the clock lets windows that hold it be judged.
   */
  dirtyBuckets(settledMs?: number): Promise<DirtyBuckets[]>;
  /** Recounts the hours from raw rows and replaces their profiles whole, then the days that hold them. Idempotent. */
  profileHours(model: ModelVersion, hourStartsMs: readonly number[]): Promise<void>;
  /**
   * Recounts the labels of hours that are counted already and have got new or other labels since. Returns those hours, for each
   * version. Idempotent.
   */
  profileLabels(models: readonly ModelVersion[]): Promise<DirtyBuckets[]>;
  /**
   * Features in the counted hours of a period that the version does not declare, the most frequent first; of an hour with more the hundred
   * most frequent.
   */
  undeclaredFeatures(model: ModelVersion, period: Window): Promise<UndeclaredFeature[]>;
  /** One merged profile per column over the buckets; columns without rows are absent. */
  mergedProfiles(query: ProfileQuery, buckets: readonly Bucket[]): Promise<Profile[]>;
  /**
   * One set of profiles per window-long piece of the scope that holds rows, in time order; used for null models. Of more than
   * `limit` pieces (400 by default) so many are taken, spread evenly: all together would not fit into memory.
   */
  pieceProfiles(
    query: ProfileQuery,
    pieceMs: number,
    limit?: number,
  ): Promise<{ window: Window; profiles: Profile[] }[]>;
  /** The profiles of each window, which must be whole hours and not overlap; in order, those without rows left out. */
  windowProfiles(
    query: ProfileQuery,
    windows: readonly Window[],
  ): Promise<{ window: Window; profiles: Profile[] }[]>;
  /**
   * Production's, or a reference's, pieces of `pieceMs` from the start of a period on; in order, those without rows left out. Without
   * offsets, which only descriptive detectors use: made for reading a year of hours, of which a few days at a time are in memory: less
   * where so many series are `abreast`.
   */
  profileSeries(
    query: ProfileQuery,
    period: Window,
    pieceMs: number,
    abreast?: number,
  ): AsyncIterable<{ window: Window; profiles: Profile[] }>;
}

export interface RunRecord extends VersionKey {
  readonly window: Window;
  readonly referenceHash: string;
  readonly status: 'judged' | 'no_data' | 'skipped';
  /** Rows that the judgement was made from: more rows now means judge again. */
  readonly rows: number;
  /** Of these, rows with a label; 0 when left out. */
  readonly labels?: number;
  readonly atMs: number;
}

export interface VerdictStore {
  /** Replaces the window's verdicts whole. */
  saveVerdicts(verdicts: readonly Verdict[]): Promise<void>;
  /** Replaces the volume verdicts of windows; their others stay. */
  reviseVerdicts(volumes: readonly Verdict[]): Promise<void>;
  listVerdicts(
    query: VersionKey & {
      window: Window;
      feature?: string;
      detector?: string;
      role?: Verdict['role'];
      /** Verdicts about whole windows when left out, of one segment, or of every segment. */
      segment?: Segment | 'every';
      limit?: number;
    },
  ): Promise<Verdict[]>;
  saveRun(run: RunRecord): Promise<void>;
  /** Runs of a version whose windows end in (afterMs, untilMs], by window end. */
  listRuns(key: VersionKey, afterMs: number, untilMs: number): Promise<RunRecord[]>;
  /** Profiled rows per window, to see which judged windows have grown. */
  profiledRows(key: VersionKey, windows: readonly Window[]): Promise<number[]>;
  /** Of these, rows with a label. */
  labelledRows(key: VersionKey, windows: readonly Window[]): Promise<number[]>;
  saveOutcomes(outcomes: readonly WindowOutcome[]): Promise<void>;
  /** The last `limit` outcomes of a category up to and including a window, oldest first. */
  recentOutcomes(
    key: VersionKey & {
      category: string;
      untilMs: number;
      limit: number /** Undecided ones too by default. */;
      decided?: true;
    },
  ): Promise<WindowOutcome[]>;
  /** Windows that overlap the period and were judged drifted in `drift` or `dataQuality`, by end. */
  breachedWindows(key: VersionKey, period: Window): Promise<Window[]>;
}

export interface EpisodeStore {
  /**
   * With `after`, the stored episode that this one was decided from (null: none of its id), nothing is stored when another process stored
   * something else in its place meanwhile; then false.
   */
  saveEpisode(episode: Episode, after?: Episode | null): Promise<boolean>;
  listEpisodes(query: { model?: string; state?: 'open' | 'closed'; limit: number }): Promise<Episode[]>;
  /** Null where the model has none of this id. */
  findEpisode(key: { model: string; id: string }): Promise<Episode | null>;
  /** The newest episode of a version and category, open or closed. */
  latestEpisode(key: VersionKey & { category: string }): Promise<Episode | null>;
}

/** A row as the isolation forest sees it, in the order of the model's columns; null is missing. */
export interface FeatureRow {
  readonly predictionId: string;
  readonly rowIndex: number;
  readonly timestampMs: number;
  readonly ingestedAtMs: number;
  readonly values: readonly (number | string | null)[];
}

export interface ReferenceReader {
  /** Column names and kinds of a Parquet, CSV or NDJSON file, read by the engine; `times` where all values are times. */
  describeFile(
    path: string,
  ): Promise<{ name: string; type: string; distinct: number; rows: number; times: boolean }[]>;
  /** Counts a reference file on the grids into hour profiles of scope `reference:<hash>` (one bucket without timestamps). */
  importReference(input: {
    readonly path: string;
    readonly model: ModelVersion;
    readonly grids: readonly Grid[];
    readonly hash: string;
    readonly timestampColumn: string | null;
    /** The class that a binary model's probability is of; `1` when left out. Where the file has labels, predictions are counted against them. */
    readonly positiveClass?: string;
    /** Only rows with this value of a feature are counted, into the segment's scope. */
    readonly segment?: Segment;
  }): Promise<{ rows: number; period: Window | null }>;
  /** Ordered distinct values, or order statistics, for a new grid. */
  buildGrids(path: string, model: ModelVersion): Promise<Grid[]>;
  /**
   * Rows of the file for fitting, in the order of `columns`, with their event time where the file has it; of more than `limit` the
   * same sample each time.
   */
  readRows(
    path: string,
    columns: readonly FeatureSchema[],
    timestampColumn: string | null,
    limit: number,
  ): Promise<{ values: FeatureRow['values']; timestampMs: number | null }[]>;
  /**
   * Writes a reference anew with its columns treated as rows are when they come in, so that both compare. Gives the rules as they were
   * applied, by column; those that are dropped are in none. Throws invalid_reference for a rule that does not fit its column.
   */
  treatFile(input: TreatFileInput): Promise<ReadonlyMap<string, AppliedRule>>;
}

export interface Totals extends IngestCounts {
  readonly labels: number;
  readonly labelsMatched: number;
}

export interface StatsStore {
  totals(): Promise<{ predictions: number; labels: number; labelsMatched: number; rejected: number }>;
}

export interface Store
  extends RowStore,
    LogAuditStore,
    CallHalfStore,
    RejectedStore,
    ModelStore,
    ErasureStore,
    SnapshotStore,
    ProfileStore,
    VerdictStore,
    EpisodeStore,
    EpisodeActionStore,
    StoredPolicyStore,
    FeedbackStore,
    RetrainingStore,
    ReportStore,
    ErrorStreamStore,
    OutboxStore,
    LeaseStore,
    OutlierStore,
    PerformanceStore,
    VersionPairStore,
    ReferenceReader,
    PeriodStore,
    ReferenceSampleStore,
    SegmentStore,
    QuerySource,
    StatsStore {
  migrate(): Promise<{ applied: string[] }>;
  /** Engine version, tables, deduplication windows and free disk; throws what is wrong. */
  check(): Promise<{ engine: string; checks: { name: string; ok: boolean; detail: string }[] }>;
  ping(): Promise<void>;
  /** Throws store_unavailable, with what to do, while it does not answer or does not take rows. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** The part of a structured logger that the rooms use. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}
