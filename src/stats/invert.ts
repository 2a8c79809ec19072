/**
 * The least statistic in [0, largest] whose p-value is at most `level`, for a p-value that falls as the statistic
 * grows; null when even `largest` does not reach the level. Bisection to the last bit: deterministic, no tuning.
 */
export function criticalStatistic(
  pValueOf: (statistic: number) => number,
  largest: number,
  level: number,
): number | null {
  if (!(pValueOf(largest) <= level)) return null;
  let low = 0;
  let high = largest;
  for (let step = 0; step < 60; step++) {
    const middle = low + (high - low) / 2;
    if (middle === low || middle === high) break;
    if (pValueOf(middle) <= level) high = middle;
    else low = middle;
  }
  return high;
}
