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
