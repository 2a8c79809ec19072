import { z } from 'zod';
import type { Grid, Profile } from '../domain/profile.js';
import { hypergeometricLogProbability } from '../stats/hypergeometric.js';
import { shareDifferenceInterval } from '../stats/two-proportion.js';
import { defineDetector, onlyCell } from './detector.js';
import { totalOf } from './profile-facts.js';

/** −2·ln p of the least p-value that a double can hold. */
const LARGEST_RATIO = 1_490;

/** A column that varied in the reference and holds one and the same value in all of the window's rows. */
export const constant = defineDetector({
  name: 'constant',
  accepts: ['numeric', 'categorical'],
  category: 'dataQuality',
  role: 'descriptive',
  minimumEffect: 0.005,
  params: z.strictObject({}),
  measure: ({ grid, reference, current }) => {
    const referenceRows = totalOf(reference);
    const currentRows = totalOf(current);
    if (referenceRows === 0) return 'no_reference';
    if (currentRows === 0) return 'no_data';
    if (currentRows < 2) return 'too_few_rows';
    const modal = fullestCell(current.counts);
    const now = { hits: current.counts[modal] ?? 0, rows: currentRows };
    const before = { hits: reference.counts[modal] ?? 0, rows: referenceRows };
    const holdsOne = isOneValue(grid, current, modal);
    const pValue = Math.min(1, chanceOfOneCell(reference.counts, current.counts, currentRows, referenceRows));
    const isConstant = (share: number) => share >= 1;
    return {
      // One cell may hold many values: then not all rows are known to be alike.
      statistic: holdsOne ? 1 : Math.min(now.hits, currentRows - 1) / currentRows,
      referenceRows,
      currentRows,
      degreesOfFreedom: 1,
      largest: 1,
      resolution: null,
      vacuous: !holdsOne ? 'no_events' : onlyCell(reference.counts) === modal ? 'constant' : null,
      opposite: null,
      ratioOf: (share) => (isConstant(share) ? Math.min(LARGEST_RATIO, -2 * Math.log(pValue)) : 0),
      iidPValueOf: (share) => (isConstant(share) ? pValue : 1),
      effectOf: (share) => Math.max(0, share - before.hits / before.rows),
      effectWithInterval: (designEffect) => shareDifferenceInterval(now, before, designEffect),
      parameters: {
        referenceShare: before.hits / before.rows,
        currentShare: now.hits / now.rows,
        ...(holdsOne ? heldValue(grid, current, modal) : {}),
      },
    };
  },
});

/** The first of several. */
function fullestCell(counts: readonly number[]): number {
  let fullest = 0;
  for (let cell = 1; cell < counts.length; cell++)
    if ((counts[cell] as number) > (counts[fullest] as number)) fullest = cell;
  return fullest;
}

/** Whether all present values are the same one: a cell of many values can only tell by its extremes. */
function isOneValue(grid: Grid, current: Profile, modal: number): boolean {
  if (onlyCell(current.counts) !== modal) return false;
  if (grid.kind === 'categorical') return modal < grid.headSize;
  return modal % 2 === 1 || (current.min !== null && current.min === current.max);
}

function heldValue(grid: Grid, current: Profile, modal: number): { value: string | number } {
  if (grid.kind === 'categorical') return { value: grid.categories[modal] ?? '' };
  return { value: (modal % 2 === 1 ? grid.cutPoints[(modal - 1) / 2] : current.min) ?? 0 };
}

/** Chance that all n rows of the window fall into one cell when the rows of both samples are permuted. */
function chanceOfOneCell(
  reference: readonly number[],
  current: readonly number[],
  n: number,
  m: number,
): number {
  let sum = 0;
  for (let i = 0; i < reference.length; i++) {
    const count = (reference[i] as number) + (current[i] as number);
    if (count >= n) sum += Math.exp(hypergeometricLogProbability(n, n + m, count, n));
  }
  return sum;
}
