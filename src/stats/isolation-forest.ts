import {
  type CompleteTree,
  compileTrees,
  type IsolationForest,
  MAX_COLUMNS,
  MAX_SUBSAMPLE,
} from './forest-layout.js';

/** Rows scored together: a block's values stay in the processor's nearest cache while all trees pass over them. */
const BLOCK_ROWS = 256;

/**
 * c(n): average path length of an unsuccessful search in a binary search tree of n keys,
 * 2·H(n−1) − 2(n−1)/n with exact harmonic numbers (Liu, Ting & Zhou 2008, eq. 1). c(0) = c(1) = 0, c(2) = 1.
 */
export function averagePathLength(n: number): number {
  return n < 2 ? 0 : 2 * harmonic(n - 1) - (2 * (n - 1)) / n;
}

function harmonic(n: number): number {
  if (n > 1_000) {
    // Euler–Maclaurin; what is left out is below 1/(120·n⁴) < 1e-14.
    return Math.log(n) + 0.5772156649015329 + 1 / (2 * n) - 1 / (12 * n * n);
  }
  let sum = 0;
  for (let i = n; i >= 1; i--) sum += 1 / i;
  return sum;
}

export interface IsolationForestOptions {
  /** Number of trees, 100 by default. */
  readonly trees?: number;
  /** Rows per tree, 256 by default; never more than there are. At most 4,096. */
  readonly subsample?: number;
  /** Row numbers to draw from; all rows by default. */
  readonly candidates?: Int32Array;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * Grows an isolation forest (Liu, Ting & Zhou 2008): each tree on ψ rows drawn without replacement, split at a column
 * drawn among those that are not constant in the node and a point uniform between the node's minimum and maximum, down
 * to depth ceil(log₂ ψ). `matrix` is row-major, rows × columns, finite.
 * Throws RangeError on an empty or non-finite matrix or an option out of range.
 */
export function fitIsolationForest(
  matrix: Float64Array,
  rows: number,
  columns: number,
  options: IsolationForestOptions,
): IsolationForest {
  const { trees = 100, subsample = 256, random } = options;
  checkCount('rows', rows, 1, Number.MAX_SAFE_INTEGER);
  checkCount('columns', columns, 1, MAX_COLUMNS);
  checkCount('trees', trees, 1, 10_000);
  checkCount('subsample', subsample, 1, MAX_SUBSAMPLE);
  checkMatrix(matrix, rows, columns);
  const pool = options.candidates?.slice() ?? countUp(rows);
  checkCount('candidates', pool.length, 1, rows);
  const size = Math.min(subsample, pool.length);
  const depth = Math.ceil(Math.log2(size));
  const features: number[] = [];
  const thresholds: number[] = [];
  const sizes: number[] = [];
  const order = countUp(columns);

  /** Draws columns until one is not constant over the rows pool[from, to); null when all are. */
  function drawSplit(from: number, to: number): { feature: number; threshold: number } | null {
    for (let tried = 0; tried < columns; tried++) {
      const feature = swap(order, tried, tried + Math.floor(random() * (columns - tried)));
      let min = Infinity;
      let max = -Infinity;
      for (let i = from; i < to; i++) {
        const value = matrix[(pool[i] as number) * columns + feature] as number;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      if (min < max) {
        const u = random();
        // Weighted so that max − min cannot overflow; rounding up to max would leave the right side empty.
        const threshold = min * (1 - u) + max * u;
        return { feature, threshold: threshold >= min && threshold < max ? threshold : min };
      }
    }
    return null;
  }

  /** Appends the subtree over pool[from, to) in preorder. */
  function grow(from: number, to: number, level: number): void {
    const split = to - from > 1 && level < depth ? drawSplit(from, to) : null;
    if (split === null) {
      features.push(0);
      sizes.push(to - from);
      return;
    }
    features.push(split.feature + 1);
    thresholds.push(split.threshold);
    let middle = from;
    for (let i = from; i < to; i++) {
      if ((matrix[(pool[i] as number) * columns + split.feature] as number) <= split.threshold) {
        swap(pool, i, middle++);
      }
    }
    grow(from, middle, level + 1);
    grow(middle, to, level + 1);
  }

  for (let tree = 0; tree < trees; tree++) {
    for (let i = 0; i < size; i++) swap(pool, i, i + Math.floor(random() * (pool.length - i)));
    grow(0, size, 0);
  }
  return compileTrees(
    {
      columns,
      trees,
      subsample: size,
      features: Uint16Array.from(features),
      thresholds: Float64Array.from(thresholds),
      sizes: Uint16Array.from(sizes),
    },
    averagePathLength,
  );
}

/**
 * Anomaly scores 2^(−E[h]/c(ψ)) in (0, 1), one per row; larger is more anomalous, 0.5 says nothing. Equals minus
 * scikit-learn's `score_samples` up to the trees drawn. Without any information (ψ = 1) every score is 0.5.
 * `matrix` is row-major with the forest's columns and must be finite. Writes into `out` when given.
 */
export function scoreIsolationForest(
  forest: IsolationForest,
  matrix: Float64Array,
  rows: number,
  out: Float64Array = new Float64Array(rows),
): Float64Array {
  checkCount('rows', rows, 0, Number.MAX_SAFE_INTEGER);
  checkMatrix(matrix, rows, forest.columns);
  if (out.length < rows)
    throw new RangeError(`out holds ${out.length} scores but there are ${rows} rows: make it longer`);
  out.fill(0, 0, rows);
  for (let from = 0; from < rows; from += BLOCK_ROWS) {
    const to = Math.min(rows, from + BLOCK_ROWS);
    for (const tree of forest.trees)
      addPathLengths(tree, forest.depth, matrix, forest.columns, from, to, out);
  }
  const norm = averagePathLength(forest.subsample);
  const scale = norm === 0 ? 0 : 1 / (forest.trees.length * norm);
  for (let row = 0; row < rows; row++) out[row] = norm === 0 ? 0.5 : 2 ** (-(out[row] as number) * scale);
  return out;
}

/**
 * Adds each row's path length in one tree to `sums`. The tree is complete, so a step has no branch to mispredict:
 * the comparison's 0 or 1 picks the child. Four rows go down side by side, as each step waits on its own loads.
 */
function addPathLengths(
  tree: CompleteTree,
  depth: number,
  matrix: Float64Array,
  columns: number,
  from: number,
  to: number,
  sums: Float64Array,
): void {
  const { feature, threshold, pathLength } = tree;
  const leaves = pathLength.length;
  let row = from;
  for (; row + 3 < to; row += 4) {
    const x0 = row * columns;
    const x1 = x0 + columns;
    const x2 = x1 + columns;
    const x3 = x2 + columns;
    let n0 = 1;
    let n1 = 1;
    let n2 = 1;
    let n3 = 1;
    for (let level = 0; level < depth; level++) {
      n0 = n0 + n0 + goesRight(matrix, x0, feature, threshold, n0);
      n1 = n1 + n1 + goesRight(matrix, x1, feature, threshold, n1);
      n2 = n2 + n2 + goesRight(matrix, x2, feature, threshold, n2);
      n3 = n3 + n3 + goesRight(matrix, x3, feature, threshold, n3);
    }
    sums[row] = (sums[row] as number) + (pathLength[n0 - leaves] as number);
    sums[row + 1] = (sums[row + 1] as number) + (pathLength[n1 - leaves] as number);
    sums[row + 2] = (sums[row + 2] as number) + (pathLength[n2 - leaves] as number);
    sums[row + 3] = (sums[row + 3] as number) + (pathLength[n3 - leaves] as number);
  }
  for (; row < to; row++) {
    let n = 1;
    for (let level = 0; level < depth; level++)
      n = n + n + goesRight(matrix, row * columns, feature, threshold, n);
    sums[row] = (sums[row] as number) + (pathLength[n - leaves] as number);
  }
}

/** 1 to go right, 0 to go left. `| 0` on the comparison compiles to a flag, `? 1 : 0` to a jump. */
function goesRight(
  matrix: Float64Array,
  x: number,
  feature: Int32Array,
  threshold: Float64Array,
  node: number,
): number {
  const right: unknown = (matrix[x + (feature[node] as number)] as number) > (threshold[node] as number);
  return (right as number) | 0;
}

/** 0 … length−1. */
function countUp(length: number): Int32Array {
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = i;
  return numbers;
}

function swap(array: Int32Array, i: number, j: number): number {
  const picked = array[j] as number;
  array[j] = array[i] as number;
  array[i] = picked;
  return picked;
}

function checkCount(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${name} is ${value}: it must be a whole number from ${least} to ${most}`);
}

function checkMatrix(matrix: Float64Array, rows: number, columns: number): void {
  if (matrix.length < rows * columns)
    throw new RangeError(`the matrix holds ${matrix.length} values, ${rows} × ${columns} are needed`);
  const length = rows * columns;
  for (let i = 0; i < length; i++) {
    const value = matrix[i] as number;
    // Only a finite number less itself is 0: cheaper than Number.isFinite on tens of millions of values.
    if (value - value !== 0)
      throw new RangeError(
        `row ${Math.floor(i / columns)}, column ${i % columns} is ${value}: encode missing and infinite values first`,
      );
  }
}
