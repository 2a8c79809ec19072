/** N of M flagged windows open an episode, N of M clean ones close it, then a pause; all in windows. */
export interface OpeningRule {
  readonly openCount: number;
  readonly openWindows: number;
  readonly closeCount: number;
  /** As many as `closeCount`, in a row, when left out. */
  readonly closeWindows?: number;
  /** Windows after the closing one before which nothing opens: cooldown over step, rounded up. */
  readonly cooldownWindows: number;
}

/**
 * How many episodes the flagged windows of an unbroken, fully decided row of windows open. Looks at flagged windows only, so the
 * cost does not depend on the clean ones; agrees with the alert policy window by window (tested against it).
 *
 * @param flagged positions of the flagged windows, ascending, each once
 * @param count how many of `flagged` hold, from the start
 */
export function countOpenings(flagged: ArrayLike<number>, count: number, rule: OpeningRule): number {
  const { openCount, openWindows, cooldownWindows } = rule;
  let openings = 0;
  /** Position of the flagged window that opened what is open; null while nothing is. */
  let openedAt: number | null = null;
  let closedAt = Number.NEGATIVE_INFINITY;
  /** First flagged position that still counts towards an opening. */
  let from = 0;
  for (let i = 0; i < count; i++) {
    const at = flagged[i] ?? 0;
    if (openedAt !== null) {
      const close = closingBefore(flagged, i, openedAt, rule);
      if (close === null) continue;
      openedAt = null;
      closedAt = close;
      from = i;
    }
    while (at - (flagged[from] ?? 0) >= openWindows) from += 1;
    if (at < closedAt + cooldownWindows || i - from + 1 < openCount) continue;
    openings += 1;
    openedAt = at;
  }
  return openings;
}

/** The first window between the flagged one before the i-th and the i-th that closes what is open; null for none. */
function closingBefore(
  flagged: ArrayLike<number>,
  i: number,
  openedAt: number,
  { closeCount, closeWindows = closeCount }: OpeningRule,
): number | null {
  const before = flagged[i - 1] ?? 0;
  // So many clean windows in a row are enough, whatever lies before them.
  const last = before + closeCount;
  const end = Math.min(last, (flagged[i] ?? 0) - 1);
  if (closeWindows > closeCount)
    for (let at = before + 1; at <= end; at++) {
      const start = Math.max(openedAt, at - closeWindows);
      let clean = at - start;
      for (let j = i - 1; j >= 0 && (flagged[j] ?? 0) > start; j--) clean -= 1;
      if (clean >= closeCount) return at;
    }
  return end === last ? last : null;
}
