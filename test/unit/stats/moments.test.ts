import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { meanShift } from '../../../src/detectors/mean-shift.js';
import { varianceShift } from '../../../src/detectors/variance-shift.js';
import { wasserstein } from '../../../src/detectors/wasserstein.js';
import type { Grid } from '../../../src/domain/profile.js';
import { chiOfVariation, wassersteinDistance } from '../../../src/stats/wasserstein.js';
import { profileOf } from '../../support/count-profiles.js';
import { normals } from '../../support/judge-fixture.js';
import { numericOracle } from '../../support/numeric-oracle.js';

const cases = numericOracle().moments;

/** A grid with a cell for each value of both samples. */
function measure(
  detector: ReturnType<typeof meanShift>,
  current: readonly number[],
  reference: readonly number[],
) {
  const cutPoints = [...new Set([...current, ...reference])].sort((a, b) => a - b);
  const grid: Grid = { kind: 'numeric', feature: 'x', cutPoints, quantum: 2 ** -20 };
  const found = detector.measure({
    grid,
    reference: profileOf(grid, reference),
    current: profileOf(grid, current),
  });
  if (typeof found === 'string') throw new RangeError(found);
  return found;
}

const close = (name: string, value: number, expected: number, tolerance: number) =>
  expect({
    name,
    value,
    expected,
    ok: Math.abs(value - expected) <= tolerance * Math.max(1, Math.abs(expected)),
  }).toMatchObject({ ok: true });

describe('against scipy', () => {
  // (N − 1)·R² with R² = F/(F + N − 2), for F = t² and for Levene's.
  const zOf = (f: number, rows: number) => Math.sqrt(((rows - 1) * f) / (f + rows - 2));

  test('meanShift is the permutation form of the t test, within 1e-6, and its effect the difference over the spread', () => {
    for (const { name, current, reference, t, spread } of cases) {
      if (t === null) continue;
      const found = measure(meanShift(), current, reference);
      close(name, found.statistic, zOf(t * t, current.length + reference.length), 1e-6);
      const mean = (list: readonly number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
      if (spread > 0)
        close(name, found.effectWithInterval(1).value, (mean(current) - mean(reference)) / spread, 1e-6);
    }
  });

  test('varianceShift is the permutation form of the Brown–Forsythe test, within 1e-6', () => {
    for (const { name, current, reference, levene } of cases)
      if (levene !== null)
        close(
          name,
          measure(varianceShift(), current, reference).statistic,
          zOf(levene, current.length + reference.length),
          1e-6,
        );
  });

  test('wasserstein over the spread of the reference, within 1e-6', () => {
    for (const { name, current, reference, wasserstein: expected, spread } of cases)
      if (spread > 0) {
        const found = measure(wasserstein(), current, reference);
        close(name, found.statistic, expected / spread, 1e-6);
        close(name, found.resolution ?? Number.NaN, 0, 1e-9);
      }
  });
});

describe('properties', () => {
  const values = fc.array(fc.integer({ min: -200, max: 200 }), { minLength: 2, maxLength: 60 });

  test("on a coarse grid Wasserstein's distance lies below the exact one by no more than its resolution", () => {
    const cutPoints = [-150, -40, 0, 3, 90, 160];
    const sums = (list: readonly number[]) => {
      const counts = new Array<number>(2 * cutPoints.length + 1).fill(0);
      const offsets = [...counts];
      for (const x of list) {
        const below = cutPoints.filter((cut) => cut <= x).length;
        const cell = below > 0 && cutPoints[below - 1] === x ? 2 * below - 1 : 2 * below;
        counts[cell] = (counts[cell] ?? 0) + 1;
        offsets[cell] = (offsets[cell] ?? 0) + x - (cutPoints[Math.max(0, below - 1)] ?? 0);
      }
      return { counts, offsets };
    };
    const exact = (a: readonly number[], b: readonly number[]) => {
      let sum = 0;
      const shareUpTo = (list: readonly number[], x: number) =>
        list.filter((v) => v <= x).length / list.length;
      for (let x = -200; x < 200; x++) sum += Math.abs(shareUpTo(a, x) - shareUpTo(b, x));
      return sum;
    };
    fc.assert(
      fc.property(values, values, (a, b) => {
        const { distance, resolution } = wassersteinDistance(cutPoints, 1, sums(a), sums(b));
        expect(distance).toBeLessThanOrEqual(exact(a, b) + 1e-9);
        expect(distance + resolution).toBeGreaterThanOrEqual(exact(a, b) - 1e-9);
      }),
    );
  });

  test('which sample is the reference does not matter to the tests', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(measure(meanShift(), a, b).statistic).toBeCloseTo(measure(meanShift(), b, a).statistic, 8);
      }),
    );
  });
});

test('the law of the distance: windows without drift have uniform p-values, in the middle and in the tail', () => {
  const reference = normals(1, 900);
  const detector = wasserstein();
  const pValues = Array.from({ length: 600 }, (_, i) => {
    const found = measure(detector, normals(100 + i, 80), normals(5_000 + i, 700));
    return found.iidPValueOf(found.statistic);
  });
  for (const alpha of [0.5, 0.05]) {
    const share = pValues.filter((p) => p <= alpha).length / pValues.length;
    expect(Math.abs(share - alpha)).toBeLessThan(
      4 * Math.sqrt((alpha * (1 - alpha)) / pValues.length) + 0.1 * alpha,
    );
  }
  expect(measure(detector, normals(3, 80, 1), reference).iidPValueOf(0.9)).toBeLessThan(1e-6);
});

test('χ with the variation of χ(5) is χ(5)', () => {
  const mean = 2.12769216; // √2·Γ(3)/Γ(2.5)
  const { df, mean: found } = chiOfVariation(5 / mean ** 2 - 1);
  expect(df).toBeCloseTo(5, 4);
  expect(found).toBeCloseTo(mean, 5);
});
