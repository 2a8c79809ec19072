import { describe, expect, test } from '@jest/globals';
import { exceedancePValue } from '../../../src/stats/exceedance.js';
import {
  createShareChangeTail,
  largestShareChange,
  meanSquaredChange,
} from '../../../src/stats/largest-share-change.js';
import { rarefy } from '../../../src/stats/rarefaction.js';
import { sharesOracle } from '../../support/shares-oracle.js';

test("values beyond the range: scipy's hypergeometric law of the ranks within 1e-7", () => {
  for (const [hits, n, m, p] of sharesOracle().exceedance)
    expect([hits, n, m, Math.abs(exceedancePValue(hits, n, m) - p) <= 1e-7 * p]).toEqual([hits, n, m, true]);
  expect(exceedancePValue(0, 5, 5)).toBe(1);
  expect(exceedancePValue(6, 5, 5)).toBe(0);
});

describe('rarefaction', () => {
  test.each(sharesOracle().rarefaction)("$name: mean and both tails as numpy's draws", (vector) => {
    const current = vector.totals.map(() => 0);
    let left = vector.sampled;
    // Which rows are the window's does not matter to the margins.
    vector.totals.forEach((count, i) => {
      current[i] = Math.min(count, left);
      left -= current[i] ?? 0;
    });
    const reference = vector.totals.map((count, i) => count - (current[i] ?? 0));
    const { expected, atLeast, atMost } = rarefy(reference, current);
    expect(Math.abs(expected - vector.mean)).toBeLessThan(0.1);
    for (const [count, high, low] of vector.tails) {
      expect(Math.abs(atLeast(count) - high)).toBeLessThan(0.02 + 0.15 * high);
      expect(Math.abs(atMost(count) - low)).toBeLessThan(0.02 + 0.15 * low);
    }
  });

  test('an empty side is a bug', () => {
    expect(() => rarefy([1], [0])).toThrow(/0 and 1/);
  });
});

describe('largest share change', () => {
  test("one category's chance is near scipy's hypergeometric, and never far below it", () => {
    for (const [t, n, m, a, atLeast, atMost] of sharesOracle().oneCategory) {
      const change = Math.abs(a / n - (t - a) / m);
      const p = createShareChangeTail([t], n, m)(change);
      const exact = Math.min(atLeast, atMost);
      expect(p).toBeGreaterThan(0.8 * exact);
      expect(p).toBeLessThan(6 * exact);
    }
  });

  test('names the cell, falls with the change, and has a mean square that normal shares have', () => {
    expect(
      largestShareChange([50, 30, 20], [5, 1, 4], { referenceRows: 100, currentRows: 10 }),
    ).toMatchObject({ cell: 2, change: expect.closeTo(0.2, 12) });
    const tailOf = createShareChangeTail([11_000, 11_000], 2_000, 20_000);
    expect(tailOf(0)).toBe(1);
    expect(tailOf(1)).toBe(0);
    // Two complementary cells are one normal share: Bonferroni counts it twice, which its mean square shows.
    const meanSquare = meanSquaredChange(tailOf, [11_000, 11_000], 2_000, 20_000);
    const variance = 0.25 * (1 / 2_000 + 1 / 20_000);
    expect(meanSquare / variance).toBeGreaterThan(1);
    expect(meanSquare / variance).toBeLessThan(2.05);
  });
});
