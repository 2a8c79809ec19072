import { cumulantFactors, MOST_EXCESS, rawMoments, whiten } from './smooth-scores.js';

/** The window must be a small part of both samples, or the reference's own ranks would not do for the pooled ones. */
const MOST_SHARE = 0.2;
const LEAST_ROWS = 30;
/** Scores whose kurtosis comes this near to the limit may be left out of one window and not of the next. */
const SAFETY = 1.5;

/** The cells of a window that hold rows, ascending, and how many. */
export interface FilledCounts {
  readonly cells: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
}

/** Q of one window, near enough to see that there is no drift. */
export interface SmoothGlance {
  readonly statistic: number;
  /** Scores in use. */
  readonly scores: number;
  readonly currentRows: number;
  readonly referenceRows: number;
}

/**
 * Neyman's smooth test (smooth-rank.ts) of many windows against one reference: the scores are made of the reference's own ranks once,
 * so a window costs a few operations per cell that it fills. Against pooled ranks Q is off by about its 1/√n-th part.
 *
 * A window is given by the counts of all cells; those that are filled, where they are known, spare it looking at the others.
 *
 * @returns null for a window for which that is not enough: few rows, many beside the reference's, or a column of one score
 */
export function createSmoothScreen(
  reference: readonly number[],
  degree: number,
): (current: readonly number[], filled?: FilledCounts) => SmoothGlance | null {
  const cells = reference.length;
  const shares = new Float64Array(cells);
  const ranks = new Float64Array(cells);
  let referenceRows = 0;
  for (const count of reference) referenceRows += count;
  if (referenceRows === 0) return () => null;
  let below = 0;
  for (let cell = 0; cell < cells; cell++) {
    const count = reference[cell] as number;
    shares[cell] = count / referenceRows;
    ranks[cell] = (2 * below + count) / referenceRows - 1;
    below += count;
  }
  const pooled = { n: 1, m: referenceRows, current: new Float64Array(cells), shares, ranks };
  const { scores } = whiten(rawMoments(pooled, degree), { shares, ranks }, degree, 0);
  let mostExcess = 0;
  for (const score of scores) {
    let fourth = 0;
    for (let cell = 0; cell < cells; cell++)
      fourth += (score[cell] as number) ** 4 * (shares[cell] as number);
    mostExcess = Math.max(mostExcess, fourth - 3);
  }
  const degrees = scores.length;
  const sums = new Float64Array(degrees);
  /** The scores of one cell beside each other. */
  const table = new Float64Array(cells * degrees);
  for (let cell = 0; cell < cells; cell++)
    for (let j = 0; j < degrees; j++) table[cell * degrees + j] = (scores[j] as Float64Array)[cell] as number;
  const add = (cell: number, count: number) => {
    const at = cell * degrees;
    for (let j = 0; j < degrees; j++) sums[j] = (sums[j] as number) + count * (table[at + j] as number);
  };
  return (current, filled) => {
    if (degrees < 2) return null;
    let currentRows = 0;
    sums.fill(0);
    if (filled === undefined)
      for (let cell = 0; cell < cells; cell++) {
        const count = current[cell] as number;
        if (count === 0) continue;
        currentRows += count;
        add(cell, count);
      }
    else
      for (let k = 0; k < filled.cells.length; k++) {
        const count = filled.counts[k] as number;
        currentRows += count;
        add(filled.cells[k] as number, count);
      }
    if (currentRows < LEAST_ROWS || currentRows > MOST_SHARE * referenceRows) return null;
    if (SAFETY * mostExcess * cumulantFactors(currentRows, referenceRows).fourth > MOST_EXCESS) return null;
    let length = 0;
    for (const sum of sums) length += (sum / currentRows) ** 2;
    const all = currentRows + referenceRows;
    const information = (currentRows * referenceRows) / all;
    return {
      statistic: ((all - 1) / all) * information * length,
      scores: degrees,
      currentRows,
      referenceRows,
    };
  };
}
