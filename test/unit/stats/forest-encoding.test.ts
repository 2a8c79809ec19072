import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  encodedWidth,
  encodeRows,
  type ForestColumn,
  fitEncoding,
  MAX_CATEGORIES,
} from '../../../src/stats/forest-encoding.js';

const amount: ForestColumn = { name: 'amount', kind: 'numeric' };
const plan: ForestColumn = { name: 'plan', kind: 'categorical' };

function encodeOne(
  column: ForestColumn,
  reference: (number | string | null)[],
  value: number | string | null,
) {
  const encoding = fitEncoding(
    [column],
    reference.map((cell) => [cell]),
  );
  return [...encodeRows(encoding, [[value]])];
}

describe('encoding a numeric column', () => {
  it('leaves finite numbers as they are, also beyond the reference', () => {
    expect(encodeOne(amount, [1, 2, 4], 2.5)).toEqual([2.5]);
    expect(encodeOne(amount, [1, 2, 4], 1e300)).toEqual([1e300]);
  });

  it('fills missing, NaN and text with the median', () => {
    for (const value of [null, Number.NaN, 'seven']) expect(encodeOne(amount, [1, 2, 4], value)).toEqual([2]);
    expect(encodeOne(amount, [1, 2, 4, 5], null)).toEqual([3]);
    expect(encodeOne(amount, [1.7e308, 1.7e308], null)).toEqual([1.7e308]);
  });

  it('tells missing from the median where the reference has both', () => {
    expect(encodeOne(amount, [1, null, 2, 4], null)).toEqual([2, 1]);
    expect(encodeOne(amount, [1, null, 2, 4], 2)).toEqual([2, 0]);
    expect(encodeOne(amount, [null, null], null)).toEqual([0]);
  });

  it('puts ±∞ one reference range beyond the ends, within the number range', () => {
    expect(encodeOne(amount, [10, 14, Infinity], Infinity)).toEqual([18]);
    expect(encodeOne(amount, [10, 14], -Infinity)).toEqual([6]);
    expect(encodeOne(amount, [-1e308, 1e308], Infinity)).toEqual([Number.MAX_VALUE]);
    expect(encodeOne(amount, [7, 7], -Infinity)).toEqual([7]);
  });
});

describe('encoding a categorical column', () => {
  it('gives the share of the reference, unseen 0, missing its own', () => {
    const reference = ['a', 'a', 'b', null];
    expect(encodeOne(plan, reference, 'a')).toEqual([0.5]);
    expect(encodeOne(plan, reference, 'b')).toEqual([0.25]);
    expect(encodeOne(plan, reference, 'c')).toEqual([0]);
    expect(encodeOne(plan, reference, null)).toEqual([0.25]);
    expect(encodeOne(plan, ['a'], null)).toEqual([0]);
  });

  it('takes names of object members as plain values', () => {
    expect(encodeOne(plan, ['__proto__', 'x'], '__proto__')).toEqual([0.5]);
    expect(encodeOne(plan, ['x'], '__proto__')).toEqual([0]);
    expect(encodeOne(plan, ['x'], 'constructor')).toEqual([0]);
  });

  it('reads integers that name a category as text', () => {
    expect(encodeOne(plan, [1, '1', 2, 3], 1)).toEqual([0.5]);
  });

  it('keeps the most frequent values of a column that is close to an identifier', () => {
    const reference = Array.from({ length: MAX_CATEGORIES + 5 }, (_, i) => `id${i}`);
    const encoding = fitEncoding(
      [plan],
      [...reference, 'often', 'often'].map((value) => [value]),
    );
    const column = encoding[0];
    expect(column?.kind === 'categorical' && column.shares.size).toBe(MAX_CATEGORIES);
    expect(encodeRows(encoding, [['often']])[0]).toBeCloseTo(2 / (reference.length + 2), 15);
  });
});

describe('encodeRows', () => {
  it('is finite and of the stated shape for any values', () => {
    const cell = fc.oneof(
      fc.constant(null),
      fc.double(),
      fc.constantFrom(Infinity, -Infinity),
      fc.string({ maxLength: 3 }),
    );
    const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(table, table, (reference, rows) => {
        const encoding = fitEncoding([amount, plan, amount], reference);
        const matrix = encodeRows(encoding, rows);
        expect(matrix).toHaveLength(rows.length * encodedWidth(encoding));
        expect(matrix.every(Number.isFinite)).toBe(true);
      }),
    );
  });

  it('refuses rows of another width, no rows and no columns', () => {
    const encoding = fitEncoding([amount, plan], [[1, 'a']]);
    expect(() => encodeRows(encoding, [[1, 'a'], [1]])).toThrow('row 1 has 1 values');
    expect(() => fitEncoding([amount], [])).toThrow(RangeError);
    expect(() => fitEncoding([], [[]])).toThrow(RangeError);
  });
});
