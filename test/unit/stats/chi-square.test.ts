import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { total } from '../../../src/stats/cells.js';
import { balancedCramersV, chiSquareStatistic, poolRareCells } from '../../../src/stats/chi-square.js';
import { chiSquareSf } from '../../../src/stats/special.js';
import { oracle } from '../../support/oracle.js';

describe('against scipy', () => {
  test.each(oracle().chiSquare)('$name: X², p and V within 1e-10', (vector) => {
    const { statistic, df } = chiSquareStatistic(vector);
    expect(df).toBe(vector.df);
    expect(Math.abs(statistic - vector.statistic)).toBeLessThanOrEqual(1e-10 * vector.statistic);
    expect(Math.abs(chiSquareSf(statistic, df) - vector.pValue)).toBeLessThanOrEqual(1e-9 * vector.pValue);
    expect(balancedCramersV(vector)).toBeCloseTo(vector.v, 10);
  });
});

describe('pooling rare cells', () => {
  test('goes by the pooled count: a cell that only the window fills is kept', () => {
    expect(poolRareCells([1000, 0], [800, 200])).toEqual({ reference: [1000, 0], current: [800, 200] });
  });

  test('pools what is rare into one cell, and that into the least frequent if it is still rare', () => {
    expect(poolRareCells([900, 40, 30, 30], [90, 4, 3, 3])).toEqual({
      reference: [900, 100],
      current: [90, 10],
    });
    expect(poolRareCells([900, 600, 1], [90, 60, 1])).toEqual({ reference: [900, 601], current: [90, 61] });
  });

  test('drops empty cells, keeps every row, and is blind to the order of cells', () => {
    const counts = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 })), {
      minLength: 2,
      maxLength: 12,
    });
    fc.assert(
      fc.property(counts, (cells) => {
        const reference = cells.map((cell) => cell[0]);
        const current = cells.map((cell) => cell[1]);
        fc.pre(total(reference) > 0 && total(current) > 0);
        const table = poolRareCells(reference, current);
        expect(total(table.reference)).toBe(total(reference));
        expect(total(table.current)).toBe(total(current));
        const smaller = Math.min(total(reference), total(current)) / (total(reference) + total(current));
        if (table.reference.length > 1)
          for (let i = 0; i < table.reference.length; i++)
            expect(((table.reference[i] ?? 0) + (table.current[i] ?? 0)) * smaller).toBeGreaterThanOrEqual(5);
        const other = poolRareCells([...reference].reverse(), [...current].reverse());
        expect(other.reference.length).toBe(table.reference.length);
      }),
    );
  });
});

test('V does not shrink with the reference, and is 1 for disjoint categories', () => {
  const current = [60, 40];
  const small = balancedCramersV({ reference: [50, 50], current });
  expect(balancedCramersV({ reference: [50_000, 50_000], current })).toBeCloseTo(small, 12);
  expect(balancedCramersV({ reference: [0, 10], current: [10, 0] })).toBe(1);
});
