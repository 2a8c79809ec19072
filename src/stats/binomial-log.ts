import gammaln from '@stdlib/math/base/special/gammaln/lib/index.js';

/**
 * ln C(n, x)·p^x·q^(n − x) for real 0 ≤ x ≤ n and q = 1 − p, by Loader's saddle-point form (2000, "Fast and accurate computation of
 * binomial probabilities"): factorials of ten millions nearly cancel, and would cost eight digits.
 */
export function binomialLog(x: number, n: number, p: number, q: number): number {
  if (x === 0) return n * (p < 0.5 ? Math.log1p(-p) : Math.log(q));
  if (x === n) return n * (q < 0.5 ? Math.log1p(-q) : Math.log(p));
  return (
    stirlingError(n) -
    stirlingError(x) -
    stirlingError(n - x) -
    deviance(x, n * p) -
    deviance(n - x, n * q) -
    Math.log((2 * Math.PI * x * (n - x)) / n) / 2
  );
}

const HALF_LOG_2PI = Math.log(2 * Math.PI) / 2;

/** ln Γ(n + 1) less Stirling's (n + ½)·ln n − n + ½·ln 2π, for n above 0. */
function stirlingError(n: number): number {
  if (n < 16) return gammaln(n + 1) - (n + 0.5) * Math.log(n) + n - HALF_LOG_2PI;
  const square = n * n;
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / (1188 * square)) / square) / square) / square) / n;
}

/** x·ln(x/mean) + mean − x, which is about (x − mean)²/(2·mean): by a series where the parts would cancel. */
function deviance(x: number, mean: number): number {
  const difference = x - mean;
  if (Math.abs(difference) >= 0.1 * (x + mean)) return x * Math.log(x / mean) - difference;
  const v = difference / (x + mean);
  let sum = difference * v;
  let power = 2 * x * v;
  for (let j = 1; ; j++) {
    power *= v * v;
    const next = sum + power / (2 * j + 1);
    if (next === sum) return next;
    sum = next;
  }
}
