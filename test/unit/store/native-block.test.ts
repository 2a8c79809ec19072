import { describe, expect, test } from '@jest/globals';
import { NO_VALUES } from '../../../src/domain/prediction.js';
import {
  createLowCardinalityColumn,
  createMapColumn,
  createTextColumn,
  nativeBlock,
} from '../../../src/store/native-block.js';
import {
  createLongColumn,
  createNullableFloat64Column,
  createWordColumn,
} from '../../../src/store/native-numbers.js';

/**
 * What the engine 26.7.2.1 answers with `FORMAT Native` to
 *   SELECT toInt32(-7) AS i, toUInt64(18446744073709551615) AS u, toDateTime64('1969-12-31 23:59:59.999', 3, 'UTC') AS t,
 *     CAST(NULL AS Nullable(Float64)) AS f, 'é' AS s, CAST(NULL AS LowCardinality(Nullable(String))) AS n,
 *     CAST(map() AS Map(LowCardinality(String), LowCardinality(String))) AS e
 * and to SELECT toLowCardinality(arrayJoin(['a', 'b', 'a'])) AS l, toUInt32(5) AS w.
 */
const ONE_ROW = [
  '0701',
  '016905496e743332f9ffffff',
  '01750655496e743634ffffffffffffffff',
  '0174144461746554696d65363428332c20275554432729ffffffffffffffff',
  '0166114e756c6c61626c6528466c6f6174363429010000000000000000',
  '017306537472696e6702c3a9',
  '016e204c6f7743617264696e616c697479284e756c6c61626c6528537472696e6729290100000000000000000600000000000002000000000000000000010000000000000000',
  '0165334d6170284c6f7743617264696e616c69747928537472696e67292c204c6f7743617264696e616c69747928537472696e672929010000000000000001000000000000000000000000000000',
].join('');
const THREE_ROWS =
  '0203016c164c6f7743617264696e616c69747928537472696e672901000000000000000006000000000000020000000000000001610162030000000000000000010001770655496e743332050000000500000005000000';

describe('nativeBlock', () => {
  test('writes the bytes that the engine writes', () => {
    const i = createWordColumn('Int32');
    i.append(-7);
    const u = createLongColumn('UInt64');
    u.appendHalves(0xffffffff, 0xffffffff);
    const t = createLongColumn("DateTime64(3, 'UTC')");
    t.append(-1);
    const f = createNullableFloat64Column();
    f.append(null);
    const s = createTextColumn();
    s.append('é');
    const n = createLowCardinalityColumn(true);
    n.append(null);
    const e = createMapColumn(createLowCardinalityColumn());
    e.append(NO_VALUES);
    expect(Buffer.concat(nativeBlock(1, { i, u, t, f, s, n, e })).toString('hex')).toBe(ONE_ROW);
  });

  test('writes a repeated text once', () => {
    const l = createLowCardinalityColumn();
    for (const text of ['a', 'b', 'a']) l.append(text);
    const w = createWordColumn('UInt32');
    for (let row = 0; row < 3; row += 1) w.append(5);
    expect(Buffer.concat(nativeBlock(3, { l, w })).toString('hex')).toBe(THREE_ROWS);
  });

  test('refers to keys by the narrowest index that holds them', () => {
    for (const [keys, bytes] of [
      [256, 1],
      [257, 2],
      [65_537, 4],
    ] as const) {
      const column = createLowCardinalityColumn();
      for (let key = 0; key < keys; key += 1) column.append(String(key));
      expect(column.data().at(-1)?.length).toBe(keys * bytes);
    }
  });

  test('keeps long and foreign texts behind their length in bytes', () => {
    for (const text of ['x'.repeat(64), 'y'.repeat(65), '日本'.repeat(5_000), '', 'z'.repeat(100_000)]) {
      const column = createTextColumn();
      column.append(text);
      const bytes = column.data()[0] ?? new Uint8Array(0);
      const length = Buffer.byteLength(text);
      expect(Buffer.from(bytes).toString('utf8', bytes.length - length)).toBe(text);
      let stated = 0;
      for (const byte of [...bytes.subarray(0, bytes.length - length)].reverse())
        stated = stated * 128 + (byte & 0x7f);
      expect(stated).toBe(length);
    }
  });

  test('refuses numbers that the type cannot hold, instead of wrapping them', () => {
    expect(() => createWordColumn('UInt32').append(-1)).toThrow(RangeError);
    expect(() => createWordColumn('Int32').append(2 ** 31)).toThrow(RangeError);
    expect(() => createLongColumn('Int64').append(2 ** 53)).toThrow(RangeError);
    expect(() => createLongColumn('Int64').append(0.5)).toThrow(RangeError);
  });
});
