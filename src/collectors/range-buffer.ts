import { NestedTooDeep, parseJson } from '../domain/json.js';
import type {
  CallHalf,
  LabelRow,
  Outcome,
  PredictionRow,
  RejectedRow,
  RejectReason,
  RowSource,
} from '../domain/prediction.js';
import { type BorrowedPrediction, type GrowingPredictions, pushBorrowed } from '../domain/row-list.js';
import { messageOf } from '../errors.js';
import { MAX_EVENT_BYTES } from './decode-event.js';
import { cloudEventOf } from './kafka-cloud-event.js';
import type { LogRecord, LogRecords } from './log-source.js';

export type RowKind = 'prediction' | 'label';

/** Turns a record into rows, or says why it cannot be one. Never throws for data. */
export interface RecordDecoders {
  /** Before the records of a batch. */
  readonly begin?: () => void;
  /** `text` is the record as it came, `value` what JSON says it is. At least one outcome. */
  readonly read: (kind: RowKind, value: unknown, text: string, source: RowSource) => readonly Outcome[];
  /** A quick way to the row of a prediction that `read` would accept, overwritten by the next one; null when it cannot tell. */
  readonly quickPrediction?: (value: Buffer, source: RowSource) => BorrowedPrediction | null;
}

export interface WaitingRecords {
  readonly records: LogRecords;
  /** Of them that were taken, and of these that are decoded. */
  readonly count: number;
  decoded: number;
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
  readonly halves: CallHalf[];
  /** What was taken of each fetch and is not decoded yet, in order. */
  readonly waiting: WaitingRecords[];
  /** Of all that was taken. */
  records: number;
  bytes: number;
}

/** How much of an event beyond that bound is kept to recognise it by. */
const KEPT_BYTES = 64 * 1024;

export function createRangeBuffer(start: number, predictions: GrowingPredictions): RangeBuffer {
  const lists = { predictions, labels: [], rejected: [], halves: [], waiting: [] };
  return { start, next: start, ...lists, records: 0, bytes: 0 };
}

/** Takes the first records of a fetch, to be decoded later: they count from now on. */
export function takeRecords(buffer: RangeBuffer, records: LogRecords, count: number): void {
  buffer.waiting.push({ records, count, decoded: 0 });
  buffer.records += count;
  for (let index = 0; index < count; index += 1)
    buffer.bytes += records.bytesAt?.(index) ?? records.at(index)?.value?.length ?? 0;
}

/** Decodes one record into the buffer. Every record ends up in exactly one of its lists. */
export function appendRecord(
  buffer: RangeBuffer,
  kind: RowKind,
  record: LogRecord,
  source: RowSource,
  decoders: RecordDecoders,
): void {
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
  let quick: BorrowedPrediction | null = null;
  let outcomes: readonly Outcome[] = [];
  try {
    const event = cloudEventOf(record);
    if (event === undefined && kind === 'prediction')
      quick = decoders.quickPrediction?.(record.value, source) ?? null;
    if (quick === null) {
      const text = event === undefined ? record.value.toString('utf8') : JSON.stringify(event);
      let value: unknown = event;
      try {
        if (event === undefined) value = parseJson(text);
      } catch (error) {
        if (error instanceof NestedTooDeep) {
          reject('too_deep', error.message);
          return;
        }
        // The engine's message quotes the payload, which may hold personal data.
        reject('malformed_json', 'the record is not JSON: send one JSON event per record');
        return;
      }
      outcomes = decoders.read(kind, value, text, source);
    }
  } catch (error) {
    // A bug in a decoder must not stop the partition for ever, and must not lose the record either.
    reject('unsupported_payload', `the decoder failed, please report this: ${messageOf(error)}`);
    return;
  }
  if (quick !== null) pushBorrowed(buffer.predictions, quick);
  for (const outcome of outcomes) {
    if (outcome.kind === 'prediction') buffer.predictions.push(outcome.row);
    else if (outcome.kind === 'label') buffer.labels.push(outcome.row);
    else if (outcome.kind === 'half') buffer.halves.push(outcome.half);
    else buffer.rejected.push(outcome.row);
  }
}

/**
 * The rows of a buffer that are not among `stored`: offsets, with the row indices stored of each. A record of one row is known by its
 * offset alone, whatever it became.
 */
export function withoutStored(
  buffer: RangeBuffer,
  stored: ReadonlyMap<number, ReadonlySet<number>>,
): RangeBuffer {
  const rowsAt = new Map<number, number>();
  const { predictions, labels, rejected, halves } = buffer;
  for (const rows of [predictions, labels, rejected, halves])
    for (const { source } of rows) rowsAt.set(source.offset, (rowsAt.get(source.offset) ?? 0) + 1);
  // Rows of a record that have an index in common are told apart by their identity, when they are written.
  const shared = new Set<number>();
  for (const rows of [predictions, labels]) {
    const seen = new Set<string>();
    for (const { source, rowIndex } of rows) {
      const place = `${source.offset}/${rowIndex}`;
      if (seen.has(place)) shared.add(source.offset);
      seen.add(place);
    }
  }
  const missing = ({ source, rowIndex = 0 }: { readonly source: RowSource; readonly rowIndex?: number }) => {
    const there = stored.get(source.offset);
    if (there === undefined) return true;
    return (rowsAt.get(source.offset) ?? 0) > 1 && !there.has(rowIndex);
  };
  const isFresh = (row: PredictionRow | LabelRow) => shared.has(row.source.offset) || missing(row);
  return {
    ...buffer,
    predictions: [...predictions].filter(isFresh),
    labels: labels.filter(isFresh),
    rejected: rejected.filter(missing),
    halves: halves.filter((half) => missing({ source: half.source })),
  };
}
