/**
 * A monotone function: constant over each block of x, linear from the end of one to the start of the next, constant beyond them.
 * All arrays have one entry for each block.
 */
export interface Isotonic {
  /** Least and greatest x of each block, ascending: first₀ ≤ last₀ < first₁ ≤ … */
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** Mean of y in each block, ascending. */
  readonly mean: readonly number[];
  /** Rows that the mean is of. */
  readonly rows: readonly number[];
}

interface Block {
  readonly first: number;
  readonly last: number;
  readonly mean: number;
  readonly rows: number;
}

/**
 * Isotonic regression by pooling adjacent violators (Barlow et al. 1972; Zadrozny & Elkan 2002 for probabilities), least squares with
 * equal weights, rows of equal x averaged first: scikit-learn's IsotonicRegression with `out_of_bounds="clip"`.
 * @param x finite, in any order
 * @param y as many, finite
 * Throws a RangeError without rows, or when a number is not finite.
 */
export function fitIsotonic(x: ArrayLike<number>, y: ArrayLike<number>): Isotonic {
  if (x.length === 0 || x.length !== y.length)
    throw new RangeError(
      `isotonic regression needs as many x as y, one at least: got ${x.length}, ${y.length}`,
    );
  for (let i = 0; i < x.length; i++)
    if (!Number.isFinite(x[i]) || !Number.isFinite(y[i]))
      throw new RangeError(`isotonic regression takes finite numbers, got (${x[i]}, ${y[i]})`);
  const order = Uint32Array.from({ length: x.length }, (_, i) => i).sort(
    (a, b) => (x[a] as number) - (x[b] as number),
  );
  const blocks: Block[] = [];
  for (let at = 0; at < order.length; ) {
    const value = x[order[at] as number] as number;
    let sum = 0;
    let rows = 0;
    for (; at < order.length && x[order[at] as number] === value; at++) {
      sum += y[order[at] as number] as number;
      rows += 1;
    }
    let block: Block = { first: value, last: value, mean: sum / rows, rows };
    for (
      let before = blocks.at(-1);
      before !== undefined && before.mean >= block.mean;
      before = blocks.at(-1)
    ) {
      blocks.pop();
      block = pooled(before, block);
    }
    blocks.push(block);
  }
  return {
    first: blocks.map(({ first }) => first),
    last: blocks.map(({ last }) => last),
    mean: blocks.map(({ mean }) => mean),
    rows: blocks.map(({ rows }) => rows),
  };
}

function pooled(a: Block, b: Block): Block {
  const rows = a.rows + b.rows;
  return { first: a.first, last: b.last, mean: (a.mean * a.rows + b.mean * b.rows) / rows, rows };
}

/** The function's value at `x`. */
export function isotonicAt({ first, last, mean }: Isotonic, x: number): number {
  // The first block that starts after x.
  let low = 0;
  let high = first.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((first[middle] as number) <= x) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return mean[0] as number;
  const [end, value] = [last[low - 1] as number, mean[low - 1] as number];
  if (x <= end || low === first.length) return value;
  return value + (((mean[low] as number) - value) * (x - end)) / ((first[low] as number) - end);
}
