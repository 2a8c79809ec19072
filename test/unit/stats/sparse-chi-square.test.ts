import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chiSquareStatistic } from '../../../src/stats/chi-square.js';
import { createRandom } from '../../../src/stats/random.js';
import { gammaTail, permutationCumulants, splitChiSquare } from '../../../src/stats/sparse-chi-square.js';
import { chiSquareSf } from '../../../src/stats/special.js';
import { oracle } from '../../support/oracle.js';
import { sharesOracle } from '../../support/shares-oracle.js';

describe('frequent cells only', () => {
  // The vector called unequal has a thin cell.
  test.each(oracle().chiSquare.filter(({ name }) => name !== 'unequal'))(
    "$name: scipy's X² and p",
    (vector) => {
      const split = splitChiSquare(vector.reference, vector.current);
      expect(split.rareCells).toBe(0);
      expect(Math.abs(split.statistic - vector.statistic)).toBeLessThanOrEqual(1e-10 * vector.statistic);
      expect(Math.abs(gammaTail(split.statistic, split.null) - vector.pValue)).toBeLessThanOrEqual(
        1e-9 * vector.pValue,
      );
    },
  );
});

describe('moments under permutation', () => {
  test.each(sharesOracle().permutation)("$name: as numpy's draws, and the tail near theirs", (vector) => {
    const rows = vector.totals.reduce((sum, count) => sum + count, 0);
    const cumulants = permutationCumulants(vector.totals, vector.sampled, rows);
    const error = Math.sqrt(vector.variance / vector.draws);
    expect(Math.abs(cumulants.mean - vector.mean)).toBeLessThan(4 * error);
    expect(Math.abs(cumulants.variance / vector.variance - 1)).toBeLessThan(0.04);
    expect(Math.abs(cumulants.third / vector.third - 1)).toBeLessThan(0.5);
    for (const [statistic, share] of vector.tail) {
      const noise = 4 * Math.sqrt(share / vector.draws);
      // Equal totals put X² on a lattice, and a smooth tail passes through the middle of its steps.
      expect(gammaTail(statistic, cumulants)).toBeLessThan(1.2 * share + noise);
      expect(gammaTail(statistic, cumulants)).toBeGreaterThan(0.5 * share - noise);
    }
  });
});

test("the shifted gamma tail is scipy's pearson3 within 1e-8, to 1e-300, and χ²'s where it is one", () => {
  for (const [z, skew, p] of sharesOracle().gamma) {
    const tail = gammaTail(z, { mean: 0, variance: 1, third: skew });
    expect([z, skew, Math.abs(tail - p) <= 1e-8 * p]).toEqual([z, skew, true]);
  }
  for (const df of [1, 7, 999])
    for (const x of [0.5, 10, 300]) {
      const p = chiSquareSf(x, df);
      expect(Math.abs(gammaTail(x, { mean: df, variance: 2 * df, third: 8 * df }) - p)).toBeLessThanOrEqual(
        1e-10 * p,
      );
    }
});

describe('splitting', () => {
  const counts = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 })), {
    minLength: 1,
    maxLength: 30,
  });

  test('goes by margins, is blind to the order of cells and to empty ones, and never NaN', () => {
    fc.assert(
      fc.property(counts, (cells) => {
        const reference = cells.map((cell) => cell[0]);
        const current = cells.map((cell) => cell[1]);
        fc.pre(reference.some((x) => x > 0) && current.some((x) => x > 0));
        const split = splitChiSquare(reference, current);
        const other = splitChiSquare([0, ...reference.toReversed()], [0, ...current.toReversed()]);
        expect(other.statistic).toBeCloseTo(split.statistic, 8);
        expect(other.rareCells).toBe(split.rareCells);
        for (const x of [split.statistic, ...Object.values(split.null), split.weight, split.excess])
          expect(Number.isFinite(x)).toBe(true);
        expect(split.statistic).toBeGreaterThanOrEqual(0);
        expect(split.rareCells === 0 || split.rareCells > 1 || split.cells === 1).toBe(true);
      }),
    );
  });

  test('all cells thin: plain X² with its own moments; some thin: the pool is one cell among the others', () => {
    const flat = splitChiSquare(new Array<number>(100).fill(200), [
      ...new Array<number>(50).fill(1),
      ...new Array<number>(50).fill(0),
    ]);
    expect(flat).toMatchObject({ cells: 100, rareCells: 100, weight: 1 });
    const plain = chiSquareStatistic({
      reference: new Array<number>(100).fill(200),
      current: [...new Array<number>(50).fill(1), ...new Array<number>(50).fill(0)],
    });
    expect(flat.statistic).toBeCloseTo(plain.statistic, 9);
    const mixed = splitChiSquare([900, 600, 8, 6, 4, 4, 2], [90, 60, 1, 1, 0, 0, 0]);
    expect(mixed.rareCells).toBe(6);
    expect(mixed.weight).toBeGreaterThan(0);
    expect(mixed.weight).toBeLessThan(1);
  });

  test('an empty side or two grids are bugs', () => {
    expect(() => splitChiSquare([0], [1])).toThrow(/1 and 0/);
    expect(() => splitChiSquare([1, 2], [1])).toThrow(/one grid/);
  });
});

describe('with a reference of 5,000 rows', () => {
  const laws = {
    'a thousand equal categories': new Array<number>(1_000).fill(1),
    "a hundred by Zipf's law": Array.from({ length: 100 }, (_, i) => 1 / (i + 1)),
    'one category of one in a thousand': [1, 1, 0.002],
  };
  const cumulative = (weights: readonly number[]) => {
    let sum = 0;
    return weights.map((weight) => (sum += weight));
  };
  const draw = (random: () => number, law: readonly number[], rows: number) => {
    const drawn = new Array<number>(law.length).fill(0);
    for (let i = 0; i < rows; i++) {
      const u = random() * (law.at(-1) ?? 1);
      // The first cell whose edge is above u.
      let cell = 0;
      for (let last = law.length - 1; cell < last; ) {
        const middle = (cell + last) >> 1;
        if ((law[middle] ?? 0) > u) last = middle;
        else cell = middle + 1;
      }
      drawn[cell] = (drawn[cell] ?? 0) + 1;
    }
    return drawn;
  };

  test.each(Object.entries(laws))(
    '%s: windows of 50 rows are flagged at 5 % and 1 % as often as they should be',
    (_, weights) => {
      const random = createRandom(31);
      const law = cumulative(weights);
      const runs = 1_000;
      let at5 = 0;
      let at1 = 0;
      for (let run = 0; run < runs; run++) {
        const split = splitChiSquare(draw(random, law, 5_000), draw(random, law, 50));
        const p = gammaTail(split.statistic, split.null);
        if (p <= 0.05) at5++;
        if (p <= 0.01) at1++;
      }
      expect(at5).toBeLessThan(50 + 3.3 * Math.sqrt(47.5));
      expect(at1).toBeLessThan(10 + 3.3 * Math.sqrt(9.9));
      expect(at5).toBeGreaterThan(10);
    },
  );

  test.each([
    ['a thousand equal categories', 50],
    ["a hundred by Zipf's law", 200],
  ] as const)(
    '%s, %d rows: a fifth of the mass moved to one category is found at p = 0.001',
    (name, rows) => {
      const random = createRandom(32);
      const law = cumulative(laws[name]);
      const all = law.at(-1) ?? 1;
      const moved = cumulative(laws[name].map((weight, i) => (0.8 * weight) / all + (i === 40 ? 0.2 : 0)));
      let caught = 0;
      for (let run = 0; run < 100; run++) {
        const split = splitChiSquare(draw(random, law, 5_000), draw(random, moved, rows));
        if (gammaTail(split.statistic, split.null) <= 0.001) caught++;
      }
      expect(caught).toBeGreaterThan(55);
    },
  );
});
