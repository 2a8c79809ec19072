import { z } from 'zod';
import { total } from '../stats/cells.js';
import {
  balancedCramersV,
  type Contingency,
  chiSquareStatistic,
  poolRareCells,
} from '../stats/chi-square.js';
import { chiSquareSf } from '../stats/special.js';
import { defineDetector, informationOf, onlyCell } from './detector.js';

/** Two-sample χ² on the categories of a categorical column: head, pooled tail and unseen values; missing is left out. */
export const chiSquare = defineDetector({
  name: 'chiSquare',
  accepts: ['categorical'],
  category: 'drift',
  role: 'primary',
  minimumEffect: 0.1,
  params: z.strictObject({}),
  measure: ({ grid, reference, current }) => {
    const currentRows = total(current.counts);
    const referenceRows = total(reference.counts);
    if (referenceRows === 0) return 'no_reference';
    if (currentRows === 0) return 'no_data';
    const only = onlyCell(reference.counts);
    const head = grid.kind === 'categorical' ? grid.headSize : 0;
    const constant = only >= 0 && only < head && only === onlyCell(current.counts);
    const table = poolRareCells(reference.counts, current.counts);
    if (!constant && table.reference.length < 2) return 'too_few_rows';
    const { statistic } = chiSquareStatistic(table);
    const degreesOfFreedom = Math.max(1, table.reference.length - 1);
    const information = informationOf({ referenceRows, currentRows });
    const value = balancedCramersV(table);
    return {
      statistic,
      referenceRows,
      currentRows,
      degreesOfFreedom,
      largest: largestStatistic(table, currentRows),
      resolution: null,
      vacuous: constant ? 'constant' : null,
      opposite: null,
      ratioOf: (x) => x / degreesOfFreedom,
      iidPValueOf: (x) => chiSquareSf(x, degreesOfFreedom),
      // Exact to first order: X² ≈ 4·V²·n·m/(n + m) for V at equal sizes.
      effectOf: (x) => Math.min(1, Math.sqrt(x / information) / 2),
      effectWithInterval: (designEffect) => {
        // √X² has a spread of about 1 around its centre, so V one of √(designEffect/information)/2.
        const half = 1.96 * (Math.sqrt(designEffect / information) / 2);
        return { value, low: Math.max(0, value - half), high: Math.min(1, value + half) };
      },
      parameters: { degreesOfFreedom, cells: table.reference.length },
    };
  },
});

/**
 * X² if every row of the window fell into the reference's rarest tested cell; with one such cell only another value can
 * show a change, and X² is then the number of rows.
 */
function largestStatistic(table: Contingency, currentRows: number): number {
  const known = table.reference.filter((count) => count > 0);
  if (known.length === 1) return currentRows + total(known);
  const rarest = table.reference.indexOf(Math.min(...known));
  const current = table.reference.map((_, i) => (i === rarest ? currentRows : 0));
  return chiSquareStatistic({ reference: table.reference, current }).statistic;
}
