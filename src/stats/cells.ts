/** Sum of counts. Counts are whole numbers below 2⁵³ in all. */
export function total(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i] as number;
  return sum;
}

/**
 * Two-sample D from the counts of two samples in the same ordered cells, as laid out by a numeric grid: odd cells
 * hold values equal to a cut point, even cells hold values strictly between two. Both CDFs are exact at every cut
 * point, so `distance` never exceeds the exact D, and `resolution` bounds how far below it lies: inside an even cell
 * one sample can have all its mass before the other has any. 0 when all distinct values are cut points.
 */
export function cellDistance(
  first: readonly number[],
  second: readonly number[],
): { distance: number; resolution: number } {
  if (first.length !== second.length)
    throw new RangeError(`cell counts have lengths ${first.length} and ${second.length}: use one grid`);
  const n = total(first);
  const m = total(second);
  if (!(n > 0 && m > 0)) throw new RangeError(`sample sizes are ${n} and ${m}: both need a value`);
  let a = 0;
  let b = 0;
  let distance = 0;
  let bound = 0;
  let f = 0;
  let g = 0;
  for (let cell = 0; cell < first.length; cell++) {
    const beforeF = f;
    const beforeG = g;
    a += first[cell] as number;
    b += second[cell] as number;
    f = a / n;
    g = b / m;
    distance = Math.max(distance, Math.abs(f - g));
    if (cell % 2 === 0) bound = Math.max(bound, f - beforeG, g - beforeF);
  }
  return { distance, resolution: Math.max(0, bound - distance) };
}

/**
 * Splits ordered cells into `bins` bins of equal reference mass: the edge of bin j follows the first cell at which the
 * reference's cumulative share reaches j/bins. Edges that fall on one cell (ties, atoms) merge, and no edge follows
 * the last cell with mass. Returns each bin's end (exclusive cell index); the last one is the number of cells.
 */
export function quantileBinEnds(reference: readonly number[], bins: number): number[] {
  const n = total(reference);
  if (!(n > 0)) throw new RangeError('the reference has no value: bins need one');
  const ends: number[] = [];
  let cumulative = 0;
  let next = 1;
  for (let cell = 0; cell < reference.length && next < bins; cell++) {
    cumulative += reference[cell] as number;
    if (cumulative >= n) break;
    if (cumulative * bins < next * n) continue;
    ends.push(cell + 1);
    while (next < bins && cumulative * bins >= next * n) next++;
  }
  ends.push(reference.length);
  return ends;
}

/** Counts per bin, for ends as of `quantileBinEnds`. */
export function binCounts(counts: readonly number[], ends: readonly number[]): number[] {
  let start = 0;
  return ends.map((end) => {
    let sum = 0;
    for (let cell = start; cell < end; cell++) sum += counts[cell] ?? 0;
    start = end;
    return sum;
  });
}
