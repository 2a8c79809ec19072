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

async function encodeOne(
  column: ForestColumn,
  reference: (number | string | null)[],
  value: number | string | null,
) {
  const encoding = await fitEncoding(
    [column],
    reference.map((cell) => [cell]),
  );
  return [...encodeRows(encoding, [[value]])];
}

describe('encoding a numeric column', () => {
  it('leaves finite numbers as they are, also beyond the reference', async () => {
    expect(await encodeOne(amount, [1, 2, 4], 2.5)).toEqual([2.5]);
    expect(await encodeOne(amount, [1, 2, 4], 1e300)).toEqual([1e300]);
  });

  it('fills missing, NaN and text with the median', async () => {
    for (const value of [null, Number.NaN, 'seven'])
      expect(await encodeOne(amount, [1, 2, 4], value)).toEqual([2]);
    expect(await encodeOne(amount, [1, 2, 4, 5], null)).toEqual([3]);
    expect(await encodeOne(amount, [1.7e308, 1.7e308], null)).toEqual([1.7e308]);
  });

  it('tells missing from the median where the reference has both', async () => {
    expect(await encodeOne(amount, [1, null, 2, 4], null)).toEqual([2, 1]);
    expect(await encodeOne(amount, [1, null, 2, 4], 2)).toEqual([2, 0]);
    expect(await encodeOne(amount, [null, null], null)).toEqual([0]);
  });

  it('puts ±∞ one reference range beyond the ends, within the number range', async () => {
    expect(await encodeOne(amount, [10, 14, Infinity], Infinity)).toEqual([18]);
    expect(await encodeOne(amount, [10, 14], -Infinity)).toEqual([6]);
    expect(await encodeOne(amount, [-1e308, 1e308], Infinity)).toEqual([Number.MAX_VALUE]);
    expect(await encodeOne(amount, [7, 7], -Infinity)).toEqual([7]);
  });
});

describe('encoding a categorical column', () => {
  it('gives the share of the reference, unseen 0, missing its own', async () => {
    const reference = ['a', 'a', 'b', null];
    expect(await encodeOne(plan, reference, 'a')).toEqual([0.5]);
    expect(await encodeOne(plan, reference, 'b')).toEqual([0.25]);
    expect(await encodeOne(plan, reference, 'c')).toEqual([0]);
    expect(await encodeOne(plan, reference, null)).toEqual([0.25]);
    expect(await encodeOne(plan, ['a'], null)).toEqual([0]);
  });

  it('takes names of object members as plain values', async () => {
    expect(await encodeOne(plan, ['__proto__', 'x'], '__proto__')).toEqual([0.5]);
    expect(await encodeOne(plan, ['x'], '__proto__')).toEqual([0]);
    expect(await encodeOne(plan, ['x'], 'constructor')).toEqual([0]);
  });

  it('reads integers that name a category as text', async () => {
    expect(await encodeOne(plan, [1, '1', 2, 3], 1)).toEqual([0.5]);
  });

  it('keeps the most frequent values of a column that is close to an identifier', async () => {
    const reference = Array.from({ length: MAX_CATEGORIES + 5 }, (_, i) => `id${i}`);
    const encoding = await fitEncoding(
      [plan],
      [...reference, 'often', 'often'].map((value) => [value]),
    );
    const column = encoding[0];
    expect(column?.kind === 'categorical' && column.shares.size).toBe(MAX_CATEGORIES);
    expect(encodeRows(encoding, [['often']])[0]).toBeCloseTo(2 / (reference.length + 2), 15);
  });
});

describe('encodeRows', () => {
  it('is finite and of the stated shape for any values', async () => {
    const cell = fc.oneof(
      fc.constant(null),
      fc.double(),
      fc.constantFrom(Infinity, -Infinity),
      fc.string({ maxLength: 3 }),
    );
    const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(table, table, async (reference, rows) => {
        const encoding = await fitEncoding([amount, plan, amount], reference);
        const matrix = encodeRows(encoding, rows);
        expect(matrix).toHaveLength(rows.length * encodedWidth(encoding));
        expect(matrix.every(Number.isFinite)).toBe(true);
      }),
    );
  });

  it('refuses rows of another width, no rows and no columns', async () => {
    const encoding = await fitEncoding([amount, plan], [[1, 'a']]);
    expect(() => encodeRows(encoding, [[1, 'a'], [1]])).toThrow('row 1 has 1 values');
    await expect(fitEncoding([amount], [])).rejects.toThrow(RangeError);
    await expect(fitEncoding([], [[]])).rejects.toThrow(RangeError);
  });
});
