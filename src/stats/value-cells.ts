/** Buckets of the table that narrows the search: more than there are cut points, few enough for the cache. */
const BUCKETS = 16_384;
/** Farther than this many quanta from its cut point a value adds no more to its cell's offset (as in the store's profiles). */
const MAX_OFFSET_QUANTA = 2 ** 34;

/** Counts of some values on cells, of which only those with values are listed, ascending. */
export interface CellSums {
  readonly cells: Uint32Array;
  readonly counts: Uint32Array;
  /** Σ(x − c) per cell in quanta. */
  readonly offsets: Float64Array;
  readonly finite: number;
  readonly missing: number;
  /** ±Infinity. */
  readonly infinite: number;
  /** Least and greatest finite value; null when there is none. */
  readonly min: number | null;
  readonly max: number | null;
}

/** The finite ones of some values, ascending, −0 as 0. */
export function sortedFinite(values: Float64Array): Float64Array {
  const finite = new Float64Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value - value === 0) finite[count++] = value + 0;
  }
  return finite.subarray(0, count).sort();
}

/**
 * Cut points from ascending values: all distinct ones if at most `most`, else that many order statistics, evenly spaced by rank,
 * repeated ones once.
 */
export function cutPointsOf(sorted: Float64Array, most: number): number[] {
  const distinct: number[] = [];
  for (let i = 0; i < sorted.length && distinct.length <= most; i++)
    if (i === 0 || sorted[i] !== sorted[i - 1]) distinct.push(sorted[i] as number);
  if (distinct.length <= most) return distinct;
  const points: number[] = [];
  for (let rank = 0; rank < most; rank++) {
    const point = sorted[Math.round((rank * (sorted.length - 1)) / (most - 1))] as number;
    if (point !== points.at(-1)) points.push(point);
  }
  return points;
}

/**
 * Counts values on the 2k+1 cells of k ascending cut points (cell 2i+1 "equal to cᵢ", cell 2i "strictly between cᵢ₋₁ and cᵢ"). A table
 * of equal-width buckets narrows the search for a value's cell; ⌊(x − c₀)·scale⌋ never falls as x grows, rounding included, so the
 * bucket's bounds are right, and a binary search between them does the rest.
 */
export function createCellCounter(cutPoints: readonly number[], quantum: number) {
  const points = Float64Array.from(cutPoints);
  const k = points.length;
  const low = points[0] ?? 0;
  const high = points[k - 1] ?? 0;
  const width = high - low;
  const scale = width > 0 && Number.isFinite(BUCKETS / width) && Number.isFinite(width) ? BUCKETS / width : 0;
  const perQuantum = 1 / quantum;
  /** Cut points in buckets before this one. */
  const before = new Uint32Array(BUCKETS + 2);
  for (let i = 0; i < k; i++) before[bucketOf(points[i] as number) + 1] = i + 1;
  for (let b = 1; b < before.length; b++) before[b] = Math.max(before[b] as number, before[b - 1] as number);

  const counts = new Uint32Array(2 * k + 1);
  const offsets = new Float64Array(2 * k + 1);

  function bucketOf(value: number): number {
    return scale === 0 ? 0 : Math.min(BUCKETS, Math.floor((value - low) * scale));
  }

  /** Cut points at or below a value that is not below all. */
  function positionOf(value: number): number {
    if (value >= high) return k;
    const bucket = bucketOf(value);
    let from = before[bucket] as number;
    let to = before[bucket + 1] as number;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((points[middle] as number) <= value) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Sums over the values at `order[start…end)`, or at start…end where there is no order. */
  return function count(
    values: Float64Array,
    start = 0,
    end = values.length,
    order: Uint32Array | null = null,
  ): CellSums {
    let finite = 0;
    let missing = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = start; i < end; i++) {
      const value = values[order === null ? i : (order[i] as number)] as number;
      if (value - value !== 0) {
        if (Number.isNaN(value)) missing++;
        continue;
      }
      finite++;
      if (value < min) min = value;
      if (value > max) max = value;
      const position = k === 0 || value < low ? 0 : positionOf(value);
      const base = position === 0 ? low : (points[position - 1] as number);
      const cell = 2 * position - (position > 0 && base === value ? 1 : 0);
      counts[cell] = (counts[cell] as number) + 1;
      if (base !== value) {
        const quanta = Math.round((value - base) * perQuantum);
        offsets[cell] =
          (offsets[cell] as number) + Math.min(Math.max(quanta, -MAX_OFFSET_QUANTA), MAX_OFFSET_QUANTA);
      }
    }
    const sums = takeOut(counts, offsets);
    const any = finite > 0;
    const rows = end - start;
    return {
      ...sums,
      finite,
      missing,
      infinite: rows - finite - missing,
      min: any ? min + 0 : null,
      max: any ? max + 0 : null,
    };
  };
}

/** Moves the cells with values out of the scratch arrays, which are all 0 again afterwards. */
function takeOut(counts: Uint32Array, offsets: Float64Array): Pick<CellSums, 'cells' | 'counts' | 'offsets'> {
  let used = 0;
  for (let cell = 0; cell < counts.length; cell++) if ((counts[cell] as number) > 0) used++;
  const sums = {
    cells: new Uint32Array(used),
    counts: new Uint32Array(used),
    offsets: new Float64Array(used),
  };
  let at = 0;
  for (let cell = 0; cell < counts.length; cell++) {
    if ((counts[cell] as number) === 0) continue;
    sums.cells[at] = cell;
    sums.counts[at] = counts[cell] as number;
    sums.offsets[at] = offsets[cell] as number;
    at++;
  }
  counts.fill(0);
  offsets.fill(0);
  return sums;
}

/** Row numbers ordered by their group, and where each group starts; rows whose group is `none` are left out. */
export function orderByGroup(
  groups: Uint32Array,
  none: number,
): { order: Uint32Array; spans: ReadonlyMap<number, { start: number; end: number }> } {
  const sizes = new Map<number, number>();
  for (let i = 0; i < groups.length; ) {
    const group = groups[i] as number;
    const from = i;
    while (i < groups.length && groups[i] === group) i++;
    if (group !== none) sizes.set(group, (sizes.get(group) ?? 0) + i - from);
  }
  const spans = new Map<number, { start: number; end: number }>();
  let start = 0;
  for (const group of [...sizes.keys()].sort((a, b) => a - b)) {
    const end = start + (sizes.get(group) ?? 0);
    spans.set(group, { start, end });
    start = end;
  }
  const order = new Uint32Array(start);
  const next = new Map([...spans].map(([group, span]) => [group, span.start]));
  for (let i = 0; i < groups.length; ) {
    const group = groups[i] as number;
    let at = next.get(group) ?? -1;
    for (; i < groups.length && groups[i] === group; i++) if (at >= 0) order[at++] = i;
    if (at >= 0) next.set(group, at);
  }
  return { order, spans };
}
