import erfc from '@stdlib/math/base/special/erfc/lib/index.js';
import erfinv from '@stdlib/math/base/special/erfinv/lib/index.js';
import gammaln from '@stdlib/math/base/special/gammaln/lib/index.js';
import { lowerBeta, lowerGamma, upperGamma } from './incomplete.js';

// Upper tails are computed as such, never as 1 − cdf: a p-value of 1e-200 ranks features just as one of 1e-3 does.

function requirePositive(name: string, value: number): void {
  if (!(value > 0)) throw new RangeError(`${name} is ${value}: it must be above 0`);
}

function requireStatistic(value: number): void {
  if (Number.isNaN(value)) throw new RangeError('the statistic is NaN: decide before asking for a p-value');
}

/** P(X ≥ x) for χ² with `df` degrees of freedom (any positive real); within 1e-11 of the exact one relatively, down to 1e-300. */
export function chiSquareSf(x: number, df: number): number {
  requireStatistic(x);
  requirePositive('df', df);
  if (x <= 0) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  return upperGamma(x / 2, df / 2);
}

/** P(X ≤ x) of the same law, as such: a lower tail of 1e-200 keeps its digits too. */
export function chiSquareCdf(x: number, df: number): number {
  requireStatistic(x);
  requirePositive('df', df);
  if (x <= 0) return 0;
  if (x === Number.POSITIVE_INFINITY) return 1;
  return lowerGamma(x / 2, df / 2);
}

/** P(X ≥ x) for Snedecor's F with `df1` and `df2` degrees of freedom (any positive reals). */
export function fSf(x: number, df1: number, df2: number): number {
  requireStatistic(x);
  requirePositive('df1', df1);
  requirePositive('df2', df2);
  if (x <= 0) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  const scaled = df1 * x;
  const all = df2 + scaled;
  return lowerBeta(df2 / all, scaled / all, df2 / 2, df1 / 2);
}

/** P(Z ≥ z) for the standard normal. */
export function normalSf(z: number): number {
  requireStatistic(z);
  return erfc(z / Math.SQRT2) / 2;
}

/** The z with P(|Z| ≤ z) = p: √2·erf⁻¹(p), for p in [0, 1]. */
export function normalHalfWidth(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p is ${p}: it must lie in [0, 1]`);
  return Math.SQRT2 * erfinv(p);
}

/** P(K ≥ λ) for Kolmogorov's limiting distribution of √n·D. */
export function kolmogorovSf(lambda: number): number {
  requireStatistic(lambda);
  if (lambda <= 0.04) return 1;
  if (lambda < 0.9) {
    // The theta-dual series converges fast where the alternating one does not.
    const t = -(Math.PI ** 2) / (8 * lambda * lambda);
    let cdf = 0;
    for (let k = 1; k <= 15; k += 2) cdf += Math.exp(t * k * k);
    return 1 - (Math.sqrt(2 * Math.PI) / lambda) * cdf;
  }
  let sum = 0;
  for (let k = 1; k <= 20; k++) {
    const term = Math.exp(-2 * k * k * lambda * lambda);
    if (term === 0) break;
    sum += k % 2 === 1 ? term : -term;
  }
  return Math.min(1, 2 * sum);
}

/** ln Γ(x) for x above 0. */
export function logGamma(x: number): number {
  requirePositive('x', x);
  return gammaln(x);
}
