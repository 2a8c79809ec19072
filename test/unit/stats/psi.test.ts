import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { binCounts, quantileBinEnds } from '../../../src/stats/cells.js';
import { populationStability, psiPValue } from '../../../src/stats/psi.js';
import { createRandom } from '../../../src/stats/random.js';
import { gridOf, profileOf } from '../../support/count-profiles.js';
import { oracle } from '../../support/oracle.js';

describe('against numpy', () => {
  test.each(oracle().psi)('$name: value and p within 1e-10', (vector) => {
    const grid = gridOf('x', 'numeric', vector.reference);
    const reference = profileOf(grid, vector.reference);
    const current = profileOf(grid, vector.current);
    const ends = quantileBinEnds(reference.counts, 10);
    const result = populationStability(
      [...binCounts(reference.counts, ends), reference.missing],
      [...binCounts(current.counts, ends), current.missing],
    );
    expect(result.cells).toBe(vector.cells);
    expect(Math.abs(result.psi - vector.psi)).toBeLessThanOrEqual(1e-10 * vector.psi);
    const p = psiPValue(result.psi, result.cells, result.scale);
    expect(Math.abs(p - vector.pValue)).toBeLessThanOrEqual(1e-10 * vector.pValue);
  });
});

test('is never negative, 0 for equal counts, and finite with empty cells', () => {
  const counts = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(counts, counts, (a, b) => {
      fc.pre(a.some((x) => x > 0) && b.some((x) => x > 0));
      const { psi } = populationStability(a, b);
      expect(psi).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(psi)).toBe(true);
      expect(populationStability(a, a).psi).toBe(0);
    }),
  );
});

test('cells that are empty on both sides change nothing', () => {
  const { psi, cells } = populationStability([50, 50], [5, 7]);
  expect(populationStability([50, 0, 50, 0], [5, 0, 7, 0])).toMatchObject({ psi, cells });
});

test('its null k·χ²(B − 1) holds at 5 % within three standard errors for windows of 200 rows', () => {
  const random = createRandom(7);
  const drawCounts = (rows: number) => {
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < rows; i++) {
      const cell = Math.floor(random() * 10);
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
    return counts;
  };
  const runs = 1_000;
  let rejected = 0;
  for (let run = 0; run < runs; run++) {
    const { psi, cells, scale } = populationStability(drawCounts(2_000), drawCounts(200));
    if (psiPValue(psi, cells, scale) <= 0.05) rejected++;
  }
  expect(Math.abs(rejected / runs - 0.05)).toBeLessThan(3 * Math.sqrt((0.05 * 0.95) / runs));
});

test('an empty side or two grids are bugs', () => {
  expect(() => populationStability([0, 0], [1, 1])).toThrow(/2 and 0/);
  expect(() => populationStability([1], [1, 1])).toThrow(/one grid/);
});
