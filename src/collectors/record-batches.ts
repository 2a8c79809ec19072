import { crc32c } from '@node-rs/crc32';
import kafkajs from 'kafkajs';
import { damaged, FetchedRecords, RecordCursor } from './fetched-records.js';
import { isOlder } from './older-messages.js';

/**
 * A record batch as one message of kafkajs, which for each message makes several objects and compares offsets as big integers: that took
 * more processor time than reading the events. kafkajs looks at `offset` and `isControlRecord` only.
 */
export interface RecordBatchMessage {
  /** Of the last record that the batch was written with, whether it is still there or not. */
  readonly offset: string;
  readonly isControlRecord: false;
  /**
   * Of this batch and all others of the partition in the fetch, the same for each of them. None are of control batches or aborted
   * transactions. They may begin before the offset that was asked for.
   */
  readonly records: FetchedRecords;
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** Of the message format 2 (Kafka 0.11 and later), https://kafka.apache.org/documentation/#recordbatch. */
const MAGIC = 2;
const AT = {
  length: 8,
  magic: 16,
  /** Of all that follows it. */
  checksum: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  count: 57,
  records: 61,
} as const;
/** The length of a batch counts what comes behind it. */
const BEFORE_LENGTH_ENDS = 12;
const CODEC_BITS = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
/** Second number of a control record's key. */
const ABORT = 0;

type Codec = () => { readonly decompress: (data: Buffer) => Promise<Buffer> };

/** Offsets and times are exact: far below 2^53. */
export function int64At(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}

/**
 * The batches of one partition in a fetch, without the records of aborted transactions (read committed). Null when the first is of an older
 * format. Behind others, a batch that was cut off, cannot be read, or is of an older format is left for the next fetch. As the first of
 * all it throws: a RangeError where it is damaged, else what its codec throws. (No broker that is asked in this version cuts off the first.)
 */
export async function decodeRecordBatches(
  bytes: Buffer,
  abortedTransactions: readonly AbortedTransaction[],
): Promise<RecordBatchMessage[] | null> {
  const messages: RecordBatchMessage[] = [];
  const records = new FetchedRecords();
  const transactions = createAbortedTransactions(abortedTransactions);
  let at = 0;
  /** Of the batch before, and how many records were there before it. */
  let last = { offset: -1, known: 0 };
  while (at < bytes.length) {
    const known = records.length;
    try {
      const batch = batchAt(bytes, at);
      if (batch === null && messages.length === 0) return null;
      if (batch === null) break;
      if (int64At(batch, 0) <= last.offset) {
        // Checksums leave out where a batch begins: either of the two is wrong, and what is stored under wrong offsets hides others.
        messages.pop();
        records.cut(last.known);
        if (messages.length === 0) damaged('its offsets do not fit to those of the next one');
        break;
      }
      const offset = await readBatch(batch, records, transactions);
      messages.push({ offset: String(offset), isControlRecord: false, records });
      last = { offset, known };
      at += batch.length;
    } catch (error) {
      if (messages.length === 0) throw error;
      records.cut(known);
      break;
    }
  }
  return messages;
}

/** The bytes of one batch; null where it is of an older format. Throws a RangeError where they are not all there. */
function batchAt(bytes: Buffer, at: number): Buffer | null {
  if (at + AT.magic < bytes.length) {
    const magic = bytes.readInt8(at + AT.magic);
    if (isOlder(magic)) return null;
    if (magic !== MAGIC) damaged(`its format is unknown, ${magic}`);
  }
  const end =
    at + AT.length + 4 > bytes.length
      ? Infinity
      : at + BEFORE_LENGTH_ENDS + bytes.readInt32BE(at + AT.length);
  if (end > bytes.length) damaged('it ends before it should');
  if (end < at + AT.records) damaged('it is shorter than its header');
  return bytes.subarray(at, end);
}

/** Adds the records of one batch; gives its last offset. */
async function readBatch(
  batch: Buffer,
  records: FetchedRecords,
  transactions: ReturnType<typeof createAbortedTransactions>,
): Promise<number> {
  // Brokers do not look at it when they read from their disks: nobody else would notice.
  if (crc32c(batch.subarray(AT.attributes)) !== batch.readUInt32BE(AT.checksum))
    damaged('its checksum does not fit');
  const attributes = batch.readInt16BE(AT.attributes);
  const producerId = batch.readBigInt64BE(AT.producerId);
  const lastOffset = int64At(batch, 0) + batch.readInt32BE(AT.lastOffsetDelta);
  transactions.goTo(lastOffset);
  const control = (attributes & CONTROL) !== 0;
  const count = batch.readInt32BE(AT.count);
  const isAborted = (attributes & TRANSACTIONAL) !== 0 && transactions.isAborted(producerId);
  // Compaction may leave a batch without records, and so nothing that a codec could read.
  if (count === 0 || (!control && isAborted)) return lastOffset;
  const packed = await unpacked(batch.subarray(AT.records), attributes & CODEC_BITS);
  const cursor = new RecordCursor(packed, {
    offset: int64At(batch, 0),
    timestampMs: int64At(batch, AT.firstTimestamp),
    writtenMs: (attributes & LOG_APPEND_TIME) !== 0 ? int64At(batch, AT.maxTimestamp) : undefined,
  });
  for (let left = count; left > 0; left -= 1) {
    cursor.next();
    if (!control) records.add(cursor);
    else if (cursor.key?.readInt16BE(2) === ABORT) transactions.ended(producerId);
  }
  return lastOffset;
}

/** As Kafka's own consumer does it: whoever has aborted up to an offset, until its marker. */
function createAbortedTransactions(all: readonly AbortedTransaction[]) {
  const waiting = [...all].sort((a, b) => a.firstOffset - b.firstOffset);
  const aborted = new Set<bigint>();
  return {
    goTo(offset: number): void {
      for (let next = waiting[0]; next !== undefined && next.firstOffset <= offset; next = waiting[0]) {
        aborted.add(next.producerId);
        waiting.shift();
      }
    },
    isAborted: (producerId: bigint) => aborted.has(producerId),
    ended: (producerId: bigint) => aborted.delete(producerId),
  };
}

async function unpacked(bytes: Buffer, codec: number): Promise<Buffer> {
  if (codec === 0) return bytes;
  const known = (kafkajs.CompressionCodecs as unknown as Record<number, Codec | undefined>)[codec];
  if (known === undefined) throw new RangeError(`a record batch has an unknown codec, ${codec}`);
  return await known().decompress(bytes);
}
