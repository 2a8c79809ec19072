/** One column of every row, in bins. */
export interface BinnedColumn {
  /** Bin of each row, from 0; −1 where the row has none. */
  readonly bins: Int32Array;
  readonly count: number;
}

/** E[y | bins] = intercept + Σ over columns of effects[column][bin]; a row without a bin of a column has no effect of it. */
export interface AdditiveFit {
  readonly intercept: number;
  readonly effects: readonly (readonly number[])[];
}

/** Rows that pull a bin's effect towards none. */
const RIDGE_ROWS = 10;
const MAX_PASSES = 50;
/** Of the target's deviation: smaller changes of an effect end the fit. */
const TOLERANCE = 1e-3;

/**
 * An additive model of bin means by backfitting with a ridge (Hastie & Tibshirani 1990, Generalized Additive Models, 4.4): its mean over
 * rows is a sum over each column's own distribution, so no joint counts are needed to apply it. What only two columns together tell is
 * not seen.
 * @param target finite, one for each row
 * Throws a RangeError without rows.
 */
export function fitAdditive(columns: readonly BinnedColumn[], target: Float64Array): AdditiveFit {
  const rows = target.length;
  if (rows === 0) throw new RangeError('an additive model needs a row');
  const mean = target.reduce((sum, value) => sum + value, 0) / rows;
  const residuals = target.map((value) => value - mean);
  const deviation = Math.sqrt(residuals.reduce((sum, value) => sum + value * value, 0) / rows);
  const effects = columns.map(({ count }) => new Float64Array(count));
  const sizes = columns.map(({ bins, count }) => {
    const size = new Float64Array(count);
    for (const bin of bins) if (bin >= 0) size[bin] = (size[bin] as number) + 1;
    return size;
  });
  for (let pass = 0, change = Infinity; pass < MAX_PASSES && change > TOLERANCE * deviation; pass++) {
    change = 0;
    for (const [c, { bins, count }] of columns.entries()) {
      const effect = effects[c] as Float64Array;
      const sums = new Float64Array(count);
      for (let row = 0; row < rows; row++) {
        const bin = bins[row] as number;
        if (bin >= 0) sums[bin] = (sums[bin] as number) + (residuals[row] as number);
      }
      const step = sums.map((sum, bin) => {
        const size = sizes[c]?.[bin] ?? 0;
        // The residuals are without the effect as it is: it is put back before it is shrunk.
        const next = (sum + size * (effect[bin] as number)) / (size + RIDGE_ROWS);
        return next - (effect[bin] as number);
      });
      for (let row = 0; row < rows; row++) {
        const bin = bins[row] as number;
        if (bin >= 0) residuals[row] = (residuals[row] as number) - (step[bin] as number);
      }
      for (const [bin, by] of step.entries()) {
        effect[bin] = (effect[bin] as number) + by;
        change = Math.max(change, Math.abs(by));
      }
    }
  }
  // A ridge does not shrink the mean: whatever the effects have left of it is put back.
  const left = residuals.reduce((sum, value) => sum + value, 0) / rows;
  return { intercept: mean + left, effects: effects.map((effect) => [...effect]) };
}

/**
 * The model's mean over rows of which each column's bins are known.
 * @param counts rows in each bin, for each column
 * @param rows all rows, with a bin or without
 */
export function additiveMean(
  { intercept, effects }: AdditiveFit,
  counts: readonly (readonly number[])[],
  rows: number,
): number {
  let sum = 0;
  for (const [c, effect] of effects.entries())
    for (const [bin, value] of effect.entries()) sum += value * (counts[c]?.[bin] ?? 0);
  return intercept + sum / rows;
}
