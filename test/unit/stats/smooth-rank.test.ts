import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createRandom } from '../../../src/stats/random.js';
import { smoothPValue, smoothRank } from '../../../src/stats/smooth-rank.js';
import { numericOracle } from '../../support/numeric-oracle.js';

const oracle = numericOracle();
const relative = (value: number, expected: number) => Math.abs(value - expected) / Math.max(1e-300, expected);
const pValueOf = (current: readonly number[], reference: readonly number[], degree = 4) => {
  const smooth = smoothRank(current, reference, degree);
  return smoothPValue(smooth.statistic, smooth);
};

describe('smoothRank against scipy', () => {
  test('with one score Q is the H of Kruskal and Wallis, ties included, within 1e-9', () => {
    for (const { current, reference, kruskal } of oracle.smooth.cases)
      expect(relative(smoothRank(current, reference, 1).statistic, kruskal)).toBeLessThan(1e-9);
  });

  test('Q of every degree is the quadratic form by its definition, within 1e-8', () => {
    let compared = 0;
    for (const { name, current, reference, q } of oracle.smooth.cases)
      for (const [i, expected] of q.entries()) {
        const smooth = smoothRank(current, reference, i + 1);
        // A degree whose last score the window is too small for has fewer scores, and another Q.
        if (smooth.scores < i + 1) continue;
        compared++;
        expect({ name, degree: i + 1, ok: relative(smooth.statistic, expected) < 1e-8 }).toMatchObject({
          ok: true,
        });
      }
    expect(compared).toBeGreaterThan(70);
  });

  test('p-values lie within 20 % and four standard errors of 40,000 permutations', () => {
    let compared = 0;
    for (const { name, current, reference, permutation = [] } of oracle.smooth.cases)
      for (const [i, expected] of permutation.entries()) {
        const smooth = smoothRank(current, reference, i + 1);
        if (smooth.scores < i + 1) continue;
        const p = smoothPValue(smooth.statistic, smooth);
        const error = 0.2 * expected + 4 * Math.sqrt((expected * (1 - expected)) / 40_000) + 1e-4;
        compared++;
        expect({ name, degree: i + 1, p, expected, ok: Math.abs(p - expected) <= error }).toMatchObject({
          ok: true,
        });
      }
    expect(compared).toBeGreaterThanOrEqual(20);
  });

  test('two values: the p-value is the exact sum over tables, within 1e-9', () => {
    for (const { current, reference, p } of oracle.smooth.binary)
      expect(relative(pValueOf(current, reference), p)).toBeLessThan(1e-9);
  });

  test('ten million rows: Q within 1e-6, and p the tail of χ²(4) within 1 %', () => {
    for (const { current, reference, q, p } of oracle.large) {
      const smooth = smoothRank(current, reference, 4);
      expect(relative(smooth.statistic, q)).toBeLessThan(1e-6);
      if (p > 1e-300 && p < 0.999)
        expect(relative(smoothPValue(smooth.statistic, smooth), p)).toBeLessThan(0.01);
    }
  });
});

describe('the p-value', () => {
  test('keeps falling far out: a tail of 1e-300 is told from one of 1e-200', () => {
    const flat = new Array<number>(100).fill(1_000);
    const smooth = smoothRank(flat, flat, 4);
    const at = (statistic: number) => smoothPValue(statistic, smooth);
    expect(at(940)).toBeLessThan(1e-195);
    expect(at(1_395)).toBeLessThan(at(940));
    expect(at(1_395)).toBeGreaterThan(0);
  });

  // Binomial(4,000, α) exceeds α·4,000 + 4 standard deviations once in 30,000.
  test.each([
    ['continuous', 2, () => 0.5],
    ['continuous', 20, () => 0.5],
    ['one in twenty not zero', 20, (u: number) => (u < 0.95 ? 0 : 0.9)],
    ['one in a hundred not zero', 10, (u: number) => (u < 0.99 ? 0 : 0.9)],
    ['two thirds zero', 50, (u: number) => (u < 0.67 ? 0 : 0.9)],
  ] as const)('is no smaller than it may be: %s, windows of %i rows', (name, rows, floorOf) => {
    const random = createRandom(11);
    const draw = (count: number) => {
      const counts = new Array<number>(200).fill(0);
      for (let i = 0; i < count; i++) {
        const u = random();
        const cell = name === 'continuous' || floorOf(u) > 0 ? Math.floor(random() * 200) : 0;
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
      return counts;
    };
    const reference = draw(20_000);
    const trials = 4_000;
    const pValues = Array.from({ length: trials }, () => pValueOf(draw(rows), reference));
    for (const alpha of [0.05, 0.01, 0.002]) {
      const rejected = pValues.filter((p) => p <= alpha).length;
      // The law itself may be off by a fifth in a tail of small windows.
      const expected = 1.2 * alpha * trials;
      expect({ alpha, rejected, ok: rejected <= expected + 4 * Math.sqrt(expected) }).toMatchObject({
        ok: true,
      });
    }
  });
});

describe('properties', () => {
  const counts = fc.array(fc.nat({ max: 30 }), { minLength: 5, maxLength: 40 });
  const pairs = counts
    .chain((a) =>
      fc.tuple(fc.constant(a), fc.array(fc.nat({ max: 30 }), { minLength: a.length, maxLength: a.length })),
    )
    .filter(([a, b]) => a.some((x) => x > 0) && b.some((x) => x > 0));

  test('it does not matter which sample is called the reference, nor whether values run up or down', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const { statistic } = smoothRank(a, b, 4);
        expect(smoothRank(b, a, 4).statistic).toBeCloseTo(statistic, 6);
        expect(smoothRank(a.toReversed(), b.toReversed(), 4).statistic).toBeCloseTo(statistic, 6);
      }),
    );
  });

  test('it depends on the order of values alone: empty cells between them change nothing', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const apart = (list: readonly number[]) => list.flatMap((count) => [0, count, 0]);
        expect(smoothRank(apart(a), apart(b), 4).statistic).toBeCloseTo(smoothRank(a, b, 4).statistic, 9);
      }),
    );
  });

  test('Q lies between 0 and one less than the rows, and equal samples show nothing', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const rows = [...a, ...b].reduce((sum, count) => sum + count, 0);
        const smooth = smoothRank(a, b, 4);
        expect(smooth.statistic).toBeLessThanOrEqual((rows - 1) * (1 + 1e-9));
        expect(smoothPValue(smooth.statistic, smooth)).toBeLessThanOrEqual(1);
        expect(smoothRank(a, a, 4).statistic).toBeLessThan(1e-9);
      }),
    );
  });

  test('one value throughout has no score, and a p-value of 1', () => {
    const smooth = smoothRank([0, 5, 0], [0, 9, 0], 4);
    expect(smooth).toMatchObject({ statistic: 0, scores: 0 });
    expect(smoothPValue(0, smooth)).toBe(1);
  });

  test('different grids and empty samples are bugs', () => {
    expect(() => smoothRank([1], [1, 2], 4)).toThrow(/lengths 1 and 2/);
    expect(() => smoothRank([0, 0], [1, 2], 4)).toThrow(/sizes are 0 and 3/);
  });
});
