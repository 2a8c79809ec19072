import { z } from 'zod';
import { total } from '../stats/cells.js';
import {
  balancedCramersV,
  type Contingency,
  chiSquareStatistic,
  lumpRareCells,
} from '../stats/chi-square.js';
import { leastPermutationPValue } from '../stats/hypergeometric.js';
import { gammaTail, splitChiSquare } from '../stats/sparse-chi-square.js';
import { defineDetector, holdsIdentifiers, informationOf, isSameCategory, type Samples } from './detector.js';
import { totalOf } from './profile-facts.js';

/** Two-sample χ² on the categories of a categorical column: head, pooled tail and unseen values; missing is left out. */
export const chiSquare = defineDetector({
  name: 'chiSquare',
  accepts: ['categorical'],
  category: 'drift',
  role: 'primary',
  minimumEffect: 0.1,
  params: z.strictObject({}),
  measure: ({ grid, reference, current }) => {
    const currentRows = totalOf(current);
    const referenceRows = totalOf(reference);
    if (referenceRows === 0) return 'no_reference';
    if (currentRows === 0) return 'no_data';
    if (currentRows < 2 || referenceRows < 2) return 'too_few_rows';
    const constant = isSameCategory(grid, reference, current);
    const table = tableOf({ grid, reference, current });
    const split = splitChiSquare(table.reference, table.current);
    if (!constant && split.cells < 2) return holdsIdentifiers(grid) ? 'high_cardinality' : 'too_few_rows';
    const { statistic, excess } = split;
    const cumulants = constant ? { mean: 1, variance: 2, third: 8 } : split.null;
    const information = informationOf({ referenceRows, currentRows });
    // What chance adds to X² is taken off, which would read as V = 0.9 in a window of fifty rows and a thousand categories;
    // where a difference is large the definition is exact, and less.
    const value = Math.min(balancedCramersV(table), sizeOf(excess, information));
    const leastPValue = leastPermutationPValue(currentRows, referenceRows);
    return {
      statistic,
      referenceRows,
      currentRows,
      degreesOfFreedom: (2 * cumulants.mean ** 2) / cumulants.variance,
      largest: Math.max(statistic, largestStatistic(table.reference, currentRows)),
      resolution: null,
      vacuous: constant ? 'constant' : null,
      opposite: null,
      ratioOf: (x) => x / cumulants.mean,
      iidPValueOf: (x) => Math.max(leastPValue, gammaTail(x, cumulants)),
      effectOf: (x) => sizeOf(x - cumulants.mean, information),
      effectWithInterval: (designEffect) => {
        // A non-central X² varies by its own variance and by four times its excess.
        const variance = designEffect ** 2 * split.excessVariance + 4 * designEffect * Math.max(0, excess);
        const half = (1.96 * Math.sqrt(variance)) / (4 * information);
        return {
          value,
          low: Math.sqrt(Math.max(0, value * value - half)),
          high: Math.sqrt(Math.min(1, value * value + half)),
        };
      },
      parameters: {
        cells: split.cells,
        rareCells: split.rareCells,
        rareWeight: split.weight,
        expectation: cumulants.mean,
      },
    };
  },
  screen: ({ grid, reference }) => {
    const referenceRows = totalOf(reference);
    return (current) => {
      const currentRows = totalOf(current);
      if (currentRows < 2 || referenceRows < 2 || isSameCategory(grid, reference, current)) return null;
      const table = tableOf({ grid, reference, current });
      const { statistic, cells, null: cumulants } = splitChiSquare(table.reference, table.current);
      if (cells < 2) return null;
      return {
        statistic,
        referenceRows,
        currentRows,
        ratioOf: (x) => x / cumulants.mean,
        iidPValueOf: (x) =>
          Math.max(leastPermutationPValue(currentRows, referenceRows), gammaTail(x, cumulants)),
      };
    };
  },
});

/** Tail and unseen. */
const POOLED_CELLS = 2;

/**
 * Where values occur once in the reference, others are missing there by chance and new in the window: by themselves they would flag
 * every window, so all rare values are one cell then.
 */
function tableOf({ grid, reference, current }: Samples): Contingency {
  const table = { reference: reference.counts, current: current.counts };
  const hasSingletons = grid.kind === 'categorical' && (grid.singletonShare ?? 0) > 0;
  return hasSingletons ? lumpRareCells(table, POOLED_CELLS) : table;
}

/** Cramér's V at equal sizes: to first order X² exceeds its expectation by 4·V²·n·m/(n + m). */
function sizeOf(excess: number, information: number): number {
  return Math.min(1, Math.sqrt(Math.max(0, excess) / information) / 2);
}

/** The statistic if every row of the window fell into the reference's rarest cell; into a new one if there is no other. */
function largestStatistic(reference: readonly number[], currentRows: number): number {
  let rarest = -1;
  let known = 0;
  reference.forEach((count, i) => {
    if (count === 0) return;
    known++;
    if (rarest < 0 || count < (reference[rarest] ?? 0)) rarest = i;
  });
  if (known < 2) return currentRows + total(reference);
  const current = reference.map((_, i) => (i === rarest ? currentRows : 0));
  return chiSquareStatistic({ reference, current }).statistic;
}
