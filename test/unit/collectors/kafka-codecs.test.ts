import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import {
  decodeSnappy,
  decodeZstd,
  MAX_BATCH_BYTES,
  registerKafkaCodecs,
} from '../../../src/collectors/kafka-codecs.js';
import { decodeLz4Frames } from '../../../src/collectors/lz4-frame.js';

/** Made by test/oracle/codecs.py with the codecs' own tools. */
const oracle: { bytes: number; sha256: string; packed: Record<string, string> } = JSON.parse(
  readFileSync('test/oracle/codecs.json', 'utf8'),
);
const packed = (name: string) => Buffer.from(oracle.packed[name] ?? '', 'base64');
const decoders: Record<string, (data: Buffer) => Buffer> = {
  lz4: (data) => decodeLz4Frames(data, MAX_BATCH_BYTES),
  zstd: decodeZstd,
  snappy: decodeSnappy,
};
const decoderOf = (name: string) => {
  const decode = decoders[name.split(' ')[0] ?? ''];
  if (decode === undefined) throw new TypeError(`no decoder for ${name}`);
  return decode;
};

/** A zstd frame of blocks that repeat one byte (RFC 8878); `descriptor`: its window, or its content's size in 8 bytes. */
function repeated(byte: number, sizes: readonly number[], descriptor: number | bigint): Buffer {
  const head = Buffer.alloc(typeof descriptor === 'number' ? 6 : 13);
  head.writeUInt32LE(0xfd2fb528);
  head[4] = typeof descriptor === 'number' ? 0 : 0xe0;
  if (typeof descriptor === 'number') head[5] = descriptor;
  else head.writeBigUInt64LE(descriptor, 5);
  const blocks = sizes.map((size, index) => {
    const block = Buffer.alloc(4, byte);
    block.writeUIntLE((size << 3) | 2 | Number(index === sizes.length - 1), 0, 3);
    return block;
  });
  return Buffer.concat([head, ...blocks]);
}
const WINDOW_2_GIB = 21 << 3;
const WINDOW_128_MIB = 17 << 3;

describe('codecs', () => {
  it.each(Object.keys(oracle.packed))('unpack %s', (name) => {
    const plain = decoderOf(name)(packed(name));
    expect(plain.length).toBe(oracle.bytes);
    expect(createHash('sha256').update(plain).digest('hex')).toBe(oracle.sha256);
  });

  it('unpack frames one behind the other', () => {
    const twice = Buffer.concat([packed('lz4'), packed('lz4')]);
    expect(decodeLz4Frames(twice, MAX_BATCH_BYTES).length).toBe(2 * oracle.bytes);
  });

  it("unpack the Java client's framing of snappy", () => {
    const header = Buffer.from('82534e4150505900' + '00000001' + '00000001', 'hex');
    const block = packed('snappy');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    const framed = Buffer.concat([header, length, block, length, block]);
    expect(decodeSnappy(framed).length).toBe(2 * oracle.bytes);
  });

  it('give a zstd frame no larger window than what it unpacks to, also behind others', () => {
    const data = Buffer.concat([
      repeated(7, [1_000, 131_072], WINDOW_2_GIB),
      Buffer.from('502a4d1803000000aabbcc', 'hex'),
      repeated(8, [5], 0),
      repeated(9, [3], 3n),
    ]);
    const before = process.memoryUsage().arrayBuffers;
    const plain = decodeZstd(data);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 ** 2);
    expect(
      plain.equals(Buffer.concat([Buffer.alloc(132_072, 7), Buffer.alloc(5, 8), Buffer.alloc(3, 9)])),
    ).toBe(true);
    expect(decodeZstd(Buffer.concat([packed('zstd'), packed('zstd')])).length).toBe(2 * oracle.bytes);
  });

  it.each([
    [
      'a window that would be moved for minutes',
      repeated(1, Array(1_016).fill(131_072), WINDOW_128_MIB),
      /too long/,
    ],
    ['a size that its blocks cannot have', repeated(1, [10], 2_000_000_000n), /claims more/],
    ['no end', repeated(1, [10], 0).subarray(0, 8), /ends in the middle/],
    ['a block that is cut', packed('zstd').subarray(0, 500), /ends in the middle/],
    ['another magic', Buffer.alloc(20, 1), /no zstd frame/],
  ])('refuse a zstd frame with %s', (_what, data, reason) => {
    expect(() => decodeZstd(data)).toThrow(reason);
  });

  it('stop at the limit', () => {
    expect(() => decodeLz4Frames(packed('lz4'), oracle.bytes - 1)).toThrow(RangeError);
    expect(decodeLz4Frames(packed('lz4'), oracle.bytes).length).toBe(oracle.bytes);
  });

  it('never read or write out of bounds on damaged data', () => {
    const whole = packed('lz4 linked blocks, content size, block checksums');
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, end) => {
        const damaged = Buffer.from(whole.subarray(0, end));
        if (at < damaged.length) damaged[at] = byte;
        try {
          return decodeLz4Frames(damaged, 1_000_000).length <= 1_000_000;
        } catch (error) {
          return error instanceof RangeError;
        }
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  it('are registered with kafkajs, with a limit on gzip too', async () => {
    registerKafkaCodecs();
    const { CompressionCodecs, CompressionTypes } = kafkajs;
    const bomb = gzipSync(Buffer.alloc(MAX_BATCH_BYTES + 1));
    await expect(CompressionCodecs[CompressionTypes.GZIP]().decompress(bomb)).rejects.toThrow(
      /larger than 134217728 bytes/,
    );
    expect((await CompressionCodecs[CompressionTypes.ZSTD]().decompress(packed('zstd'))).length).toBe(
      oracle.bytes,
    );
    await expect(CompressionCodecs[CompressionTypes.LZ4]().compress()).rejects.toThrow(/only reads/);
  });
});
