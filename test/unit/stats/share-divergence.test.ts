import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { binCounts, quantileBinEnds } from '../../../src/stats/cells.js';
import { createRandom } from '../../../src/stats/random.js';
import {
  divergencePValue,
  HELLINGER_SQUARED,
  JENSEN_SHANNON,
  POPULATION_STABILITY,
  smoothedDivergence,
} from '../../../src/stats/share-divergence.js';
import { gridOf, profileOf } from '../../support/count-profiles.js';
import { oracle } from '../../support/oracle.js';
import { sharesOracle } from '../../support/shares-oracle.js';

const ALL = [
  ['psi', POPULATION_STABILITY, (x: number) => x],
  ['jensenShannon', JENSEN_SHANNON, (x: number) => Math.sqrt(x / Math.LN2)],
  ['hellinger', HELLINGER_SQUARED, Math.sqrt],
] as const;

describe.each(ALL)('%s', (name, divergence, reportedOf) => {
  test.each(sharesOracle().divergence)(
    'against scipy, $name: value and p within 1e-9, to 1e-300',
    (vector) => {
      const expected = vector[name];
      const { value, cells, scale } = smoothedDivergence(divergence, vector.reference, vector.current);
      expect(cells).toBe(vector.cells);
      expect(Math.abs(reportedOf(value) - expected.value)).toBeLessThanOrEqual(1e-9 * expected.value + 1e-12);
      const p = divergencePValue(divergence, value, cells, scale);
      expect(Math.abs(p - expected.pValue)).toBeLessThanOrEqual(1e-9 * expected.pValue + 1e-300);
    },
  );

  const counts = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 6, maxLength: 6 });

  test('is never negative, 0 for equal counts, finite with empty cells, and alike from both sides', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        fc.pre(a.some((x) => x > 0) && b.some((x) => x > 0));
        const { value } = smoothedDivergence(divergence, a, b);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(value)).toBe(true);
        expect(smoothedDivergence(divergence, a, a).value).toBe(0);
        expect(smoothedDivergence(divergence, b, a).value).toBeCloseTo(value, 12);
      }),
    );
  });

  test('is blind to the order of cells and to cells that are empty on both sides', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        fc.pre(a.some((x) => x > 0) && b.some((x) => x > 0));
        const { value, cells } = smoothedDivergence(divergence, a, b);
        const padded = smoothedDivergence(divergence, [0, ...a.toReversed()], [0, ...b.toReversed()]);
        expect(padded.cells).toBe(cells);
        expect(padded.value).toBeCloseTo(value, 12);
      }),
    );
  });

  test('its null c·k·χ²(B − 1) holds at 5 % within three standard errors for windows of 200 rows', () => {
    const random = createRandom(7);
    const drawCounts = (rows: number) => {
      const drawn = new Array<number>(10).fill(0);
      for (let i = 0; i < rows; i++) {
        const cell = Math.floor(random() * 10);
        drawn[cell] = (drawn[cell] ?? 0) + 1;
      }
      return drawn;
    };
    const runs = 1_000;
    let rejected = 0;
    for (let run = 0; run < runs; run++) {
      const { value, cells, scale } = smoothedDivergence(divergence, drawCounts(2_000), drawCounts(200));
      if (divergencePValue(divergence, value, cells, scale) <= 0.05) rejected++;
    }
    expect(Math.abs(rejected / runs - 0.05)).toBeLessThan(3 * Math.sqrt((0.05 * 0.95) / runs));
  });

  test('an empty side or two grids are bugs', () => {
    expect(() => smoothedDivergence(divergence, [0, 0], [1, 1])).toThrow(/2 and 0/);
    expect(() => smoothedDivergence(divergence, [1], [1, 1])).toThrow(/one grid/);
  });
});

describe('PSI over deciles against numpy', () => {
  test.each(oracle().psi)('$name: value and p within 1e-10', (vector) => {
    const grid = gridOf('x', 'numeric', vector.reference);
    const reference = profileOf(grid, vector.reference);
    const current = profileOf(grid, vector.current);
    const ends = quantileBinEnds(reference.counts, 10);
    const { value, cells, scale } = smoothedDivergence(
      POPULATION_STABILITY,
      [...binCounts(reference.counts, ends), reference.missing],
      [...binCounts(current.counts, ends), current.missing],
    );
    expect(cells).toBe(vector.cells);
    expect(Math.abs(value - vector.psi)).toBeLessThanOrEqual(1e-10 * vector.psi);
    const p = divergencePValue(POPULATION_STABILITY, value, cells, scale);
    expect(Math.abs(p - vector.pValue)).toBeLessThanOrEqual(1e-10 * vector.pValue);
  });
});
