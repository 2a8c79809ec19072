import { describe, expect, test } from '@jest/globals';
import { readNativeColumns } from '../../../src/store/native-columns.js';

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

describe('readNativeColumns', () => {
  test('joins the blocks of a result, at any alignment', () => {
    const bytes = Buffer.concat([
      block([1.5, Number.NaN], [1, 2]),
      block([], []),
      block([-3], [4_294_967_295]),
    ]);
    expect(readNativeColumns(bytes)).toEqual([
      Float64Array.of(1.5, Number.NaN, -3),
      Uint32Array.of(1, 2, 4_294_967_295),
    ]);
  });

  test('gives nothing for an empty result', () => {
    expect(readNativeColumns(new Uint8Array(0))).toEqual([]);
  });

  test('refuses what it cannot read, rather than guess', () => {
    expect(() => readNativeColumns(block([1], [1], 'Nullable(Float64)'))).toThrow('type Nullable(Float64)');
    expect(() => readNativeColumns(block([1, 2], [1, 2]).subarray(0, 30))).toThrow('ends in the middle');
    expect(() => readNativeColumns(block([1, 2], [1, 2]).subarray(0, -2))).toThrow('lacks 2');
  });
});
