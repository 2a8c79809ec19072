import { kolmogorovSf } from './special.js';

/** Up to this many lattice points n·m the p-value is exact (the work is that many steps). */
export const KS_EXACT_LATTICE = 100_000;

/**
 * Two-sample Kolmogorov–Smirnov D = max |F − G| of two ascending arrays without NaN; ±Infinity is allowed.
 * Equal to scipy's `ks_2samp` statistic, ties included.
 */
export function ksDistance(first: ArrayLike<number>, second: ArrayLike<number>): number {
  const n = first.length;
  const m = second.length;
  if (n === 0 || m === 0)
    throw new RangeError(`sample sizes are ${n} and ${m}: both need at least one value`);
  let i = 0;
  let j = 0;
  let distance = 0;
  while (i < n && j < m) {
    const value = Math.min(first[i] as number, second[j] as number);
    if (Number.isNaN(value)) throw new RangeError('a sample holds NaN: take missing values out first');
    while (i < n && first[i] === value) i++;
    while (j < m && second[j] === value) j++;
    distance = Math.max(distance, Math.abs(i / n - j / m));
  }
  return distance;
}

/**
 * Two-sided p-value of D for sample sizes n and m under independent continuous rows (with ties: conservative).
 * Exact path counting up to `exactLattice` = n·m; beyond that within 2.5 % of the exact law from 1 down to 1e-30 and within 10 % down to 1e-300, by
 * one-sided path counting and Kolmogorov's series: where one side is reached with chance exp(−2z²), either is with Kolmogorov's chance of z.
 */
export function ksPValue(
  distance: number,
  n: number,
  m: number,
  exactLattice: number = KS_EXACT_LATTICE,
): number {
  if (!(distance >= 0 && distance <= 1)) throw new RangeError(`D is ${distance}: it must lie in [0, 1]`);
  if (!(n >= 1 && m >= 1))
    throw new RangeError(`sample sizes are ${n} and ${m}: both need at least one value`);
  if (distance === 0) return 1;
  if (n * m <= exactLattice) return exactPValue(distance, n, m);
  const oneSided = oneSidedPValue(distance, Math.min(n, m), Math.max(n, m));
  return oneSided >= 1 ? 1 : kolmogorovSf(Math.sqrt(-Math.log(oneSided) / 2));
}

/** Of samples with more values than twice this, points are taken in equal strides: the sum is smooth but for the rounding to whole j. */
const FEWEST_POINTS = 128;
/** Beside so much larger a sample rounding does next to nothing, and fewer points are as good. */
const MUCH_LARGER = 16;
const FEWEST_SMOOTH_POINTS = 80;

/**
 * P(max (F − G) ≥ d) for n values of F and m ≥ n of G: the sum over the points (i, j) at which a path, walked from its end, is first that
 * far below. The path passes a point with a hypergeometric chance, and came to it for the first time with chance height/(i + j)
 * (the ballot theorem). Exact where n divides m (Korolyuk 1955, Izv. AN SSSR 19:81); else rounding to whole j costs 2 % at most.
 */
function oneSidedPValue(distance: number, n: number, m: number): number {
  const slope = m / n;
  const points = slope >= MUCH_LARGER ? FEWEST_SMOOTH_POINTS : FEWEST_POINTS;
  const stride = strideOf(Math.floor(n / points), n / greatestDivisor(n, m));
  const logPaths = logFactorial(n + m) - logFactorial(n) - logFactorial(m);
  let sum = 0;
  for (let i = (stride - 1) >> 1; i <= n; i += stride) {
    const j = Math.ceil(m * distance + slope * i - 1e-6);
    if (j > m) break;
    const logBefore = logFactorial(i + j) - logFactorial(i) - logFactorial(j);
    const logAfter = logFactorial(n - i + m - j) - logFactorial(n - i) - logFactorial(m - j);
    sum += ((j - slope * i) / (i + j)) * Math.exp(logBefore + logAfter - logPaths);
  }
  return stride * sum;
}

/** How far whole j lie above the line repeats after `period` points: strides must not keep step with that. */
function strideOf(most: number, period: number): number {
  let stride = Math.max(1, most);
  while (stride > 1 && greatestDivisor(stride, period) > 1) stride--;
  return stride;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

const SMALL_FACTORIALS = [1, 1, 2, 6, 24, 120, 720, 5040].map(Math.log);
const HALF_LOG_2PI = Math.log(2 * Math.PI) / 2;

/** ln n! for a whole n ≥ 0, by Stirling's series: within 1e-8, and several times as fast as a general ln Γ. */
function logFactorial(n: number): number {
  if (n < SMALL_FACTORIALS.length) return SMALL_FACTORIALS[n] as number;
  return (n + 0.5) * Math.log(n) - n + HALF_LOG_2PI + (1 / 12 - 1 / (360 * n * n)) / n;
}

/**
 * P(D ≥ d): the chance that a random lattice path from (0, 0) to (n, m) touches |i/n − j/m| ≥ d, by
 * u(i, j) = i/(i+j)·u(i−1, j) + j/(i+j)·u(i, j−1). All terms are positive, so small tails keep their digits.
 */
function exactPValue(distance: number, n: number, m: number): number {
  // D is a multiple of 1/(n·m) at least; half a step absorbs rounding.
  const bound = (Math.ceil(distance * n * m - 1e-6) - 0.5) / (n * m);
  const reached = new Float64Array(m + 1);
  for (let j = 1; j <= m; j++) reached[j] = j / m > bound ? 1 : 0;
  for (let i = 1; i <= n; i++) {
    if (i / n > bound) reached[0] = 1;
    let left = reached[0] as number;
    for (let j = 1; j <= m; j++) {
      const gap = i / n - j / m;
      left = gap > bound || gap < -bound ? 1 : (i * (reached[j] as number) + j * left) / (i + j);
      reached[j] = left;
    }
  }
  return Math.min(1, reached[m] as number);
}

/** D and p-value of two ascending arrays; see `ksDistance` and `ksPValue`. */
export function ksTwoSample(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  exactLattice: number = KS_EXACT_LATTICE,
): { statistic: number; pValue: number } {
  const statistic = ksDistance(first, second);
  return { statistic, pValue: ksPValue(statistic, first.length, second.length, exactLattice) };
}
