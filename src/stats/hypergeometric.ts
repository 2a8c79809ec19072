import { binomialLog } from './binomial-log.js';

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
  const rest = (all - draws) / all;
  return (
    binomialLog(x, marked, share, rest) +
    binomialLog(draws - x, all - marked, share, rest) -
    binomialLog(draws, all, share, rest)
  );
}

/**
 * The least p-value that a two-sided permutation test of n against m rows can give, whatever its statistic: that of one arrangement of
 * C(n + m, n), and of its mirror image where the samples are of one size.
 */
export function leastPermutationPValue(n: number, m: number): number {
  return (n === m ? 2 : 1) * Math.exp(hypergeometricLogProbability(n, n + m, n, n));
}
