import { hypergeometricLogProbability } from './hypergeometric.js';
import { logGamma } from './special.js';

/**
 * P(at least `hits` of `n` new values lie outside the range of `m` earlier ones) when all n + m are exchangeable and
 * continuous; with ties it is less. The new values fall into the m + 1 gaps of the earlier ones as balls fall into
 * boxes, so the two outer gaps hold at least h of them exactly when of h + 1 values drawn without return at most one is an
 * earlier one (Gumbel & von Schelling 1950, Ann. Math. Stat. 21:247). `hits` may be any real number from 0: p falls in it.
 */
export function exceedancePValue(hits: number, n: number, m: number): number {
  if (hits <= 0) return 1;
  if (hits > n) return 0;
  const chanceOf = (earlier: number): number =>
    Math.exp(hypergeometricLogProbability(earlier, n + m, m, hits + 1));
  const none = hits > n - 1 ? lastPart(hits, n, m) : chanceOf(0);
  return Math.min(1, none + chanceOf(1));
}

/** C(n, hits + 1)/C(n + m, hits + 1) between n − 1 hits and n, where the binomial coefficient runs out to 0. */
function lastPart(hits: number, n: number, m: number): number {
  if (hits === n) return 0;
  return Math.exp(logGamma(n + 1) - logGamma(n - hits) + logGamma(n + m - hits) - logGamma(n + m + 1));
}
