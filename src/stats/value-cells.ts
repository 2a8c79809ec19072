/** Buckets of the table that narrows the search: more than there are cut points, few enough for the cache. */
const BUCKETS = 16_384;
const LINEAR = 4;
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

/** The finite ones of some values, ascending, −0 as 0. Values that are ascending already, NaN last, are not sorted again. */
export function sortedFinite(values: Float64Array): Float64Array {
  const finite = new Float64Array(values.length);
  let count = 0;
  let last = Number.NEGATIVE_INFINITY;
  let ascending = true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value - value !== 0) continue;
    if (value < last) ascending = false;
    last = value;
    finite[count++] = value + 0;
  }
  const kept = finite.subarray(0, count);
  return ascending ? kept : kept.sort();
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

/** Cut points, and what narrows the search among them. */
interface CutTable {
  readonly cuts: Float64Array;
  /** The value that each position's offsets are measured from: the cut point below, or the first one. */
  readonly origins: Float64Array;
  /** Cut points in buckets before this one. */
  readonly starts: Uint32Array;
  /** Buckets per unit; 0 where all cut points share one bucket. */
  readonly scale: number;
  readonly quantum: number;
}

/** What was counted since the last taking. */
interface Tally {
  readonly hits: Uint32Array;
  readonly sums: Float64Array;
  rows: number;
  missing: number;
  infinite: number;
  min: number;
  max: number;
}

function cutTable(cutPoints: readonly number[], quantum: number): CutTable {
  const cuts = Float64Array.from(cutPoints);
  const low = cuts[0] ?? 0;
  const width = (cuts.at(-1) ?? 0) - low;
  const scale = width > 0 && Number.isFinite(width) && Number.isFinite(BUCKETS / width) ? BUCKETS / width : 0;
  const starts = new Uint32Array(BUCKETS + 2);
  for (const [index, cut] of cuts.entries()) {
    const bucket = scale === 0 ? 0 : Math.min(BUCKETS, Math.floor((cut - low) * scale));
    starts[bucket + 1] = index + 1;
  }
  for (let b = 1; b < starts.length; b++) starts[b] = Math.max(starts[b] as number, starts[b - 1] as number);
  const origins = new Float64Array(cuts.length + 1);
  origins[0] = low;
  origins.set(cuts, 1);
  return { cuts, origins, starts, scale, quantum };
}

function newTally(cells: number): Tally {
  return {
    hits: new Uint32Array(cells),
    sums: new Float64Array(cells),
    rows: 0,
    missing: 0,
    infinite: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
  };
}

/**
 * Counts values on the 2k+1 cells of k ascending cut points (cell 2i+1 "equal to cᵢ", cell 2i "strictly between cᵢ₋₁ and cᵢ"): `add`
 * some, then `take` the sums over all that was added since the last taking. A table of equal-width buckets narrows the search for a
 * value's cell; ⌊(x − c₀)·scale⌋ never falls as x grows, rounding included, so that the bucket's bounds are right.
 */
export function createCellCounter(cutPoints: readonly number[], quantum: number) {
  const table = cutTable(cutPoints, quantum);
  const tally = newTally(2 * cutPoints.length + 1);
  return {
    /** Counts the values at start…end. */
    add: (values: Float64Array, start = 0, end = values.length): void =>
      countInto(tally, table, values, start, end),

    take(): CellSums {
      const { hits, sums, rows, missing, infinite, min, max } = tally;
      const finite = rows - missing - infinite;
      Object.assign(tally, { ...newTally(0), hits, sums });
      return {
        ...takeOut(hits, sums),
        finite,
        missing,
        infinite,
        min: finite > 0 ? min + 0 : null,
        max: finite > 0 ? max + 0 : null,
      };
    },
  };
}

export interface CellTask {
  readonly cutPoints: readonly number[];
  readonly quantum: number;
  readonly values: Float64Array;
}

/** Counts the values of one column as createCellCounter does: a task of a worker thread. */
export function countCells({ cutPoints, quantum, values }: CellTask): CellSums {
  const counter = createCellCounter(cutPoints, quantum);
  counter.add(values);
  return counter.take();
}

/** Not a closure: the engine compiles those anew for every counter, and this loop runs over millions of values. */
function countInto(tally: Tally, table: CutTable, values: Float64Array, start: number, end: number): void {
  const { hits, sums } = tally;
  const { cuts, origins, starts, scale: perWidth, quantum } = table;
  const all = cuts.length;
  const first = origins[0] as number;
  const final = origins[all] as number;
  const perUnit = 1 / quantum;
  let least = tally.min;
  let greatest = tally.max;
  let nans = 0;
  let infinities = 0;
  for (let i = start; i < end; i++) {
    const value = values[i] as number;
    if (value - value !== 0) {
      if (Number.isNaN(value)) nans++;
      else infinities++;
      continue;
    }
    if (value < least) least = value;
    if (value > greatest) greatest = value;
    // Cut points at or below the value.
    let position = all;
    if (value < first || all === 0) position = 0;
    else if (value < final) {
      const bucket = perWidth === 0 ? 0 : ((value - first) * perWidth) | 0;
      position = starts[bucket] as number;
      let to = starts[bucket + 1] as number;
      // Few at a time one by one: a binary search of them would be guessed wrong more often.
      while (to - position > LINEAR) {
        const middle = (position + to) >> 1;
        if ((cuts[middle] as number) <= value) position = middle + 1;
        else to = middle;
      }
      while (position < to && (cuts[position] as number) <= value) position++;
    }
    const base = origins[position] as number;
    const cell = 2 * position - (base === value && position > 0 ? 1 : 0);
    hits[cell] = (hits[cell] as number) + 1;
    // Not Math.round, which takes longer than all the rest.
    let quanta = Math.floor((value - base) * perUnit + 0.5);
    if (quanta > MAX_OFFSET_QUANTA) quanta = MAX_OFFSET_QUANTA;
    else if (quanta < -MAX_OFFSET_QUANTA) quanta = -MAX_OFFSET_QUANTA;
    sums[cell] = (sums[cell] as number) + quanta;
  }
  tally.min = least;
  tally.max = greatest;
  tally.missing += nans;
  tally.infinite += infinities;
  tally.rows += end - start;
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

/** The values of each group together, in their order, and where each group lies; those whose group is `none` are left out. */
export function gatherGroups(
  values: Float64Array,
  groups: Uint32Array,
  none: number,
): { values: Float64Array; spans: ReadonlyMap<number, { start: number; end: number }> } {
  const sizes = new Map<number, number>();
  forRuns(groups, (group, start, end) => {
    if (group !== none) sizes.set(group, (sizes.get(group) ?? 0) + end - start);
  });
  const spans = new Map<number, { start: number; end: number }>();
  let at = 0;
  for (const group of [...sizes.keys()].sort((a, b) => a - b)) {
    const end = at + (sizes.get(group) ?? 0);
    spans.set(group, { start: at, end });
    at = end;
  }
  const gathered = new Float64Array(at);
  const next = new Map([...spans].map(([group, span]) => [group, span.start]));
  forRuns(groups, (group, start, end) => {
    const to = next.get(group);
    if (to === undefined) return;
    gathered.set(values.subarray(start, end), to);
    next.set(group, to + end - start);
  });
  return { values: gathered, spans };
}

function forRuns(groups: Uint32Array, visit: (group: number, start: number, end: number) => void): void {
  for (let start = 0; start < groups.length; ) {
    const group = groups[start] as number;
    let end = start + 1;
    while (end < groups.length && groups[end] === group) end++;
    visit(group, start, end);
    start = end;
  }
}
