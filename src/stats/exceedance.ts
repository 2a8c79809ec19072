import { logChoose } from './special.js';

/**
 * P(at least `hits` of `n` new values lie outside the range of `m` earlier ones) when all n + m are exchangeable and
 * continuous; with ties it is less. The new values fall into the m + 1 gaps of the earlier ones as balls fall into
 * boxes, so the two outer gaps hold at least h of them exactly when of h + 1 values drawn without return at most one is an
 * earlier one (Gumbel & von Schelling 1950, Ann. Math. Stat. 21:247). `hits` may be any real number from 0: p falls in it.
 */
export function exceedancePValue(hits: number, n: number, m: number): number {
  if (hits <= 0) return 1;
  if (hits > n) return 0;
  const all = logChoose(n + m, hits + 1);
  const none = hits < n ? Math.exp(logChoose(n, hits + 1) - all) : 0;
  return Math.min(1, none + m * Math.exp(logChoose(n, hits) - all));
}
