import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ksDistance, ksPValue, ksTwoSample } from '../../../src/stats/ks-two-sample.js';
import { oracle } from '../../support/oracle.js';

const vectors = oracle().ks;
const sample = fc
  .array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 60 })
  .map((values) => values.sort((a, b) => a - b));

describe('against scipy', () => {
  test.each(vectors.cases)('$name: D within 1e-15, exact p within 1e-9', ({ a, b, d, exact }) => {
    const { statistic, pValue } = ksTwoSample(a, b);
    expect(Math.abs(statistic - d)).toBeLessThanOrEqual(1e-15);
    expect(Math.abs(pValue - exact)).toBeLessThanOrEqual(1e-9 * exact + 1e-15);
  });

  test("large samples: p within 9 % of scipy's asymptotic one from 1 down to 1e-7", () => {
    const checked = vectors.large.filter((row) => row[3] >= 1e-7);
    expect(checked.length).toBeGreaterThan(20);
    for (const [d, n, m, want] of checked) {
      const got = ksPValue(d, n, m);
      expect({ d, n, m, got, want, ok: Math.abs(got - want) <= 0.09 * want }).toMatchObject({ ok: true });
    }
  });
});

describe('properties', () => {
  test('is symmetric and blind to a monotone change of scale', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const d = ksDistance(a, b);
        expect(ksDistance(b, a)).toBe(d);
        const stretch = (values: number[]) => values.map((v) => Math.atan(v) * 3 + 1);
        expect(ksDistance(stretch(a), stretch(b))).toBe(d);
        expect(ksPValue(d, a.length, b.length)).toBeCloseTo(ksPValue(d, b.length, a.length), 12);
      }),
    );
  });

  test('equals the definition at every value', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const share = (values: number[], x: number) => values.filter((v) => v <= x).length / values.length;
        const brute = Math.max(...[...a, ...b].map((x) => Math.abs(share(a, x) - share(b, x))));
        expect(ksDistance(a, b)).toBeCloseTo(brute, 14);
      }),
    );
  });

  test('p falls as D grows, exact and approximate', () => {
    for (const exactLattice of [0, 1e6]) {
      let last = 1;
      for (let d = 0; d <= 1; d += 0.01) {
        const p = ksPValue(Math.min(d, 1), 37, 90, exactLattice);
        expect(p).toBeLessThanOrEqual(last + 1e-15);
        last = p;
      }
      expect(last).toBeLessThan(1e-9);
    }
  });
});

test('infinities are ordered values; NaN and empty samples are bugs', () => {
  expect(ksDistance([Number.NEGATIVE_INFINITY, 0], [0, Number.POSITIVE_INFINITY])).toBe(0.5);
  expect(() => ksDistance([], [1])).toThrow(/0 and 1/);
  expect(() => ksDistance([Number.NaN], [1])).toThrow(/NaN/);
  expect(() => ksPValue(1.2, 3, 3)).toThrow(/D is 1.2/);
  expect(() => ksPValue(0.5, 0, 3)).toThrow(/0 and 3/);
});
