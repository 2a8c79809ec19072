import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { total } from '../../../src/stats/cells.js';
import {
  categoryPlan,
  cellMoments,
  moveCells,
  shiftPlan,
  thinCells,
} from '../../../src/stats/shift-cells.js';

const CUTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const counts = fc.array(fc.nat(500), { minLength: 21, maxLength: 21 });

describe('a shift of numbers', () => {
  test('keeps every row, whatever the shift', () => {
    fc.assert(
      fc.property(
        counts,
        fc.double({ min: -20, max: 20, noNaN: true }),
        fc.boolean(),
        (cells, delta, discrete) => {
          const plan = shiftPlan(CUTS, delta, { width: 1, discrete });
          for (const targets of plan)
            expect(targets.reduce((sum, [, share]) => sum + share, 0)).toBeCloseTo(1, 9);
          const moved = moveCells(cells, plan);
          expect(total(moved)).toBe(total(cells));
          expect(Math.min(...moved)).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  test('moves the mean of values between cut points by delta', () => {
    // a bell in the gaps from 2 to 7
    const cells = [0, 0, 0, 0, 0, 0, 1_000, 0, 4_000, 0, 6_000, 0, 4_000, 0, 1_000, 0, 0, 0, 0, 0, 0];
    const before = cellMoments(cells, CUTS);
    const after = cellMoments(moveCells(cells, shiftPlan(CUTS, 0.3, { width: 1, discrete: false })), CUTS);
    expect(after.mean - before.mean).toBeCloseTo(0.3, 3);
  });

  test('of whole numbers goes to the whole numbers beside the target', () => {
    const cells = new Array<number>(21).fill(0);
    cells[7] = 1_000; // equal to 3
    const moved = moveCells(cells, shiftPlan(CUTS, 1.25, { width: 1, discrete: true }));
    expect([moved[9], moved[11], total(moved)]).toEqual([750, 250, 1_000]);
    expect(cellMoments(moved, CUTS).mean).toBeCloseTo(4.25, 12);
  });

  test('of atoms lands between the cut points, and beyond the ends in the outer gaps', () => {
    const cells = new Array<number>(21).fill(0);
    cells[1] = 10;
    cells[19] = 20;
    const moved = moveCells(cells, shiftPlan(CUTS, 0.5, { width: 1, discrete: false }));
    expect([moved[2], moved[20]]).toEqual([10, 20]);
    expect(moveCells(cells, shiftPlan(CUTS, 1, { width: 1, discrete: false }))[3]).toBe(10);
  });

  test('moments are those of the values', () => {
    const cells = new Array<number>(21).fill(0);
    cells[3] = 1; // 1
    cells[5] = 2; // 2, 2
    cells[11] = 1; // 5
    const { mean, sd } = cellMoments(cells, CUTS);
    expect(mean).toBeCloseTo(2.5, 12);
    expect(sd).toBeCloseTo(1.5, 12);
    expect(cellMoments(new Array<number>(21).fill(0), CUTS).sd).toBe(0);
  });
});

describe('a shift of categories', () => {
  test.each([
    [[0.5, 0.3, 0.2], 0.2, [300, 500, 200]],
    [[0.3, 0.5, 0.2], 0.2, [500, 300, 200]],
    // more than the most frequent one holds: the others give the rest
    [[0.4, 0.3, 0.2, 0.1], 0.5, [0, 800, 100, 100]],
  ])('of %j by %d', (shares, moved, expected) => {
    const cells = shares.map((share) => share * 1_000);
    expect(moveCells(cells, categoryPlan(shares, moved))).toEqual(expected);
  });
});

test('thinning takes a share of every cell, in whole rows', () => {
  fc.assert(
    fc.property(counts, fc.double({ min: 0, max: 1, noNaN: true }), (cells, share) => {
      const { left, taken } = thinCells(cells, share);
      expect(total(left) + taken).toBe(total(cells));
      expect(Math.abs(taken - share * total(cells))).toBeLessThanOrEqual(1);
      for (const [i, count] of left.entries()) expect(count).toBeLessThanOrEqual((cells[i] ?? 0) + 1);
    }),
  );
});
