// The scores of Neyman's smooth test in its rank form, and the cumulants of its statistic; see smooth-rank.ts.
import { createScratch, createScratches } from './scratch.js';

/** A score whose kurtosis would raise the variance of Q by more than this is left out: the window has too few rows for it. */
export const MOST_EXCESS = 0.15;
/** A score that keeps less than this share of its variance beside the others says nothing of its own. */
const LEAST_OWN_VARIANCE = 1e-6;
/** Below this the pooled rows have one value but for rounding. */
const LEAST_VARIANCE = 1e-14;
/**
 * Skewness counts twice in the third cumulant: what its first order leaves out is of the order 1/n², and made tails at 0.0003 of windows
 * of 10 to 50 rows 1.4 to 2 times too heavy. With it they are at most 1.2 times (docs/adr/0006-primary-numeric-test.md).
 */
const HIGHER_ORDERS = 2;
const COARSE_SHARE = 1 / 256;

export interface Pooled {
  readonly n: number;
  readonly m: number;
  /** Of the cells that hold anything. */
  readonly current: Float64Array;
  readonly shares: Float64Array;
  /** Midranks on (−1, 1). */
  readonly ranks: Float64Array;
}

const pooledScratch = [createScratch(), createScratch(), createScratch()] as const;

/** Valid until the next call. */
export function pool(current: readonly number[], reference: readonly number[]): Pooled {
  let n = 0;
  let m = 0;
  let used = 0;
  for (let cell = 0; cell < current.length; cell++) {
    const a = current[cell] as number;
    const b = reference[cell] as number;
    n += a;
    m += b;
    if (a + b > 0) used++;
  }
  const all = n + m;
  const pooled = {
    n,
    m,
    current: pooledScratch[0](used),
    shares: pooledScratch[1](used),
    ranks: pooledScratch[2](used),
  };
  let below = 0;
  let at = 0;
  for (let cell = 0; cell < current.length; cell++) {
    const a = current[cell] as number;
    const both = a + (reference[cell] as number);
    if (both === 0) continue;
    pooled.current[at] = a;
    pooled.shares[at] = both / all;
    pooled.ranks[at] = (2 * below + both) / all - 1;
    below += both;
    at++;
  }
  return pooled;
}

/** What third and fourth cumulants of one row's score count for in those of a standardised difference of means. */
export function cumulantFactors(n: number, m: number): { rows: number; third: number; fourth: number } {
  const information = (n * m) / (n + m);
  return {
    rows: n + m,
    third: information ** 1.5 * (1 / n ** 2 - 1 / m ** 2),
    fourth: information ** 2 * (1 / n ** 3 + 1 / m ** 3),
  };
}

export interface RawMoments {
  /** Of the Legendre polynomials of degree 1 … over the pooled rows, and over the window's. */
  readonly means: Float64Array;
  readonly currentMeans: Float64Array;
  /** degree × degree, over the pooled rows. */
  readonly covariances: Float64Array;
}

const weightedScratch = createScratch();
const covariancesScratch = createScratch();
const polynomialScratch = createScratches();

/** Valid until the next call. */
export function rawMoments({ n, current, shares, ranks }: Pooled, degree: number): RawMoments {
  const means = new Float64Array(degree);
  const currentMeans = new Float64Array(degree);
  const covariances = covariancesScratch(degree * degree).fill(0);
  const cells = ranks.length;
  const polynomials = legendre(ranks, degree, (j) => polynomialScratch(j, cells));
  const weighted = weightedScratch(cells);
  // One sum at a time: short loops over few arrays are several times as fast as one over all.
  for (let a = 0; a < degree; a++) {
    const values = polynomials[a] as Float64Array;
    let mean = 0;
    let currentMean = 0;
    for (let i = 0; i < cells; i++) {
      const value = values[i] as number;
      weighted[i] = value * (shares[i] as number);
      mean += weighted[i] as number;
      currentMean += value * ((current[i] as number) / n);
    }
    means[a] = mean;
    currentMeans[a] = currentMean;
    for (let b = 0; b <= a; b++) {
      const others = polynomials[b] as Float64Array;
      let product = 0;
      for (let i = 0; i < cells; i++) product += (weighted[i] as number) * (others[i] as number);
      covariances[a * degree + b] = product - mean * (means[b] as number);
    }
  }
  return { means, currentMeans, covariances };
}

/** Legendre polynomials of degree 1 … at each x, each in an array from `arrayFor`. */
function legendre(
  x: Float64Array,
  degree: number,
  arrayFor: (j: number) => Float64Array = () => new Float64Array(x.length),
): Float64Array[] {
  const polynomials: Float64Array[] = [];
  for (let j = 0; j < degree; j++) {
    const values = arrayFor(j);
    const last = polynomials[j - 1];
    const before = polynomials[j - 2];
    for (let i = 0; i < x.length; i++) {
      const at = x[i] as number;
      if (last === undefined) values[i] = at;
      else
        values[i] =
          ((2 * j + 1) * at * (last[i] as number) - j * (before === undefined ? 1 : (before[i] as number))) /
          (j + 1);
    }
    polynomials.push(values);
  }
  return polynomials;
}

interface Cells {
  readonly shares: Float64Array;
  readonly ranks: Float64Array;
}

const coarseScratch = [createScratch(), createScratch()] as const;

/**
 * Neighbouring cells together, up to a share of 1/256: third and fourth moments of smooth scores need no finer ones. Valid until the next
 * call.
 */
export function coarse({ shares, ranks }: Pooled): Cells {
  const merged = { shares: coarseScratch[0](shares.length), ranks: coarseScratch[1](shares.length) };
  let at = -1;
  for (let i = 0; i < shares.length; i++) {
    const share = shares[i] as number;
    const held = at < 0 ? 1 : (merged.shares[at] as number);
    if (held + share > COARSE_SHARE) {
      at++;
      merged.shares[at] = share;
      merged.ranks[at] = ranks[i] as number;
    } else {
      merged.ranks[at] =
        ((merged.ranks[at] as number) * held + (ranks[i] as number) * share) / (held + share);
      merged.shares[at] = held + share;
    }
  }
  return { shares: merged.shares.subarray(0, at + 1), ranks: merged.ranks.subarray(0, at + 1) };
}

/**
 * The polynomials made orthonormal over the pooled rows, one after the other (Cholesky's steps): each one's value in the coarse cells,
 * and its mean over the window. Those that the pooled rows do not carry are left out. The values are in arrays from `arrayFor`, new ones by
 * default.
 */
export function whiten(
  { means, currentMeans, covariances }: RawMoments,
  { shares, ranks }: Cells,
  degree: number,
  fourthFactor: number,
  arrayFor?: (j: number) => Float64Array,
): { scores: Float64Array[]; differences: number[] } {
  const polynomials = legendre(ranks, degree, arrayFor);
  const scores: Float64Array[] = [];
  const differences: number[] = [];
  const kept: { index: number; row: number[]; deviation: number }[] = [];
  for (let j = 0; j < degree; j++) {
    const row: number[] = [];
    for (const other of kept) {
      let sum = covariances[j * degree + other.index] as number;
      other.row.forEach((part, i) => {
        sum -= part * (row[i] as number);
      });
      row.push(sum / other.deviation);
    }
    const variance = row.reduce((left, part) => left - part * part, covariances[j * degree + j] as number);
    if (!(variance * (2 * j + 3) > (j === 0 ? LEAST_VARIANCE : LEAST_OWN_VARIANCE))) continue;
    const deviation = Math.sqrt(variance);
    const score = polynomials[j] as Float64Array;
    let fourth = 0;
    for (let i = 0; i < score.length; i++) {
      let value = (score[i] as number) - (means[j] as number);
      for (let k = 0; k < row.length; k++)
        value -= (row[k] as number) * ((scores[k] as Float64Array)[i] as number);
      value /= deviation;
      score[i] = value;
      fourth += value * value * value * value * (shares[i] as number);
    }
    if (j > 0 && (fourth - 3) * fourthFactor > MOST_EXCESS) continue;
    let difference = (currentMeans[j] as number) - (means[j] as number);
    for (let k = 0; k < row.length; k++) difference -= (row[k] as number) * (differences[k] as number);
    differences.push(difference / deviation);
    scores.push(score);
    kept.push({ index: j, row, deviation });
  }
  return { scores, differences };
}

const lengthsScratch = createScratch();
const thirdsScratch = createScratch();

/**
 * Second and third cumulant of Q = |Z|² to the first order in 1/n, from the mixed cumulants of the scores: with
 * κ₄ = Σ κ(a,a,b,b), S = Σ κ(a,b,c)² and T = Σ (Σ κ(a,a,b))², they are 2k + κ₄ and 8k + 12κ₄ + 4S + 6T.
 */
export function cumulants(
  shares: Float64Array,
  scores: readonly Float64Array[],
  factors: { rows: number; third: number; fourth: number },
): { variance: number; thirdCumulant: number } {
  const k = scores.length;
  const cells = shares.length;
  const thirds = thirdsScratch(k * k * k).fill(0);
  const lengths = lengthsScratch(cells).fill(0);
  const weighted = weightedScratch(cells);
  // One sum at a time, as for the raw moments.
  for (let a = 0; a < k; a++) {
    const x = scores[a] as Float64Array;
    for (let i = 0; i < cells; i++) lengths[i] = (lengths[i] as number) + (x[i] as number) * (x[i] as number);
    for (let b = a; b < k; b++) {
      const y = scores[b] as Float64Array;
      for (let i = 0; i < cells; i++)
        weighted[i] = (x[i] as number) * ((y[i] as number) * (shares[i] as number));
      for (let c = b; c < k; c++) {
        const z = scores[c] as Float64Array;
        let sum = 0;
        for (let i = 0; i < cells; i++) sum += (weighted[i] as number) * (z[i] as number);
        thirds[(a * k + b) * k + c] = sum;
      }
    }
  }
  let fourth = 0;
  for (let i = 0; i < cells; i++)
    fourth += (lengths[i] as number) * (lengths[i] as number) * (shares[i] as number);
  return cumulantsOf(k, thirds, fourth, factors);
}

/** Those of one score, from its third and fourth moment. */
export function singleCumulants(
  third: number,
  fourth: number,
  factors: ReturnType<typeof cumulantFactors>,
): ReturnType<typeof cumulants> {
  return cumulantsOf(1, [third], fourth, factors);
}

function cumulantsOf(
  k: number,
  thirds: ArrayLike<number>,
  fourth: number,
  factors: ReturnType<typeof cumulantFactors>,
): { variance: number; thirdCumulant: number } {
  const third = (a: number, b: number, c: number) => {
    const low = Math.min(a, b, c);
    const high = Math.max(a, b, c);
    return thirds[(low * k + (a + b + c - low - high)) * k + high] as number;
  };
  let squares = 0;
  let contracted = 0;
  for (let a = 0; a < k; a++) {
    let sum = 0;
    for (let b = 0; b < k; b++) {
      sum += third(a, b, b);
      for (let c = 0; c < k; c++) squares += third(a, b, c) ** 2;
    }
    contracted += sum * sum;
  }
  // The second term is that of a permutation: (N − 1)·R² of scores without kurtosis is (N − 1) times a beta, not χ².
  const excess = factors.fourth * (fourth - k * (k + 2)) - (2 * k * (k + 2)) / (factors.rows + 1);
  const skew = factors.third ** 2;
  // A Q of very few rows is nearly constant; its law must still have a spread to be read by.
  const variance = Math.max(k / 2, 2 * k + excess);
  return {
    variance,
    thirdCumulant: Math.max(
      variance ** 1.5 / 2,
      8 * k + 12 * excess + HIGHER_ORDERS * skew * (4 * squares + 6 * contracted),
    ),
  };
}
