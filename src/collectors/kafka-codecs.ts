import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import kafkajs from 'kafkajs';
import { uncompress } from 'snappyjs';
import { decodeLz4Frames } from './lz4-frame.js';
import { withModestWindows } from './zstd-frame.js';

/** A fetch holds at most a few MiB; a batch that unpacks to more than this is a bomb or damaged. */
export const MAX_BATCH_BYTES = 128 * 1024 * 1024;

/** snappy-java's framing, used by the Java client: magic, two versions, then blocks with a length before each. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;

function limitError(codec: string): RangeError {
  return new RangeError(`a ${codec} batch unpacks to more than ${MAX_BATCH_BYTES} bytes`);
}

export function decodeSnappy(data: Buffer): Buffer {
  if (!data.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return uncompress(data, MAX_BATCH_BYTES);
  const blocks: Buffer[] = [];
  let total = 0;
  let at = XERIAL_HEADER_BYTES;
  while (at + 4 <= data.length) {
    const length = data.readUInt32BE(at);
    at += 4;
    const block = uncompress(data.subarray(at, at + length), MAX_BATCH_BYTES - total);
    total += block.length;
    blocks.push(block);
    at += length;
  }
  return Buffer.concat(blocks, total);
}

/** Streamed: a frame need not say how long it is (the Java client's do not), and its claim is not to be trusted. */
export function decodeZstd(data: Buffer): Buffer {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const stream = new Decompress((chunk) => {
    total += chunk.length;
    if (total > MAX_BATCH_BYTES) throw limitError('zstd');
    // The decoder reuses its window.
    chunks.push(Uint8Array.from(chunk));
  });
  stream.push(withModestWindows(data), true);
  return Buffer.concat(chunks, total);
}

const decodeGzip = (data: Buffer): Promise<Buffer> =>
  promisify(gunzip)(data, { maxOutputLength: MAX_BATCH_BYTES });

const readOnly = (name: string, decompress: (data: Buffer) => Buffer | Promise<Buffer>) => () => ({
  compress: () => Promise.reject(new TypeError(`${name}: this service only reads from Kafka`)),
  decompress: async (data: Buffer) => await decompress(data),
});

/** Makes kafkajs read every codec that Kafka knows. kafkajs keeps its codecs in one table for the whole process. */
export function registerKafkaCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  CompressionCodecs[CompressionTypes.GZIP] = readOnly('gzip', decodeGzip);
  CompressionCodecs[CompressionTypes.Snappy] = readOnly('snappy', decodeSnappy);
  CompressionCodecs[CompressionTypes.LZ4] = readOnly('lz4', (data) => decodeLz4Frames(data, MAX_BATCH_BYTES));
  CompressionCodecs[CompressionTypes.ZSTD] = readOnly('zstd', decodeZstd);
}
