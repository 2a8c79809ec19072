import { type Cumulants, gammaTail } from './sparse-chi-square.js';
import { logChoose } from './special.js';

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
/** Where every cell is bound to be filled, or none is missed, nothing varies. */
const LEAST_VARIANCE = 1e-300;

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
  const logAll = logChoose(all, n);
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
      q = all - count < n ? 0 : Math.exp(logChoose(all - count, n) - logAll);
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
    if (variance < LEAST_VARIANCE) return count > missed ? 0 : 1;
    return signedTail(count - 0.5, cumulants);
  };
  return {
    distinct,
    expected: cells - missed,
    atLeast: (found) => 1 - missesAtLeast(cells - found + 1),
    atMost: (found) => missesAtLeast(cells - found),
  };
}

/** `gammaTail` for either sign of the skewness. */
function signedTail(x: number, { mean, variance, third }: Cumulants): number {
  return third > 0
    ? gammaTail(x, { mean, variance, third })
    : 1 - gammaTail(-x, { mean: -mean, variance, third: -third });
}
