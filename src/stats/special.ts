import betainc from '@stdlib/math/base/special/betainc/lib/index.js';
import erfc from '@stdlib/math/base/special/erfc/lib/index.js';
import erfinv from '@stdlib/math/base/special/erfinv/lib/index.js';
import gammainc from '@stdlib/math/base/special/gammainc/lib/index.js';
import gammaln from '@stdlib/math/base/special/gammaln/lib/index.js';

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
  if (df / 2 < LARGE_SHAPE) return gammainc(x / 2, df / 2, true, true);
  return x <= df ? 1 - lowerGammaSeries(x / 2, df / 2) : upperGammaFraction(x / 2, df / 2);
}

/** P(X ≤ x) of the same law, as such: a lower tail of 1e-200 keeps its digits too. */
export function chiSquareCdf(x: number, df: number): number {
  requireStatistic(x);
  requirePositive('df', df);
  if (x <= 0) return 0;
  if (x === Number.POSITIVE_INFINITY) return 1;
  if (df / 2 < LARGE_SHAPE) return gammainc(x / 2, df / 2, true, false);
  return x <= df ? lowerGammaSeries(x / 2, df / 2) : 1 - upperGammaFraction(x / 2, df / 2);
}

/**
 * From here on the series below are right to the last digit. @stdlib 0.4.1 loses digits in the tail from a shape of 190 on (1e-3 at a
 * p-value of 1e-300), and all but two of them in the middle: chi2.sf(3200, 3200) is 0.4967, its `gammainc` says 0.5066.
 */
const LARGE_SHAPE = 20;

/** ln of x^a·e^(−x)/Γ(a), by Stirling's series. */
function logGammaFactor(x: number, shape: number): number {
  const mu = (x - shape) / shape;
  const square = shape * shape;
  const stirling = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * square)) / square) / square) / shape;
  return -shape * (mu - Math.log1p(mu)) + Math.log(shape / (2 * Math.PI)) / 2 - stirling;
}

/** Regularised lower incomplete gamma function P(shape, x) for x up to the mean: DLMF 8.11.4. */
function lowerGammaSeries(x: number, shape: number): number {
  let term = 1 / shape;
  let sum = term;
  for (let k = 1; term > sum * Number.EPSILON; k++) {
    term *= x / (shape + k);
    sum += term;
  }
  return Math.min(1, Math.exp(logGammaFactor(x, shape)) * sum);
}

/** Regularised upper one, Q(shape, x), for x above the mean: the continued fraction DLMF 8.9.2. */
function upperGammaFraction(x: number, shape: number): number {
  let b = x + 1 - shape;
  let c = Number.MAX_VALUE;
  let d = 1 / b;
  let fraction = d;
  // The last digit may swing for ever: a few units of it are near enough.
  for (let k = 1, change = 0; Math.abs(change - 1) > 8 * Number.EPSILON; k++) {
    const a = k * (shape - k);
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    change = c * d;
    fraction *= change;
  }
  return Math.exp(logGammaFactor(x, shape)) * fraction;
}

/** P(X ≥ x) for Snedecor's F with `df1` and `df2` degrees of freedom (any positive reals). */
export function fSf(x: number, df1: number, df2: number): number {
  requireStatistic(x);
  requirePositive('df1', df1);
  requirePositive('df2', df2);
  if (x <= 0) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  const scaled = df1 * x;
  // The side whose argument is small keeps its digits.
  return scaled > df2
    ? betainc(df2 / (df2 + scaled), df2 / 2, df1 / 2, true, false)
    : betainc(scaled / (df2 + scaled), df1 / 2, df2 / 2, true, true);
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
