const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A window waits for a tenth of the time for which it has been getting a few labels, within bounds. */
const WAIT_OF_TIME = 0.1;
/** After so long without, labels are a new load, and not waited for as if they trickled. */
const PAUSE_MS = DAY_MS / 2;

interface Wait {
  readonly firstMs: number;
  /** Null while the window's labels are all judged. */
  sinceMs: number | null;
  judgedMs: number;
}

/**
 * Windows that have a few more labels than when they were judged, and wait for more: so that in the end verdicts follow from all labels, and a
 * window that gets one every minute for a month is judged a hundred times and not forty thousand. By a clock that runs on where a
 * replay's data stop.
 */
export function createLabelWaits(monotonicMs: () => number) {
  const waits = new Map<number, Wait>();
  return {
    /** The window that ends then has a few more labels than when it was judged. */
    begin(endMs: number): void {
      const nowMs = monotonicMs();
      const known = waits.get(endMs);
      if (known === undefined) waits.set(endMs, { firstMs: nowMs, sinceMs: nowMs, judgedMs: nowMs });
      else known.sinceMs ??= nowMs;
    },
    /** It was judged with all it has. */
    judged(endMs: number): void {
      const known = waits.get(endMs);
      if (known === undefined) return;
      known.sinceMs = null;
      known.judgedMs = monotonicMs();
    },
    /** Ends of the windows that have waited long enough; of all that wait if that is not to be looked at. */
    over(all = false): number[] {
      const nowMs = monotonicMs();
      const ends: number[] = [];
      for (const [endMs, { firstMs, sinceMs, judgedMs }] of waits) {
        if (sinceMs === null) {
          if (nowMs - judgedMs >= PAUSE_MS) waits.delete(endMs);
          continue;
        }
        const leastMs = Math.min(Math.max(MINUTE_MS, (sinceMs - firstMs) * WAIT_OF_TIME), DAY_MS);
        if (all || nowMs - sinceMs >= leastMs) ends.push(endMs);
      }
      return ends;
    },
  };
}

export type LabelWaits = ReturnType<typeof createLabelWaits>;
