import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Grid, Profile } from '../../../src/domain/profile.js';
import { quantile, rebin } from '../../../src/views/rebin.js';
import { profileOf } from '../../fakes/look-data.js';

const numericGrid = (cutPoints: readonly number[]): Grid => ({
  kind: 'numeric',
  feature: 'x',
  cutPoints,
  quantum: 1,
});
const rowsOf = (values: readonly (number | string | null)[]) =>
  values.map((value) => new Map([['x', value]]));
const sum = (values: readonly (number | null)[]) =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

describe('numeric bars', () => {
  test('few distinct values get one bar each', () => {
    const grid = numericGrid([1, 2, 3]);
    const { bars, clipped } = rebin(
      grid,
      profileOf(grid, rowsOf([1, 1, 2, 3])),
      profileOf(grid, rowsOf([2, null])),
    );
    expect(bars.map((bar) => [bar.low, bar.high, bar.reference, bar.current])).toEqual([
      [1, 1, 0.5, 0],
      [2, 2, 0.25, 0.5],
      [3, 3, 0.25, 0],
    ]);
    expect(clipped).toBe(false);
  });

  test('a constant column is one bar', () => {
    const grid = numericGrid([7]);
    const { bars } = rebin(grid, profileOf(grid, rowsOf([7, 7])), profileOf(grid, rowsOf([7])));
    expect(bars).toHaveLength(1);
    expect(bars[0]).toMatchObject({ low: 7, high: 7, reference: 1, current: 1 });
  });

  test('every present row is in exactly one bar, whatever the values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 80 }),
        fc.array(fc.double({ min: -1e7, max: 1e7, noNaN: true }), { maxLength: 80 }),
        fc.nat({ max: 5 }),
        (left, right, nulls) => {
          const cutPoints = [...new Set(left.map((x) => x + 0))]
            .sort((a, b) => a - b)
            .filter((_, i) => i % 2 === 0);
          const grid = numericGrid(cutPoints);
          const current = profileOf(grid, rowsOf([...right, ...new Array<null>(nulls).fill(null)]));
          const { bars } = rebin(grid, profileOf(grid, rowsOf(left)), current);
          expect(sum(bars.map((bar) => bar.reference))).toBeCloseTo(1, 9);
          const present = current.rows === 0 ? 0 : right.length / current.rows;
          expect(sum(bars.map((bar) => bar.current))).toBeCloseTo(present, 9);
          for (const bar of bars) expect(Number.isFinite(bar.low) && bar.high >= bar.low).toBe(true);
          expect(bars.length).toBeLessThanOrEqual(30);
        },
      ),
    );
  });

  test('what lies beyond the grid is told apart from what was counted inside of it', () => {
    const grid = numericGrid(Array.from({ length: 100 }, (_, i) => i));
    const inside = Array.from({ length: 300 }, (_, i) => i % 99);
    const above = Array.from({ length: 100 }, (_, i) => 120 + i);
    const { bars } = rebin(
      grid,
      profileOf(grid, rowsOf(inside)),
      profileOf(grid, rowsOf([...inside, ...above])),
    );
    expect(sum(bars.map((bar) => bar.beyond?.current ?? 0))).toBeCloseTo(0.25, 9);
    expect(sum(bars.map((bar) => bar.beyond?.reference ?? 0))).toBe(0);
    for (const bar of bars) {
      expect(bar.beyond?.current ?? 0).toBeLessThanOrEqual((bar.current ?? 0) + 1e-12);
      if (bar.high < 99) expect(bar.beyond).toBeUndefined();
    }
  });

  test('a far outlier does not squeeze the picture', () => {
    const grid = numericGrid(Array.from({ length: 100 }, (_, i) => i));
    const usual = Array.from({ length: 5_000 }, (_, i) => (i % 990) / 10);
    const { bars, clipped } = rebin(
      grid,
      profileOf(grid, rowsOf(usual)),
      profileOf(grid, rowsOf([...usual, 1e9])),
    );
    expect(bars.at(-1)?.high).toBeLessThan(200);
    expect(clipped).toBe(true);
    expect(sum(bars.map((bar) => bar.current))).toBeCloseTo(1, 9);
  });

  test('a side without rows has no shares, not zero ones', () => {
    const grid = numericGrid([1, 2]);
    const bars = rebin(grid, profileOf(grid, rowsOf([1, 2])), null).bars;
    expect(bars.map((bar) => bar.current)).toEqual([null, null]);
    expect(rebin(grid, null, null).bars).toEqual([]);
  });

  test('counts on another grid are refused', () => {
    const profile = profileOf(numericGrid([1, 2, 3]), rowsOf([1]));
    expect(() => rebin(numericGrid([1]), profile, null)).toThrow(RangeError);
  });
});

describe('quantile', () => {
  test('is exact on distinct values and linear inside a cell', () => {
    const grid = numericGrid([0, 10]);
    expect(quantile(grid, profileOf(grid, rowsOf([0, 0, 10])), 0.5)).toBe(0);
    const between: Profile = profileOf(grid, rowsOf([2, 4, 6, 8]));
    expect(quantile(grid, between, 0.5)).toBe(5);
    expect(quantile(grid, profileOf(grid, rowsOf([null])), 0.5)).toBeNull();
  });
});

describe('categorical bars', () => {
  test('show the largest of either side, then others, unseen and missing', () => {
    const categories = Array.from({ length: 100_000 }, (_, index) => `c${index}`);
    const grid: Grid = { kind: 'categorical', feature: 'x', categories, headSize: 1_000 };
    const reference = profileOf(grid, rowsOf(['c0', 'c0', 'c0', 'c1', 'c1', 'c5000']));
    const current = profileOf(grid, rowsOf(['c7', 'c7', 'new', null]));
    const { bars } = rebin(grid, reference, current);
    expect(bars).toHaveLength(15);
    expect(bars.slice(0, 3).map((bar) => bar.label)).toEqual(['c0', 'c7', 'c1']);
    expect(bars.slice(-3).map((bar) => [bar.role, bar.reference, bar.current])).toEqual([
      ['other', 1 / 6, 0],
      ['unseen', 0, 0.25],
      ['missing', 0, 0.25],
    ]);
    expect(sum(bars.map((bar) => bar.reference))).toBeCloseTo(1, 12);
    expect(sum(bars.map((bar) => bar.current))).toBeCloseTo(1, 12);
  });
});
