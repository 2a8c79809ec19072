import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { massMoves, movesWords } from '../../../src/detectors/mass-moves.js';
import type { Grid } from '../../../src/domain/profile.js';

const NUMBERS: Grid = { kind: 'numeric', feature: 'x', cutPoints: [10, 20, 30, 40], quantum: 1 };
const WORDS: Grid = { kind: 'categorical', feature: 'x', categories: ['UA', 'EV', 'HA'], headSize: 2 };
const words = (grid: Grid, reference: readonly number[], current: readonly number[]) => {
  const moves = massMoves(grid, reference, current);
  return moves === null ? null : movesWords(grid, moves);
};

describe('massMoves', () => {
  test('tells from where to where numbers went, with the shares before and after', () => {
    expect(words(NUMBERS, [0, 25, 0, 25, 0, 25, 0, 25, 0], [0, 5, 0, 20, 0, 25, 0, 50, 0])).toBe(
      '25 % of values moved, most from at or below 20 (50 % → 25 %) to above 30 (25 % → 50 %)',
    );
  });

  test('tells a change into the middle, and an atom by its value', () => {
    expect(words(NUMBERS, [0, 25, 0, 25, 0, 25, 0, 25, 0], [0, 0, 0, 50, 0, 25, 0, 25, 0])).toBe(
      '25 % of values moved, most from at or below 10 (25 % → 0 %) to above 10 up to 20 (25 % → 50 %)',
    );
  });

  test('tells categories that gained and lost, in points, rare and new ones by what they are', () => {
    expect(words(WORDS, [50, 40, 10, 0], [62, 31, 4, 3])).toBe(
      '"UA" +12 points (50 % → 62 %), "EV" −9 points (40 % → 31 %) and the rare values −6 points (10 % → 4 %)',
    );
    expect(words(WORDS, [100, 0, 0, 0], [99, 0, 0, 1])).toBe(
      '"UA" −1 point (100 % → 99 %) and values that the reference never had +1 point (0 % → 1 %)',
    );
  });

  test('says nothing of a side without values, and names no place where none changed', () => {
    expect(massMoves(NUMBERS, [0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0, 0])).toBeNull();
    expect(words(NUMBERS, [0, 4, 0, 4, 0, 4, 0, 4, 0], [0, 4, 0, 4, 0, 4, 0, 4, 0])).toBe(
      'its values spread differently',
    );
  });

  test('what moved is never more than the total variation of the cells, and 0 for the same shares', () => {
    const counts = fc.array(fc.nat(50), { minLength: 9, maxLength: 9 }).filter((all) => all.some(Boolean));
    fc.assert(
      fc.property(counts, counts, (reference, current) => {
        const n = reference.reduce((a, b) => a + b, 0);
        const m = current.reduce((a, b) => a + b, 0);
        const variation = reference.reduce(
          (sum, count, cell) => sum + Math.abs(count / n - (current[cell] ?? 0) / m) / 2,
          0,
        );
        const { moved } = massMoves(NUMBERS, reference, current) ?? { moved: Number.NaN };
        expect(moved).toBeLessThanOrEqual(variation + 1e-12);
        expect(moved).toBeGreaterThanOrEqual(0);
        expect(
          massMoves(
            NUMBERS,
            reference,
            reference.map((count) => 3 * count),
          )?.moved,
        ).toBeCloseTo(0, 12);
      }),
    );
  });
});
