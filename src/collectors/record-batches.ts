import kafkajs from 'kafkajs';
import { crc32c } from './crc32c.js';
import { damaged, FetchedRecords, RecordCursor } from './fetched-records.js';

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
 * The batches of one partition in a fetch, without the records of aborted transactions (read committed). Null when one is of an older
 * format. A batch that was cut off at the end is left for the next fetch. Throws a RangeError for one that is damaged, and
 * what the codec throws.
 */
export async function decodeRecordBatches(
  bytes: Buffer,
  abortedTransactions: readonly AbortedTransaction[],
): Promise<RecordBatchMessage[] | null> {
  const messages: RecordBatchMessage[] = [];
  const records = new FetchedRecords();
  const waiting = [...abortedTransactions].sort((a, b) => a.firstOffset - b.firstOffset);
  const aborted = new Set<bigint>();
  let at = 0;
  while (at + AT.records <= bytes.length) {
    const end = at + BEFORE_LENGTH_ENDS + bytes.readInt32BE(at + AT.length);
    if (bytes.readInt8(at + AT.magic) !== MAGIC) return null;
    if (end > bytes.length) break;
    if (end < at + AT.records) damaged('it is shorter than its header');
    const batch = bytes.subarray(at, end);
    at = end;
    // Brokers do not look at it when they read from their disks: nobody else would notice.
    if (crc32c(batch.subarray(AT.attributes)) !== batch.readUInt32BE(AT.checksum))
      damaged('its checksum does not fit');
    const attributes = batch.readInt16BE(AT.attributes);
    const producerId = batch.readBigInt64BE(AT.producerId);
    const lastOffset = int64At(batch, 0) + batch.readInt32BE(AT.lastOffsetDelta);
    // As Kafka's own consumer does it: whoever has aborted up to here, until its marker.
    for (let next = waiting[0]; next !== undefined && next.firstOffset <= lastOffset; next = waiting[0]) {
      aborted.add(next.producerId);
      waiting.shift();
    }
    const control = (attributes & CONTROL) !== 0;
    const count = batch.readInt32BE(AT.count);
    // Compaction may leave a batch without records, and so nothing that a codec could read.
    if (count > 0 && (control || (attributes & TRANSACTIONAL) === 0 || !aborted.has(producerId))) {
      const packed = await unpacked(batch.subarray(AT.records), attributes & CODEC_BITS);
      const cursor = new RecordCursor(packed, {
        offset: int64At(batch, 0),
        timestampMs: int64At(batch, AT.firstTimestamp),
        writtenMs: (attributes & LOG_APPEND_TIME) !== 0 ? int64At(batch, AT.maxTimestamp) : undefined,
      });
      for (let left = count; left > 0; left -= 1) {
        cursor.next();
        if (!control) records.add(cursor);
        else if (cursor.key?.readInt16BE(2) === ABORT) aborted.delete(producerId);
      }
    }
    messages.push({ offset: String(lastOffset), isControlRecord: false, records });
  }
  return messages;
}

async function unpacked(bytes: Buffer, codec: number): Promise<Buffer> {
  if (codec === 0) return bytes;
  const known = (kafkajs.CompressionCodecs as unknown as Record<number, Codec | undefined>)[codec];
  if (known === undefined) throw new RangeError(`a record batch has an unknown codec, ${codec}`);
  return await known().decompress(bytes);
}
