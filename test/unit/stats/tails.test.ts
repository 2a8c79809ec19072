import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { countPValue } from '../../../src/stats/count-prediction.js';
import { exceedancePValue } from '../../../src/stats/exceedance.js';
import { ksPValue } from '../../../src/stats/ks-two-sample.js';
import { shareExcessPValue } from '../../../src/stats/outlier-share.js';
import { gammaLowerTail, gammaTail } from '../../../src/stats/sparse-chi-square.js';
import { chiSquareSf, fSf, kolmogorovSf, normalSf } from '../../../src/stats/special.js';
import { fisherPValue } from '../../../src/stats/two-proportion.js';

/** Vectors of test/oracle/tails.py: rows of arguments, the p-value last. */
const vectors = JSON.parse(readFileSync('test/oracle/tails.json', 'utf8')) as Record<string, number[][]>;

type Tail = (row: readonly number[]) => number;
const at = (row: readonly number[], index: number): number => row[index] ?? Number.NaN;

/** Name, tail, relative tolerance, and how far its vectors reach. */
const laws: readonly [string, Tail, number, number][] = [
  ['chiSquare', (r) => chiSquareSf(at(r, 0), at(r, 1)), 1e-11, 1e-299],
  ['f', (r) => fSf(at(r, 0), at(r, 1), at(r, 2)), 1e-9, 1e-299],
  ['normal', (r) => normalSf(at(r, 0)), 1e-12, 1e-299],
  ['kolmogorov', (r) => kolmogorovSf(at(r, 0)), 1e-12, 1e-299],
  [
    'ksExact',
    (r) => ksPValue(at(r, 0) / (at(r, 1) * at(r, 2)), at(r, 1), at(r, 2), Number.POSITIVE_INFINITY),
    1e-13,
    1e-199,
  ],
  [
    'shareExcess',
    (r) => shareExcessPValue({ flagged: at(r, 0), rows: at(r, 1) }, { flagged: at(r, 2), rows: at(r, 3) }),
    1e-11,
    1e-290,
  ],
  [
    'fisher',
    (r) => fisherPValue({ hits: at(r, 0), rows: at(r, 1) }, { hits: at(r, 2), rows: at(r, 3) }),
    1e-11,
    1e-299,
  ],
  ['counts', (r) => countPValue(at(r, 0), { mean: at(r, 1), dispersion: at(r, 2) }), 1e-9, 1e-290],
  ['exceedance', (r) => exceedancePValue(at(r, 0), at(r, 1), at(r, 2)), 1e-11, 1e-290],
];

const offBy = (got: number, want: number) => Math.abs(got - want) / want;

describe('p-values from 0.5 to 1e-300, of 2 to 10,000,000 rows, against fifty digits', () => {
  test.each(laws)('%s', (name, tail, tolerance, reach) => {
    const rows = vectors[name] ?? [];
    expect(rows.length).toBeGreaterThan(7);
    expect(Math.min(...rows.map((row) => at(row, row.length - 1)))).toBeLessThan(reach);
    for (const row of rows) {
      const got = tail(row);
      expect({ row, got, near: offBy(got, at(row, row.length - 1)) <= tolerance }).toMatchObject({
        near: true,
      });
    }
  });

  test("Pearson's third law at both ends", () => {
    for (const [z = 0, skew = 0, upper = 0, lower = 0] of vectors.pearsonThree ?? []) {
      const law = { mean: 0, variance: 1, third: skew };
      const off = [offBy(gammaTail(z, law), upper), offBy(gammaLowerTail(z, law), lower)];
      expect({ z, skew, off, near: Math.max(...off) <= 1e-11 }).toMatchObject({ near: true });
    }
  });

  test('Kolmogorov–Smirnov beyond 100,000 lattice points: 2.5 % down to 1e-30, 10 % down to 1e-300', () => {
    const rows = vectors.ksLarge ?? [];
    expect(rows.length).toBeGreaterThan(100);
    expect(Math.max(...rows.map((row) => at(row, 1)))).toBe(1e7);
    for (const row of rows) {
      const [d = 0, n = 0, m = 0, want = 0] = row;
      const both = [ksPValue(d, n, m), ksPValue(d, m, n)];
      expect(both[1]).toBe(both[0]);
      const near = offBy(both[0] as number, want) <= (want > 1e-30 ? 0.025 : 0.1);
      expect({ row, both, near }).toMatchObject({ near: true });
    }
  });
});
