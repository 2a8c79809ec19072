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
 * Exact path counting up to `exactLattice` = n·m, else Kolmogorov's limit with Stephens' finite-sample factor
 * (1970, JRSS B 32:115), within 6 % of scipy's from 1 down to 1e-7 once both samples have 60 rows.
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
  const root = Math.sqrt((n * m) / (n + m));
  return kolmogorovSf((root + 0.12 + 0.11 / root) * distance);
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
