/** Where a cell's rows go: target cells with their shares, which sum to 1. */
export type CellPlan = readonly (readonly (readonly [cell: number, share: number])[])[];

/**
 * Moves rows between cells by a plan, as whole rows: the running sum of the targets is rounded, so their total stays and both
 * distribution functions are within half a row of the exact move.
 */
export function moveCells(counts: readonly number[], plan: CellPlan): number[] {
  const exact = new Array<number>(counts.length).fill(0);
  for (const [cell, targets] of plan.entries()) {
    const count = counts[cell] ?? 0;
    if (count === 0) continue;
    for (const [target, share] of targets) exact[target] = (exact[target] ?? 0) + count * share;
  }
  return rounded(exact);
}

function rounded(exact: readonly number[]): number[] {
  let seen = 0;
  let given = 0;
  return exact.map((amount) => {
    seen += amount;
    const upTo = Math.round(seen);
    const count = upTo - given;
    given = upTo;
    return count;
  });
}

/**
 * Takes a share of the rows out of every cell alike.
 *
 * @returns what is left, and how many were taken
 */
export function thinCells(
  counts: readonly number[],
  share: number,
): { readonly left: number[]; readonly taken: number } {
  const left = rounded(counts.map((count) => count * (1 - share)));
  const before = counts.reduce((sum, count) => sum + count, 0);
  return { left, taken: before - left.reduce((sum, count) => sum + count, 0) };
}

/** Mean and standard deviation from cells of a numeric grid: values at cut points, midpoints of gaps, the outer gaps at their ends. */
export function cellMoments(
  counts: readonly number[],
  cutPoints: readonly number[],
): { mean: number; sd: number } {
  let rows = 0;
  let mean = 0;
  let squares = 0;
  for (const [cell, count] of counts.entries()) {
    if (count === 0) continue;
    const value = centreOf(cell, cutPoints);
    const before = mean;
    rows += count;
    mean += (count * (value - mean)) / rows;
    squares += count * (value - before) * (value - mean);
  }
  return { mean, sd: rows === 0 ? 0 : Math.sqrt(squares / rows) };
}

/** Cell 2i + 1 is the cut point i, cell 2i the gap below it. */
function centreOf(cell: number, cutPoints: readonly number[]): number {
  if (cell % 2 === 1) return cutPoints[(cell - 1) / 2] ?? 0;
  const above = cutPoints[cell / 2] ?? cutPoints.at(-1) ?? 0;
  const below = cutPoints[cell / 2 - 1] ?? above;
  return (below + above) / 2;
}

/**
 * The plan that adds `delta` to every value of a numeric column. Values in a gap are taken as spread evenly over it; the outer gaps
 * as one `width` wide. Where the column has its values at cut points only (`discrete`), a value goes to the two cut points beside its
 * target, so that the mean moves by `delta` and no value appears that the column never had.
 */
export function shiftPlan(
  cutPoints: readonly number[],
  delta: number,
  { width, discrete }: { readonly width: number; readonly discrete: boolean },
): CellPlan {
  const last = cutPoints.length - 1;
  const cells = 2 * cutPoints.length + 1;
  return Array.from({ length: cells }, (_, cell) => {
    if (cell % 2 === 1) {
      const target = (cutPoints[(cell - 1) / 2] ?? 0) + delta;
      return discrete ? besides(target, cutPoints) : [[cellOf(target, cutPoints), 1] as const];
    }
    const above = cutPoints[cell / 2] ?? (cutPoints[last] ?? 0) + width;
    const below = cutPoints[cell / 2 - 1] ?? (cutPoints[0] ?? 0) - width;
    return spread(below + delta, above + delta, cutPoints);
  });
}

/** How many cut points are below x. */
function below(x: number, cutPoints: readonly number[]): number {
  let low = 0;
  let high = cutPoints.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cutPoints[middle] ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function cellOf(x: number, cutPoints: readonly number[]): number {
  const position = below(x, cutPoints);
  return cutPoints[position] === x ? 2 * position + 1 : 2 * position;
}

function besides(target: number, cutPoints: readonly number[]): (readonly [number, number])[] {
  const position = below(target, cutPoints);
  const upper = cutPoints[position];
  const lower = cutPoints[position - 1];
  // Beyond the ends there is nothing to interpolate with: the value is new to the column.
  if (upper === target) return [[2 * position + 1, 1]];
  if (upper === undefined || lower === undefined) return [[2 * position, 1]];
  const share = (target - lower) / (upper - lower);
  return [
    [2 * position - 1, 1 - share],
    [2 * position + 1, share],
  ];
}

/** An even spread over [from, to], by the gaps it lies in. */
function spread(from: number, to: number, cutPoints: readonly number[]): (readonly [number, number])[] {
  if (!(to > from)) return [[cellOf(from, cutPoints), 1]];
  const targets: (readonly [number, number])[] = [];
  let at = from;
  for (let position = below(from, cutPoints); at < to; position++) {
    const end = Math.min(to, cutPoints[position] ?? to);
    if (end > at) targets.push([2 * position, (end - at) / (to - from)]);
    at = Math.max(at, end);
  }
  return targets;
}

/**
 * The plan that moves a share of all rows from the most frequent categories to the second most frequent one: exactly that share, where
 * the others hold as much.
 *
 * @param shares of the reference by cell, most frequent first
 */
export function categoryPlan(shares: readonly number[], moved: number): CellPlan {
  const order = [...shares.keys()].sort((a, b) => (shares[b] ?? 0) - (shares[a] ?? 0) || a - b);
  const target = order[1] ?? 0;
  let open = moved;
  const leaves = new Map<number, number>();
  for (const cell of order) {
    const share = shares[cell] ?? 0;
    if (cell === target || share === 0 || open <= 0) continue;
    const part = Math.min(1, open / share);
    leaves.set(cell, part);
    open -= part * share;
  }
  return shares.map((_, cell) => {
    const part = leaves.get(cell) ?? 0;
    if (part === 0) return [[cell, 1]];
    return part === 1
      ? [[target, 1]]
      : [
          [cell, 1 - part],
          [target, part],
        ];
  });
}
