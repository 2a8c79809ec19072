/** How well scores tell two samples apart. */
export interface RankAuc {
  /** P(a positive scores higher than a negative) + ½·P(they score the same). */
  readonly auc: number;
  /** Variance of `auc` when scores say nothing: that of a permutation of the rows, with ties (Mann & Whitney 1947). */
  readonly nullVariance: number;
  /** Variance of `auc` as it is (DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837). */
  readonly variance: number;
}

/**
 * @param positives scores of one sample, finite
 * @param negatives of the other; both need two at least, else RangeError
 */
export function rankAuc(positives: ArrayLike<number>, negatives: ArrayLike<number>): RankAuc {
  const m = positives.length;
  const n = negatives.length;
  if (m < 2 || n < 2) throw new RangeError(`there are ${m} and ${n} scores: both samples need two at least`);
  const up = Float64Array.from(positives).sort();
  const down = Float64Array.from(negatives).sort();
  // Two runs of equal values at a time: how many of the other sample lie below, and how many are equal.
  let i = 0;
  let j = 0;
  let above = 0;
  let aboveSquares = 0;
  let below = 0;
  let belowSquares = 0;
  let ties = 0;
  while (i < m || j < n) {
    const value = j >= n || (i < m && (up[i] as number) <= (down[j] as number)) ? up[i] : down[j];
    const beforeUp = i;
    const beforeDown = j;
    while (i < m && up[i] === value) i++;
    while (j < n && down[j] === value) j++;
    const equalUp = i - beforeUp;
    const equalDown = j - beforeDown;
    // Placements: the share of negatives below a positive, and of positives above a negative.
    const placed = (beforeDown + equalDown / 2) / n;
    const outranked = (m - i + equalUp / 2) / m;
    above += equalUp * placed;
    aboveSquares += equalUp * placed * placed;
    below += equalDown * outranked;
    belowSquares += equalDown * outranked * outranked;
    const tied = equalUp + equalDown;
    ties += tied ** 3 - tied;
  }
  const all = m + n;
  return {
    auc: above / m,
    nullVariance: (all + 1 - ties / (all * (all - 1))) / (12 * m * n),
    variance: varianceOf(above, aboveSquares, m) / m + varianceOf(below, belowSquares, n) / n,
  };
}

function varianceOf(sum: number, squares: number, count: number): number {
  return Math.max(0, (squares - (sum * sum) / count) / (count - 1));
}
