import type { Scores } from './score-difference.js';

/**
 * The mean value of each cell that holds rows, ascending, with its count. `unit` divides all values, so that none is too large to be
 * squared. Cell sums are exact, so means of all rows are; variances lack what lies within cells strictly between two cut points.
 */
export function cellValues(
  cutPoints: readonly number[],
  quantum: number,
  sums: { readonly counts: readonly number[]; readonly offsets: readonly number[] },
  unit: number,
): Scores {
  const used = sums.counts.reduce((sum, count) => (count > 0 ? sum + 1 : sum), 0);
  const values = new Float64Array(used);
  const counts = new Float64Array(used);
  let at = 0;
  for (let cell = 0; cell < sums.counts.length; cell++) {
    const count = sums.counts[cell] as number;
    if (count === 0) continue;
    const base = (cutPoints[Math.max(0, (cell - 1) >> 1)] as number) / unit;
    values[at] = base + ((sums.offsets[cell] ?? 0) / count) * (quantum / unit);
    counts[at] = count;
    at++;
  }
  return { values, counts };
}

/** The greatest size of a cut point, or 1: what values are divided by. */
export function unitOf(cutPoints: readonly number[]): number {
  return Math.max(Math.abs(cutPoints[0] ?? 0), Math.abs(cutPoints.at(-1) ?? 0)) || 1;
}

/** Median of ascending values with counts; the mean of the two middle ones where there are two. */
export function medianOf({ values, counts }: Scores): number {
  let rows = 0;
  for (let i = 0; i < counts.length; i++) rows += counts[i] as number;
  const at = (rank: number) => {
    let below = 0;
    for (let i = 0; i < counts.length; i++) {
      below += counts[i] as number;
      if (below > rank) return values[i] as number;
    }
    throw new RangeError(`rank ${rank} of ${rows} rows: there is none`);
  };
  return (at(Math.floor((rows - 1) / 2)) + at(Math.floor(rows / 2))) / 2;
}
