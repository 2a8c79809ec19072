import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { binCounts, cellDistance, quantileBinEnds, total } from '../../../src/stats/cells.js';
import { ksDistance } from '../../../src/stats/ks-two-sample.js';
import { gridOf, profileOf } from '../../support/count-profiles.js';

const values = fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 1, maxLength: 80 });
const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b);

describe('D from cells', () => {
  test('is exact when all distinct values are cut points', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const grid = gridOf('x', 'numeric', [...a, ...b]);
        const { distance, resolution } = cellDistance(profileOf(grid, a).counts, profileOf(grid, b).counts);
        expect(distance).toBe(ksDistance(sorted(a), sorted(b)));
        expect(resolution).toBe(0);
      }),
    );
  });

  test('is below the exact D by at most the resolution, whatever the current data is', () => {
    fc.assert(
      fc.property(values, values, fc.integer({ min: 1, max: 9 }), (reference, current, cuts) => {
        const grid = gridOf('x', 'numeric', reference, cuts);
        const { distance, resolution } = cellDistance(
          profileOf(grid, current).counts,
          profileOf(grid, reference).counts,
        );
        const exact = ksDistance(sorted(current), sorted(reference));
        expect(distance).toBeLessThanOrEqual(exact + 1e-12);
        expect(exact).toBeLessThanOrEqual(distance + resolution + 1e-12);
      }),
      { numRuns: 500 },
    );
  });

  test('needs one grid and a value on both sides', () => {
    expect(() => cellDistance([1], [1, 2])).toThrow(/1 and 2/);
    expect(() => cellDistance([0, 0], [1, 2])).toThrow(/0 and 3/);
  });
});

describe('deciles', () => {
  test('split distinct values evenly', () => {
    const grid = gridOf(
      'x',
      'numeric',
      Array.from({ length: 100 }, (_, i) => i),
    );
    const counts = profileOf(
      grid,
      Array.from({ length: 100 }, (_, i) => i),
    ).counts;
    expect(binCounts(counts, quantileBinEnds(counts, 10))).toEqual(new Array(10).fill(10));
  });

  test('merge ties: an atom of 70 % leaves what is beside it', () => {
    const list = [...new Array<number>(70).fill(0), ...Array.from({ length: 30 }, (_, i) => i + 1)];
    const grid = gridOf('x', 'numeric', list);
    const counts = profileOf(grid, list).counts;
    expect(binCounts(counts, quantileBinEnds(counts, 10))).toEqual([70, 10, 10, 10]);
  });

  test('a constant has one bin; no bin is empty in the reference; nothing is lost', () => {
    const grid = gridOf('x', 'numeric', [5, 5, 5]);
    expect(quantileBinEnds(profileOf(grid, [5, 5, 5]).counts, 10)).toEqual([3]);
    fc.assert(
      fc.property(values, values, (reference, current) => {
        const anyGrid = gridOf('x', 'numeric', reference, 8);
        const counts = profileOf(anyGrid, reference).counts;
        const ends = quantileBinEnds(counts, 10);
        expect(binCounts(counts, ends).every((count) => count > 0)).toBe(true);
        const now = profileOf(anyGrid, current).counts;
        expect(total(binCounts(now, ends))).toBe(current.length);
      }),
    );
  });

  test('a reference without values has no deciles', () => {
    expect(() => quantileBinEnds([0, 0, 0], 10)).toThrow(/no value/);
  });
});
