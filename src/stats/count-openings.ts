/** N of M flagged windows open an episode, `closeCount` clean ones in a row close it, then a pause; all in windows. */
export interface OpeningRule {
  readonly openCount: number;
  readonly openWindows: number;
  readonly closeCount: number;
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
  const { openCount, openWindows, closeCount, cooldownWindows } = rule;
  let openings = 0;
  let isOpen = false;
  let closedAt = Number.NEGATIVE_INFINITY;
  /** First flagged position that still counts towards an opening. */
  let from = 0;
  for (let i = 0; i < count; i++) {
    const at = flagged[i] ?? 0;
    if (isOpen) {
      const before = flagged[i - 1] ?? 0;
      if (at - before <= closeCount) continue;
      isOpen = false;
      closedAt = before + closeCount;
      from = i;
    }
    while (at - (flagged[from] ?? 0) >= openWindows) from += 1;
    if (at < closedAt + cooldownWindows || i - from + 1 < openCount) continue;
    openings += 1;
    isOpen = true;
  }
  return openings;
}
