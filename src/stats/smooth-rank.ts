import { hypergeometricPmf, leastPermutationPValue } from './hypergeometric.js';
import { createScratches } from './scratch.js';
import {
  coarse,
  cumulantFactors,
  cumulants,
  type Pooled,
  pool,
  type RawMoments,
  rawMoments,
  whiten,
} from './smooth-scores.js';
import { chiSquareSf } from './special.js';

/** With fewer rows than this expected outside the most frequent value, a window's law is that of their number. */
const SPARSE_ROWS = 5;
/** Two values only: up to this many rows in the smaller sample the p-value is exact. */
const MOST_EXACT_ROWS = 500;

/** How many rows lie outside the most frequent value decides Q: chance of each number, and the greatest Q that goes with it. */
interface CountNull {
  readonly chances: Float64Array;
  readonly greatest: Float64Array;
  /** With two values the number of rows outside one of them is all there is; else this is a bound. */
  readonly exact: boolean;
}

/** Mean, variance and third cumulant of Q under independent rows; the p-value is that of the Pearson III law with these. */
export interface SmoothNull {
  /** Scores in use: the mean of Q, exactly. 0 when all pooled values are one. */
  readonly scores: number;
  readonly variance: number;
  readonly thirdCumulant: number;
  /** No arrangement of so few rows is rarer. */
  readonly leastPValue: number;
  readonly byCount: CountNull | null;
}

/** Q and its null. */
export interface SmoothRank extends SmoothNull {
  readonly statistic: number;
}

/**
 * Neyman's smooth test (1937, Skand. Aktuarietidskr. 20:149) for two samples in its rank form: the pooled midranks of ordered cells
 * are read through the Legendre polynomials of degree 1 … `degree` (location: Wilcoxon's; scale: Mood's; skewness; tails), and Q is the
 * quadratic form of the differences of mean scores in the inverse of their permutation covariance, ties included.
 *
 * Pooled cells decide which scores are used, never which sample a row belongs to, so the null holds given the pooled counts.
 */
export function smoothRank(
  current: readonly number[],
  reference: readonly number[],
  degree: number,
): SmoothRank {
  const { pooled, raw, cells, factors, scores, statistic } = scored(current, reference, degree);
  return {
    statistic,
    scores: scores.length,
    ...cumulants(cells.shares, scores, factors),
    leastPValue: leastPermutationPValue(pooled.n, pooled.m),
    byCount: scores.length === 1 ? countNull(pooled, raw) : null,
  };
}

/** Q alone, without its null. */
export function smoothStatistic(
  current: readonly number[],
  reference: readonly number[],
  degree: number,
): number {
  return scored(current, reference, degree).statistic;
}

const scoreScratch = createScratches();

/** Valid until the next call. */
function scored(current: readonly number[], reference: readonly number[], degree: number) {
  if (current.length !== reference.length)
    throw new RangeError(`cell counts have lengths ${current.length} and ${reference.length}: use one grid`);
  const pooled = pool(current, reference);
  const { n, m } = pooled;
  if (!(n > 0 && m > 0)) throw new RangeError(`sample sizes are ${n} and ${m}: both need a value`);
  const factors = cumulantFactors(n, m);
  const raw = rawMoments(pooled, degree);
  const cells = coarse(pooled);
  const { scores, differences } = whiten(raw, cells, degree, factors.fourth, (j) =>
    scoreScratch(j, cells.ranks.length),
  );
  const length = differences.reduce((sum, difference) => sum + difference * difference, 0);
  // A pooled mean is 0, so the difference of the two means is (n + m)/m of the window's.
  return { pooled, raw, cells, factors, scores, statistic: ((n + m - 1) / m) * n * length };
}

/** P(Q ≥ statistic) under independent rows. */
export function smoothPValue(statistic: number, smoothNull: SmoothNull): number {
  const { scores, leastPValue, byCount } = smoothNull;
  if (scores === 0) return 1;
  if (byCount !== null) {
    let chance = 0;
    // Q of the same table, reached through other sums, may differ in its last digits.
    for (let x = 0; x < byCount.chances.length; x++)
      if ((byCount.greatest[x] as number) >= statistic * (1 - 1e-9)) chance += byCount.chances[x] as number;
    if (byCount.exact) return Math.min(1, chance);
    return Math.min(1, Math.max(chance, leastPValue, pearsonThree(statistic, smoothNull)));
  }
  return Math.max(leastPValue, pearsonThree(statistic, smoothNull));
}

function pearsonThree(statistic: number, { scores, variance, thirdCumulant }: SmoothNull): number {
  // χ²(df), moved and stretched to these three cumulants; of scores without kurtosis and skewness it is χ²(scores).
  const df = (8 * variance ** 3) / thirdCumulant ** 2;
  return chiSquareSf((statistic - scores) * Math.sqrt((2 * df) / variance) + df, df);
}

/**
 * The number of a window's rows that lie outside the most frequent pooled value is hypergeometric, and the one score lies between its
 * extremes on each of them. Null where that is neither exact nor needed.
 */
function countNull({ n, m, shares, ranks }: Pooled, raw: RawMoments): CountNull | null {
  const all = n + m;
  let mode = 0;
  for (let i = 1; i < shares.length; i++) if ((shares[i] as number) > (shares[mode] as number)) mode = i;
  const outside = Math.round(all * (1 - (shares[mode] as number)));
  const smaller = Math.min(n, m);
  const exact = shares.length === 2 && smaller <= MOST_EXACT_ROWS;
  if (!exact && (smaller * outside) / all >= SPARSE_ROWS) return null;
  const scoreAt = (cell: number) =>
    ((ranks[cell] as number) - (raw.means[0] as number)) / Math.sqrt(raw.covariances[0] as number);
  const low = scoreAt(mode === 0 ? 1 : 0);
  const high = scoreAt(mode === shares.length - 1 ? mode - 1 : shares.length - 1);
  // Of the smaller sample: the sums of scores of both samples differ in sign alone, and so does the count's law.
  const chances = hypergeometricPmf(all, outside, smaller);
  const usual = scoreAt(mode);
  const greatest = chances.map((_, x) => {
    const sumAt = (rare: number) => x * rare + (smaller - x) * usual;
    const sum = Math.max(Math.abs(sumAt(low)), Math.abs(sumAt(high)));
    return (((all - 1) / (all - smaller)) * (sum * sum)) / smaller;
  });
  return { chances, greatest, exact };
}
