import { assertFinite, type StreamDetector } from './stream-detector.js';

export interface AdwinOptions {
  /** Confidence: about the chance of a false detection at one look at independent numbers. */
  readonly delta: number;
  /** Updates from one look to the next. */
  readonly clock: number;
  /** Buckets of one size before two are merged. */
  readonly maxBuckets: number;
  /** Shortest part of the window that is compared with the rest. */
  readonly minWindowLength: number;
  /** Nothing is detected up to so many numbers. */
  readonly gracePeriod: number;
}

/** river's defaults. */
export const ADWIN: AdwinOptions = {
  delta: 0.002,
  clock: 32,
  maxBuckets: 5,
  minWindowLength: 5,
  gracePeriod: 10,
};

/** Buckets of one size, oldest first: totals, and sums of squared deviations from their own means. */
interface BucketRow {
  totals: number[];
  variances: number[];
}

export interface AdwinState {
  /** Row i holds buckets of 2^i numbers; the last row is the oldest. */
  readonly rows: readonly { readonly totals: readonly number[]; readonly variances: readonly number[] }[];
  /** Numbers in the window. */
  readonly width: number;
  readonly total: number;
  /** Sum of squared deviations from the window's mean. */
  readonly variance: number;
  readonly tick: number;
  readonly detected: boolean;
}

const START: AdwinState = {
  rows: [{ totals: [], variances: [] }],
  width: 0,
  total: 0,
  variance: 0,
  tick: 0,
  detected: false,
};

/** Squared deviations that two parts have beyond their own when their means differ. */
const between = (n: number, m: number, difference: number) => (n * m * difference * difference) / (n + m);

/**
 * ADWIN2 (Bifet & Gavaldà 2007, "Learning from time-changing data with adaptive windowing", SIAM SDM): a window over the newest
 * numbers, kept as an exponential histogram. Where the means of an older and a newer part differ by more than
 * ε = √(2/m·σ²·ln(2·ln n/δ)) + 2/(3m)·ln(2·ln n/δ), 1/m = 1/(n₀−l+1) + 1/(n₁−l+1), a change is detected, and the window starts
 * again, as river has it.
 */
export function createAdwin(
  options: AdwinOptions = ADWIN,
  from: AdwinState = START,
): StreamDetector<AdwinState> {
  let rows: BucketRow[] = [];
  let { width, total, variance, tick, detected } = from;

  function restore(state: AdwinState): void {
    rows = state.rows.map(({ totals, variances }) => ({ totals: [...totals], variances: [...variances] }));
    ({ width, total, variance, tick, detected } = state);
  }
  restore(from);

  function insert(x: number): void {
    const newest = rows[0] as BucketRow;
    newest.totals.push(x);
    newest.variances.push(0);
    width += 1;
    if (width > 1) variance += ((width - 1) * (x - total / (width - 1)) ** 2) / width;
    total += x;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as BucketRow;
      if (row.totals.length <= options.maxBuckets) break;
      const size = 2 ** i;
      const [t1 = 0, t2 = 0] = row.totals.splice(0, 2);
      const [v1 = 0, v2 = 0] = row.variances.splice(0, 2);
      if (rows.length === i + 1) rows.push({ totals: [], variances: [] });
      const next = rows[i + 1] as BucketRow;
      next.totals.push(t1 + t2);
      next.variances.push(v1 + v2 + between(size, size, t1 / size - t2 / size));
    }
  }

  function dropOldest(): void {
    const row = rows.at(-1) as BucketRow;
    const size = 2 ** (rows.length - 1);
    const bucketTotal = row.totals.shift() ?? 0;
    const bucketVariance = row.variances.shift() ?? 0;
    width -= size;
    total -= bucketTotal;
    variance -= bucketVariance + between(size, width, bucketTotal / size - total / width);
    if (row.totals.length === 0) rows.pop();
  }

  /** Whether any cut parts the window into two that differ. */
  function differs(): boolean {
    const spread = variance / width;
    const confidence = Math.log((2 * Math.log(width)) / options.delta);
    let olderRows = 0;
    let olderTotal = 0;
    for (let i = rows.length - 1; i >= 0; i--) {
      const { totals } = rows[i] as BucketRow;
      for (const bucketTotal of totals) {
        olderRows += 2 ** i;
        olderTotal += bucketTotal;
        const newerRows = width - olderRows;
        if (newerRows < options.minWindowLength || olderRows < options.minWindowLength) continue;
        const reciprocal =
          1 / (olderRows - options.minWindowLength + 1) + 1 / (newerRows - options.minWindowLength + 1);
        const epsilon = Math.sqrt(2 * reciprocal * spread * confidence) + (2 / 3) * confidence * reciprocal;
        if (Math.abs(olderTotal / olderRows - (total - olderTotal) / newerRows) > epsilon) return true;
      }
    }
    return false;
  }

  return {
    update(x) {
      assertFinite(x);
      if (detected) restore(START);
      insert(x);
      tick += 1;
      if (tick % options.clock === 0 && width > options.gracePeriod)
        while (differs()) {
          detected = true;
          dropOldest();
        }
      return detected;
    },
    state: () => ({
      rows: rows.map(({ totals, variances }) => ({ totals: [...totals], variances: [...variances] })),
      width,
      total,
      variance,
      tick,
      detected,
    }),
  };
}
