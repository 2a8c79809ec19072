/** Where a row came from: enough to audit every offset. HTTP and file rows have partition -1 and offset -1. */
export interface RowSource {
  /** `http`, `file` or `kafka`. */
  readonly kind: string;
  /** Kafka topic (with its epoch), file name, or empty. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * Values by name, in the order they came; no name twice. `values[i]` belongs to `names[i]`. Rows of one form share their
 * `names`, so that a row takes little memory and a name is looked up once for many rows.
 */
export interface Named<Value> {
  readonly names: readonly string[];
  readonly values: readonly Value[];
}

/** Of any kind of values. */
export const NO_VALUES: Named<never> = { names: [], values: [] };

/**
 * One scored row. A feature that is null or absent is in neither `numeric` nor `categorical`; a numeric feature that arrived
 * as text is in `categorical`.
 */
export interface PredictionRow {
  readonly model: string;
  readonly modelVersion: string;
  readonly predictionId: string;
  /** Position inside a batch that shares one id; 0 otherwise. */
  readonly rowIndex: number;
  /** Event time, ms since the epoch, UTC. */
  readonly timestampMs: number;
  /** May hold ±Infinity (1e400 in JSON): kept and counted, never averaged. */
  readonly numeric: Named<number>;
  readonly categorical: Named<string>;
  readonly prediction: number | string | null;
  /** P(positive) for binary tasks, else null. */
  readonly proba: number | null;
  /** Class → probability for multiclass tasks, else empty. */
  readonly probas: Named<number>;
  readonly latencyMs: number | null;
  readonly tags: Named<string>;
  readonly source: RowSource;
}

/** Ground truth for one prediction. A later label for the same prediction corrects the earlier one. */
export interface LabelRow {
  readonly model: string;
  readonly modelVersion: string;
  readonly predictionId: string;
  readonly rowIndex: number;
  readonly timestampMs: number;
  readonly label: number | string;
  readonly source: RowSource;
}

/** Stable codes: they are metric labels, table values and part of the HTTP answer. Documented in docs/errors.md. */
export const REJECT_REASONS = [
  'malformed_json',
  'not_an_object',
  'missing_field',
  'invalid_field',
  'unknown_model',
  'missing_id',
  'invalid_timestamp',
  'future_timestamp',
  'ancient_timestamp',
  'too_many_features',
  'too_large',
  'too_deep',
  'unsupported_payload',
  'unmapped',
  'unpaired',
] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

/** A row that could not be accepted, kept with the reason so that it can be repaired and driven in again. */
export interface RejectedRow {
  readonly kind: 'prediction' | 'label';
  readonly reason: RejectReason;
  /** What is wrong and what to do, without values from the payload beyond the field's name. */
  readonly detail: string;
  /** The payload as received, bounded in size. */
  readonly payload: string;
  /** Model named by the payload if it could be read, else empty. */
  readonly model: string;
  /** Position of the row inside its message or body. */
  readonly rowIndex: number;
  readonly source: RowSource;
}

/**
 * One side of an inference call whose serving system sends request and answer in two messages: kept until the other side comes.
 */
export interface CallHalf {
  /** Equal for both sides of a call: who logged it, and the call's id. */
  readonly call: string;
  readonly side: 'request' | 'response';
  /** When it was logged, ms since the epoch, UTC. */
  readonly timestampMs: number;
  /** Name that the serving system has for the model. */
  readonly model: string;
  /** The message as JSON, headers and all. */
  readonly payload: string;
  readonly source: RowSource;
}

/** What one message, or one row of it, became. */
export type Outcome =
  | { readonly kind: 'prediction'; readonly row: PredictionRow }
  | { readonly kind: 'label'; readonly row: LabelRow }
  | { readonly kind: 'half'; readonly half: CallHalf }
  | { readonly kind: 'rejected'; readonly row: RejectedRow };

/** What became of the rows of one body or batch. `received = accepted + duplicate + rejected + erased`, always. */
export interface IngestCounts {
  readonly received: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: number;
  /** Not stored, as they were erased before; left out when there are none. */
  readonly erased?: number;
}
