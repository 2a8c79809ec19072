import { hypergeometricLogProbability } from './hypergeometric.js';
import { type Cumulants, gammaLowerTail, gammaTail } from './sparse-chi-square.js';

/** How many different cells the window's rows fall into, and what permuted rows would show. */
export interface Rarefaction {
  readonly distinct: number;
  readonly expected: number;
  /** P(at least `distinct`) and P(at most `distinct`) under independent rows; any real number. */
  readonly atLeast: (distinct: number) => number;
  readonly atMost: (distinct: number) => number;
}

/** Below this skewness a gamma is a normal distribution in all but name, and its shape would grow without bound. */
const LEAST_SKEW = 0.03;
/** Where hardly anything can be missed, a gamma law has no shape left; Markov's bound is then the chance itself. */
const LEAST_VARIANCE = 1e-12;

/**
 * Hurlbert's rarefaction (1971, Ecology 52:577): a cell of t of all N rows is missed by n rows drawn without return with
 * chance C(N − t, n)/C(N, n). Variance and skewness of the number of missed cells take the drawn counts as independent binomials
 * given their sum (Holst 1972, Biometrika 59:137); the tail is the gamma distribution's with these moments, from half a cell on.
 */
export function rarefy(reference: readonly number[], current: readonly number[]): Rarefaction {
  let n = 0;
  let all = 0;
  let distinct = 0;
  for (let i = 0; i < reference.length; i++) {
    const a = current[i] as number;
    n += a;
    all += a + (reference[i] as number);
    if (a > 0) distinct++;
  }
  if (!(n > 0 && n < all)) throw new RangeError(`sample sizes are ${n} and ${all - n}: both need a row`);
  const share = n / all;
  const chances = new Map<number, number>();
  let cells = 0;
  let missed = 0;
  let variance = 0;
  let third = 0;
  let covariance = 0;
  for (let i = 0; i < reference.length; i++) {
    const count = (reference[i] as number) + (current[i] as number);
    if (count === 0) continue;
    let q = chances.get(count);
    if (q === undefined) {
      q = Math.exp(hypergeometricLogProbability(0, all, count, n));
      chances.set(count, q);
    }
    cells++;
    missed += q;
    variance += q * (1 - q);
    third += q * (1 - q) * (1 - 2 * q);
    covariance += count * share * q;
  }
  variance = Math.max(0, variance - covariance ** 2 / (all * share * (1 - share)));
  const deviation = Math.sqrt(variance);
  const least = LEAST_SKEW * deviation ** 3;
  const cumulants = { mean: missed, variance, third: Math.abs(third) < least ? least : third };
  const missesAtLeast = (count: number): number => {
    if (count <= 0) return 1;
    if (variance < LEAST_VARIANCE) return Math.min(1, missed / count);
    return upperTail(count - 0.5, cumulants);
  };
  const missesBelow = (count: number): number => {
    if (count <= 0) return 0;
    if (variance < LEAST_VARIANCE) return count > missed ? 1 : 0;
    return lowerTail(count - 0.5, cumulants);
  };
  return {
    distinct,
    expected: cells - missed,
    atLeast: (found) => missesBelow(cells - found + 1),
    atMost: (found) => missesAtLeast(cells - found),
  };
}

/** `gammaTail` for either sign of the skewness. */
function upperTail(x: number, law: Cumulants): number {
  return law.third > 0 ? gammaTail(x, law) : gammaLowerTail(-x, mirrored(law));
}

function lowerTail(x: number, law: Cumulants): number {
  return law.third > 0 ? gammaLowerTail(x, law) : gammaTail(-x, mirrored(law));
}

const mirrored = ({ mean, variance, third }: Cumulants): Cumulants => ({
  mean: -mean,
  variance,
  third: -third,
});
