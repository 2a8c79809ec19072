import betainc from '@stdlib/math/base/special/betainc/lib/index.js';
import { total } from './cells.js';

/** A count to come: negative binomial with variance mean + dispersion·mean². */
export interface CountPrediction {
  readonly mean: number;
  /** Relative variance beyond Poisson's, that of the estimated mean included. */
  readonly dispersion: number;
}

/**
 * Predicts the next count of the first group from counts in groups that have means of their own and one relative spread in common,
 * which is the α at which Pearson's Σ (c − μ)²/(μ + αμ²) is one standard error below its degrees of freedom: few counts rarely
 * hold the tail they come from. Null when there are no degrees of freedom, or the mean is 0.
 */
export function predictCount(groups: readonly (readonly number[])[]): CountPrediction | null {
  const used = groups.filter((group) => group.length > 0);
  const means = used.map((group) => total(group) / group.length);
  const degrees = used.reduce((sum, group) => sum + group.length - 1, 0);
  const mean = means[0] ?? 0;
  const size = used[0]?.length ?? 0;
  if (degrees < 1 || !(mean > 0) || used[0] !== groups[0]) return null;
  const pearson = (dispersion: number): number =>
    used.reduce((all, group, g) => {
      const mu = means[g] ?? 0;
      return mu === 0
        ? all
        : all + group.reduce((sum, c) => sum + (c - mu) ** 2, 0) / (mu + dispersion * mu * mu);
    }, 0);
  const target = Math.max(degrees / 10, degrees - Math.sqrt(2 * degrees));
  const between = solveFalling(pearson, target);
  return { mean, dispersion: between + (between + 1 / mean) / size };
}

/** The least x ≥ 0 at which a falling function is at most `target`, to 1e-9 relatively. */
function solveFalling(valueAt: (x: number) => number, target: number): number {
  if (valueAt(0) <= target) return 0;
  let high = 1e-6;
  while (valueAt(high) > target && high < 1e9) high *= 2;
  let low = 0;
  for (let step = 0; step < 60 && high - low > high * 1e-9; step++) {
    const middle = (low + high) / 2;
    if (valueAt(middle) > target) low = middle;
    else high = middle;
  }
  return high;
}

/** Two-sided p-value of a count (any real ≥ 0), twice the smaller tail. */
export function countPValue(count: number, { mean, dispersion }: CountPrediction): number {
  if (!(count >= 0)) throw new RangeError(`the count is ${count}: it must be 0 or more`);
  const size = 1 / dispersion;
  const success = size / (size + mean);
  const atMost = betainc(success, size, count + 1, true, false);
  const atLeast = count === 0 ? 1 : betainc(success, size, count, true, true);
  return Math.min(1, 2 * Math.min(atMost, atLeast));
}
