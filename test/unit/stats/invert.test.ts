import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { criticalStatistic, type SeenStatistic } from '../../../src/stats/invert.js';
import { chiSquareSf, fSf, kolmogorovSf } from '../../../src/stats/special.js';
import { createProportionTail } from '../../../src/stats/two-proportion.js';

type Tail = (statistic: number) => number;

/** The same by bisection to the last bit. */
function byBisection(pValueOf: Tail, largest: number, level: number): number | null {
  if (!(pValueOf(largest) <= level)) return null;
  let low = 0;
  let high = largest;
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle === low || middle === high) return high;
    if (pValueOf(middle) <= level) high = middle;
    else low = middle;
  }
}

test('finds the χ² critical value', () => {
  const critical = criticalStatistic((x) => chiSquareSf(x, 1), 1e4, 0.05) ?? Number.NaN;
  expect(critical / 3.841458820694124).toBeCloseTo(1, 9);
});

test('the level is reached at the answer and missed just below it, for steps too', () => {
  const step = (x: number) => (x >= 0.3 ? 0.01 : 0.2);
  const critical = criticalStatistic(step, 1, 0.05) ?? -1;
  expect(step(critical)).toBe(0.01);
  expect(step(critical * (1 - 1e-9))).toBe(0.2);
});

test('is null when nothing reaches the level, whatever was seen', () => {
  expect(criticalStatistic(() => 0.2, 1, 0.05)).toBeNull();
  expect(criticalStatistic(() => 0.2, 1, 0.05, { statistic: 0.4, pValue: 0.2 })).toBeNull();
  expect(criticalStatistic(() => 0.2, 1, 0.05, { statistic: 1, pValue: 0.2 })).toBeNull();
});

describe('against bisection', () => {
  const levels = fc.double({ min: -10, max: -0.3, noNaN: true }).map((exponent) => 10 ** exponent);
  const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  const smooth = fc.oneof(
    fc.tuple(between(0.2, 2_000), between(1e-4, 1e4)).map(
      ([df, unit]): Tail =>
        (x) =>
          chiSquareSf(x / unit, df),
    ),
    fc.tuple(between(1e-4, 10), between(1, 300)).map(
      ([unit, df]): Tail =>
        (x) =>
          chiSquareSf((x * x) / unit, df),
    ),
    fc.tuple(between(0.1, 50), between(1, 2_000)).map(
      ([a, b]): Tail =>
        (x) =>
          fSf(x, a, b),
    ),
    between(1e-3, 1).map(
      (unit): Tail =>
        (x) =>
          kolmogorovSf(x / unit),
    ),
  );
  const steps = fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 200 }), between(0.01, 3)).map(
      ([size, decay]): Tail =>
        (x) =>
          Math.exp(-decay * Math.ceil(x * size - 1e-6)),
    ),
    fc
      .tuple(
        fc.integer({ min: 5, max: 5_000 }),
        fc.integer({ min: 5, max: 100_000 }),
        fc.integer({ min: 0, max: 5 }),
      )
      .map(([n, m, hits]): Tail => {
        const tailOf = createProportionTail(n, { hits, rows: m });
        return (x) => (x === 0 ? 1 : tailOf(Math.min(1, hits / m + x) * n));
      }),
    between(0.01, 1).map(
      (at): Tail =>
        (x) =>
          x >= at ? 1e-12 : 1,
    ),
  );
  const seenAt = fc.option(between(0, 1), { nil: null });

  function check(tail: Tail, largest: number, level: number, seen: number | null): number {
    let asked = 0;
    const counted = (x: number) => {
      asked++;
      return tail(x);
    };
    const known: SeenStatistic | null =
      seen === null ? null : { statistic: seen * largest, pValue: tail(seen * largest) };
    const critical = criticalStatistic(counted, largest, level, known);
    const expected = byBisection(tail, largest, level);
    if (critical === null || expected === null) {
      expect(critical).toBe(expected);
      return asked;
    }
    expect(tail(critical)).toBeLessThanOrEqual(level);
    expect(critical).toBeGreaterThanOrEqual(expected * (1 - 1e-12));
    expect(critical).toBeLessThanOrEqual(expected * (1 + 1.01e-9) + 1e-15 * largest);
    // A verdict is drifted exactly when its statistic reaches the threshold, to the last bit.
    if (known !== null && known.statistic > 0)
      expect(known.statistic >= critical).toBe(known.pValue <= level);
    return asked;
  }

  test('of smooth tails the same within 1e-9, from few p-values', () => {
    const counts: number[] = [];
    fc.assert(
      fc.property(smooth, between(0.01, 1e5), levels, seenAt, (tail, largest, level, seen) => {
        counts.push(check(tail, largest, level, seen));
      }),
      { numRuns: 400, seed: 5 },
    );
    expect(Math.max(...counts)).toBeLessThanOrEqual(60);
    expect(counts.reduce((sum, count) => sum + count, 0) / counts.length).toBeLessThan(20);
  });

  test('of steps the same within 1e-9', () => {
    fc.assert(
      fc.property(steps, levels, seenAt, (tail, level, seen) => {
        expect(check(tail, 1, level, seen)).toBeLessThanOrEqual(120);
      }),
      { numRuns: 400, seed: 6 },
    );
  });
});
