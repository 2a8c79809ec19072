import { describe, expect, test } from '@jest/globals';
import { readNativeBlocks } from '../../../src/store/native-columns.js';

const text = (value: string) => Buffer.from([value.length, ...Buffer.from(value)]);

function block(values: readonly number[], groups: readonly number[], type = 'Float64'): Buffer {
  return Buffer.concat([
    Buffer.from([2, values.length]),
    text('value'),
    text(type),
    Buffer.from(Float64Array.from(values).buffer),
    text('g'),
    text('UInt32'),
    Buffer.from(Uint32Array.from(groups).buffer),
  ]);
}

/** Each block's arrays are copied before the next one overwrites them. */
const read = (bytes: Uint8Array) => {
  const blocks: unknown[] = [];
  for (const block of readNativeBlocks(bytes)) blocks.push(block.map((column) => column.slice()));
  return blocks;
};

describe('readNativeBlocks', () => {
  test('gives the blocks of a result one by one, at any alignment, without empty ones', () => {
    const bytes = Buffer.concat([
      block([1.5, Number.NaN], [1, 2]),
      block([], []),
      block([-3], [4_294_967_295]),
    ]);
    expect(read(bytes)).toEqual([
      [Float64Array.of(1.5, Number.NaN), Uint32Array.of(1, 2)],
      [Float64Array.of(-3), Uint32Array.of(4_294_967_295)],
    ]);
  });

  test('gives arrays as their ends and their values', () => {
    const arrays = Buffer.concat([
      Buffer.from([1, 3]),
      text('a'),
      text('Array(Float64)'),
      Buffer.from(BigUint64Array.of(2n, 2n, 3n).buffer),
      Buffer.from(Float64Array.of(0.5, 1, 7).buffer),
    ]);
    const none = Buffer.concat([
      Buffer.from([1, 1]),
      text('a'),
      text('Array(UInt32)'),
      Buffer.from(BigUint64Array.of(0n).buffer),
    ]);
    expect(read(Buffer.concat([arrays, arrays]))).toEqual([
      [Uint32Array.of(2, 2, 3), Float64Array.of(0.5, 1, 7)],
      [Uint32Array.of(2, 2, 3), Float64Array.of(0.5, 1, 7)],
    ]);
    expect(read(none)).toEqual([[Uint32Array.of(0), new Uint32Array(0)]]);
    expect(() => read(arrays.subarray(0, -1))).toThrow('ends in the middle of 24 more');
    expect(() => read(arrays.subarray(0, 30))).toThrow('ends in the middle');
  });

  test('gives nothing for an empty result', () => {
    expect(read(new Uint8Array(0))).toEqual([]);
  });

  test('refuses what it cannot read, rather than guess', () => {
    expect(() => read(block([1], [1], 'Nullable(Float64)'))).toThrow('type Nullable(Float64)');
    expect(() => read(block([1, 2], [1, 2]).subarray(0, 14))).toThrow('ends in the middle');
    expect(() => read(block([1, 2], [1, 2]).subarray(0, -2))).toThrow('ends in the middle of 8 more');
    expect(() => read(Buffer.from([1]))).toThrow('ends in the middle, at byte 2');
  });
});
