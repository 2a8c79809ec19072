import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { decodeFetch } from '../../src/collectors/kafka-fetch.js';
import type { LogPartition } from '../../src/collectors/log-source.js';
import type { RecordBatchMessage } from '../../src/collectors/record-batches.js';

const require = createRequire(import.meta.url);
/** kafkajs' own encoder and decoder: what ours must agree with. */
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0');
const Record = require('kafkajs/src/protocol/recordBatch/record/v0');
const Encoder = require('kafkajs/src/protocol/encoder');
const fetchResponse = require('kafkajs/src/protocol/requests/fetch/v11/response');

export interface SampleRecord {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

export interface SampleBatch {
  readonly firstOffset: number;
  readonly lastOffsetDelta: number;
  readonly firstTimestamp: number;
  readonly records: readonly SampleRecord[];
  readonly producerId?: number;
  readonly transactional?: boolean;
  /** A marker that ends a transaction. */
  readonly control?: boolean;
  readonly logAppendTime?: boolean;
  /** Sets the codec alone: the records are to be packed already. */
  readonly codec?: number;
}

const CHECKSUM_AT = 17;
const ATTRIBUTES_AT = 21;
const COUNT_AT = 57;

/** A batch as a log holds it. */
export async function encodeBatch(batch: SampleBatch): Promise<Buffer> {
  const { buffer } = await RecordBatch({
    ...batch,
    maxTimestamp: batch.firstTimestamp + 5_000,
    producerId: batch.producerId ?? -1,
    records: batch.records.map((record) => Record(record)),
  });
  const bytes = Buffer.from(buffer);
  let attributes = bytes.readInt16BE(ATTRIBUTES_AT);
  if (batch.control) attributes |= 0x20;
  if (batch.logAppendTime) attributes |= 0x08;
  bytes.writeInt16BE(attributes, ATTRIBUTES_AT);
  return sealBatch(bytes);
}

/** Writes the checksum of what the batch holds by now. */
export function sealBatch(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(ATTRIBUTES_AT)), CHECKSUM_AT);
  return bytes;
}

/** The same batch with its records packed. */
export function packBatch(bytes: Buffer, codec: number, pack: (records: Buffer) => Buffer): Buffer {
  const header = Buffer.from(bytes.subarray(0, COUNT_AT + 4));
  const packed = pack(bytes.subarray(COUNT_AT + 4));
  header.writeInt16BE(header.readInt16BE(ATTRIBUTES_AT) | codec, ATTRIBUTES_AT);
  header.writeInt32BE(header.length + packed.length - 12, 8);
  return sealBatch(Buffer.concat([header, packed]));
}

export interface SamplePartition {
  readonly partition: number;
  readonly aborted?: readonly { readonly producerId: number; readonly firstOffset: number }[];
  readonly set: Buffer;
}

/** A fetch response v11. */
export function encodeFetch(topicName: string, partitions: readonly SamplePartition[]): Buffer {
  const encoder = new Encoder().writeInt32(7).writeInt16(0).writeInt32(3).writeInt32(1);
  encoder.writeString(topicName).writeInt32(partitions.length);
  for (const { partition, aborted = [], set } of partitions) {
    encoder.writeInt32(partition).writeInt16(0).writeInt64(1_000).writeInt64(900).writeInt64(2);
    encoder.writeInt32(aborted.length);
    for (const { producerId, firstOffset } of aborted) encoder.writeInt64(producerId).writeInt64(firstOffset);
    encoder.writeInt32(-1).writeInt32(set.length).writeBuffer(set);
  }
  return encoder.buffer;
}

export interface KafkajsMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | Buffer[]>>;
}

/** What kafkajs reads in a fetch response. */
export async function decodeWithKafkajs(payload: Buffer): Promise<{
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly messages: readonly KafkajsMessage[] }[];
  }[];
}> {
  return await fetchResponse.decode(payload);
}

/** What we read in it: record batches, and how many single messages of an older format. */
export async function decodeFetched(
  payload: Buffer,
  unreadable: (partition: LogPartition, error: unknown) => void,
) {
  const fetched = await decodeFetch(payload, (one) => fetchResponse.decode(one), unreadable);
  const partitions = fetched.responses.flatMap((topic) =>
    topic.partitions.map(({ partition, messages }) => ({
      partition,
      batches: messages.filter((message): message is RecordBatchMessage => 'records' in message),
      older: messages.filter(
        (message): message is typeof message & KafkajsMessage => !('records' in message),
      ),
    })),
  );
  return { fetched, partitions };
}

/** A message as a log held it before Kafka 0.11. */
export function encodeOlder(offset: number, value: string): Buffer {
  const body = new Encoder()
    .writeInt8(1)
    .writeInt8(0)
    .writeInt64(1_000)
    .writeInt32(-1)
    .writeBytes(value).buffer;
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return new Encoder()
    .writeInt64(offset)
    .writeInt32(body.length + 4)
    .writeBuffer(Buffer.concat([checksum, body])).buffer;
}

/** For tests of one partition: what is wrong with it is thrown. */
export const refusing = (_: LogPartition, error: unknown): never => {
  throw error;
};

/** A record with a value alone. */
export const plain = (value: string, offsetDelta: number) => ({
  offsetDelta,
  timestampDelta: offsetDelta,
  key: null,
  value: Buffer.from(value),
  headers: {},
});
export const batchOf = (firstOffset: number, values: readonly string[], more: Partial<SampleBatch> = {}) =>
  encodeBatch({
    firstOffset,
    firstTimestamp: 1_000,
    lastOffsetDelta: values.length - 1,
    records: values.map(plain),
    ...more,
  });
