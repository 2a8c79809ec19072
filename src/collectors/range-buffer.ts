import type {
  LabelRow,
  Outcome,
  PredictionRow,
  RejectedRow,
  RejectReason,
  RowSource,
} from '../domain/prediction.js';
import type { GrowingPredictions } from '../domain/row-list.js';
import { messageOf } from '../errors.js';
import { MAX_EVENT_BYTES } from './decode-event.js';
import type { LogRecord } from './log-source.js';

export type RowKind = 'prediction' | 'label';

/** Turns a record into rows, or says why it cannot be one. Never throws for data. */
export interface RecordDecoders {
  /** `text` is the record as it came, `value` what JSON says it is. At least one outcome. */
  readonly read: (kind: RowKind, value: unknown, text: string, source: RowSource) => readonly Outcome[];
  /** A quick way to the row of a prediction that `read` would accept; null when it cannot tell. */
  readonly quickPrediction?: (value: Buffer, source: RowSource) => PredictionRow | null;
}

/** Rows of one contiguous range of offsets of one partition. */
export interface RangeBuffer {
  /** First offset of the range. */
  readonly start: number;
  /** The position after the last record. */
  next: number;
  readonly predictions: GrowingPredictions;
  readonly labels: LabelRow[];
  readonly rejected: RejectedRow[];
  records: number;
  bytes: number;
}

/** How much of an event beyond that bound is kept to recognise it by. */
const KEPT_BYTES = 64 * 1024;

export function createRangeBuffer(start: number, predictions: GrowingPredictions): RangeBuffer {
  return { start, next: start, predictions, labels: [], rejected: [], records: 0, bytes: 0 };
}

/** Decodes one record into the buffer. Every record ends up in exactly one of its three lists. */
export function appendRecord(
  buffer: RangeBuffer,
  kind: RowKind,
  record: LogRecord,
  source: RowSource,
  decoders: RecordDecoders,
): void {
  buffer.records += 1;
  buffer.bytes += record.value?.length ?? 0;
  const reject = (reason: RejectReason, detail: string, model = '') => {
    const payload = record.value?.toString('utf8', 0, reason === 'too_large' ? KEPT_BYTES : undefined) ?? '';
    buffer.rejected.push({ kind, reason, detail, payload, model, rowIndex: 0, source });
  };
  if (record.value === null) {
    reject('unsupported_payload', 'the record has no value: a tombstone means nothing here, send an event');
    return;
  }
  if (record.value.length > MAX_EVENT_BYTES) {
    reject('too_large', `the event has ${record.value.length} bytes, at most ${MAX_EVENT_BYTES} are taken`);
    return;
  }
  const quick = kind === 'prediction' ? (decoders.quickPrediction?.(record.value, source) ?? null) : null;
  if (quick !== null) {
    buffer.predictions.push(quick);
    return;
  }
  const text = record.value.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The engine's message quotes the payload, which may hold personal data.
    reject('malformed_json', 'the record is not JSON: send one JSON event per record');
    return;
  }
  try {
    for (const outcome of decoders.read(kind, value, text, source)) {
      if (outcome.kind === 'prediction') buffer.predictions.push(outcome.row);
      else if (outcome.kind === 'label') buffer.labels.push(outcome.row);
      else if (outcome.kind === 'rejected') buffer.rejected.push(outcome.row);
    }
  } catch (error) {
    // A bug in a decoder must not stop the partition for ever, and must not lose the record either.
    reject('unsupported_payload', `the decoder failed, please report this: ${messageOf(error)}`);
  }
}

/** The rows of a buffer whose offsets are not among `stored`. */
export function withoutOffsets(buffer: RangeBuffer, stored: ReadonlySet<number>): RangeBuffer {
  const missing = (row: { readonly source: RowSource }) => !stored.has(row.source.offset);
  return {
    ...buffer,
    predictions: [...buffer.predictions].filter(missing),
    labels: buffer.labels.filter(missing),
    rejected: buffer.rejected.filter(missing),
  };
}
