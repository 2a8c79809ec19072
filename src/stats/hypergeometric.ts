import { logGamma } from './special.js';

/**
 * P(X = x) for x = 0 … min(draws, marked): how many of `marked` among `all` rows are in `draws` of them, drawn without replacement.
 * Ratios of neighbours from the likeliest number outwards, then divided by their sum: no factorial of a large number loses digits. Within
 * 1e-10 of exact ones relatively; chances below the least double are 0.
 */
export function hypergeometricPmf(all: number, marked: number, draws: number): Float64Array {
  if (!(marked >= 0 && marked <= all && draws >= 0 && draws <= all))
    throw new RangeError(`${marked} marked and ${draws} drawn of ${all} rows: neither may exceed them`);
  const most = Math.min(draws, marked);
  const least = Math.max(0, draws + marked - all);
  const chances = new Float64Array(most + 1);
  const mode = Math.min(most, Math.max(least, Math.floor(((draws + 1) * (marked + 1)) / (all + 2))));
  chances[mode] = 1;
  for (let x = mode; x < most; x++)
    chances[x + 1] =
      ((chances[x] as number) * (marked - x) * (draws - x)) / ((x + 1) * (all - marked - draws + x + 1));
  for (let x = mode; x > least; x--)
    chances[x - 1] =
      ((chances[x] as number) * x * (all - marked - draws + x)) / ((marked - x + 1) * (draws - x + 1));
  const sum = chances.reduce((subtotal, chance) => subtotal + chance, 0);
  return chances.map((chance) => chance / sum);
}

/**
 * ln P(X = x) of that law for one x, which may be any real number between the law's ends: C(marked, x)·C(all − marked, draws − x)/C(all, draws).
 * Loader's saddle-point form (2000, "Fast and accurate computation of binomial probabilities"): factorials of large numbers nearly
 * cancel, and ten million rows would cost eight digits.
 */
export function hypergeometricLogProbability(x: number, all: number, marked: number, draws: number): number {
  if (x < 0 || x > marked || x > draws || draws - x > all - marked) return Number.NEGATIVE_INFINITY;
  if (draws === 0 || draws === all) return 0;
  const share = draws / all;
  return (
    binomialLog(x, marked, share) +
    binomialLog(draws - x, all - marked, share) -
    binomialLog(draws, all, share)
  );
}

/**
 * The least p-value that a two-sided permutation test of n against m rows can give, whatever its statistic: that of one arrangement of
 * C(n + m, n), and of its mirror image where the samples are of one size.
 */
export function leastPermutationPValue(n: number, m: number): number {
  return (n === m ? 2 : 1) * Math.exp(hypergeometricLogProbability(n, n + m, n, n));
}

/** ln C(n, x)·p^x·(1 − p)^(n − x). */
function binomialLog(x: number, n: number, p: number): number {
  if (x === 0) return n * Math.log1p(-p);
  if (x === n) return n * Math.log(p);
  return (
    stirlingError(n) -
    stirlingError(x) -
    stirlingError(n - x) -
    deviance(x, n * p) -
    deviance(n - x, n * (1 - p)) -
    Math.log(2 * Math.PI * x * (1 - x / n)) / 2
  );
}

const HALF_LOG_2PI = Math.log(2 * Math.PI) / 2;

/** ln Γ(n + 1) less Stirling's (n + ½)·ln n − n + ½·ln 2π, for n above 0. */
function stirlingError(n: number): number {
  if (n < 16) return logGamma(n + 1) - (n + 0.5) * Math.log(n) + n - HALF_LOG_2PI;
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
