import { binomialLog } from './binomial-log.js';

/**
 * Exact two-sided p-value of McNemar's test (1947, Psychometrika 12:153): of the pairs that differ, half should differ either way.
 * 1 without such pairs.
 */
export function mcNemarExact(one: number, other: number): number {
  for (const count of [one, other])
    if (!(Number.isInteger(count) && count >= 0))
      throw new RangeError(`a count of pairs is ${count}: it must be a whole number of 0 or more`);
  const pairs = one + other;
  const fewer = Math.min(one, other);
  let sum = 0;
  // From the largest term down: what follows is smaller, and ends where it adds nothing.
  for (let k = fewer; k >= 0; k--) {
    const term = Math.exp(binomialLog(k, pairs, 0.5, 0.5));
    if (sum > 0 && term < sum * 1e-18) break;
    sum += term;
  }
  return pairs === 0 ? 1 : Math.min(1, 2 * sum);
}
