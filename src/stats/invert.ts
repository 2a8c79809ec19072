/** A statistic and its p-value. */
export interface SeenStatistic {
  readonly statistic: number;
  readonly pValue: number;
}

/** Relative distance between the answer and the exact critical value, at most. */
const TOLERANCE = 1e-9;
/** Statistics so much smaller than the largest one count as 0. */
const LEAST = 1e-15;

interface End {
  readonly at: number;
  readonly isReached: boolean;
  /** ln(p/level), from the least p-value that a double can hold where p is below it. */
  readonly gap: number;
}

/**
 * The least statistic in [0, largest] whose p-value is at most `level`, for a p-value that falls as the statistic
 * grows; null when even `largest` does not reach the level. The level is reached at the answer and missed at (1 − 1e-9) times it.
 * What was `seen` lies on the right side of the answer exactly, and saves half of the work: it is near more often than not.
 * Chandrupatla's method (1997, Adv. Eng. Softw. 28:145) on ln p: about ten p-values, some forty where p comes in steps.
 */
export function criticalStatistic(
  pValueOf: (statistic: number) => number,
  largest: number,
  level: number,
  seen: SeenStatistic | null = null,
): number | null {
  const endOf = (at: number, pValue = pValueOf(at)): End => ({
    at,
    isReached: pValue <= level,
    gap: Math.log(Math.max(pValue, Number.MIN_VALUE) / level),
  });
  const bracket = bracketOf(endOf, largest, seen);
  return bracket === null ? null : narrow(endOf, bracket, largest * LEAST);
}

/** Two statistics, the first missing the level and the second reaching it: steps from what was seen, twofold, fourfold, 16-fold, … */
function bracketOf(
  endOf: (at: number, pValue?: number) => End,
  largest: number,
  seen: SeenStatistic | null,
): [End, End] | null {
  const zero = endOf(0, 1);
  if (seen === null || !(seen.statistic > 0 && seen.statistic <= largest)) {
    const last = endOf(largest);
    return last.isReached ? [zero, last] : null;
  }
  let near = endOf(seen.statistic, seen.pValue);
  if (near.isReached) {
    for (let factor = 2; near.at / factor > largest * LEAST; factor *= factor) {
      const next = endOf(near.at / factor);
      if (!next.isReached) return [next, near];
      near = next;
    }
    return [zero, near];
  }
  for (let factor = 2; near.at < largest; factor *= factor) {
    const next = endOf(Math.min(near.at * factor, largest));
    if (next.isReached) return [near, next];
    near = next;
  }
  return null;
}

/** The upper end of a bracket that is narrowed to the tolerance. */
function narrow(endOf: (at: number) => End, [low, high]: [End, End], least: number): number {
  let newest = high;
  let other = low;
  // The false position: ln p of most statistics is nearly straight.
  let part = Math.min(0.9, Math.max(0.1, high.gap / (high.gap - low.gap)));
  for (;;) {
    const upper = newest.isReached ? newest : other;
    const width = Math.abs(newest.at - other.at);
    const allowed = Math.max(TOLERANCE * upper.at, least);
    if (width <= allowed) return upper.at;
    const edge = allowed / (2 * width);
    const at = newest.at + Math.min(1 - edge, Math.max(edge, part)) * (other.at - newest.at);
    if (at === newest.at || at === other.at) return upper.at;
    const next = endOf(at);
    let former: End;
    if (next.isReached === newest.isReached) former = newest;
    else {
      former = other;
      other = newest;
    }
    newest = next;
    part = nextPart(newest, other, former);
  }
}

/** Inverse quadratic interpolation where the three ends say that it is safe, else the middle. */
function nextPart(a: End, b: End, c: End): number {
  const xi = (a.at - b.at) / (c.at - b.at);
  const phi = (a.gap - b.gap) / (c.gap - b.gap);
  if (!(1 - Math.sqrt(1 - xi) < phi && phi < Math.sqrt(xi))) return 0.5;
  return (
    (a.gap / (b.gap - a.gap)) * (c.gap / (b.gap - c.gap)) +
    ((c.at - a.at) / (b.at - a.at)) * (a.gap / (c.gap - a.gap)) * (b.gap / (c.gap - b.gap))
  );
}
