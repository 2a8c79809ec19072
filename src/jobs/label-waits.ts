import { DAY_MS } from '../domain/window.js';

const MINUTE_MS = 60_000;
/** A window waits for a tenth of the time for which it has been getting a few labels, within bounds. */
const WAIT_OF_TIME = 0.1;
/** After so long without, labels are a new load, and not waited for as if they trickled. */
const PAUSE_MS = DAY_MS / 2;

interface Wait {
  readonly firstMs: number;
  /** Null while all of the window's labels are judged, or about to be. */
  sinceMs: number | null;
  endedMs: number;
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
      if (known === undefined) waits.set(endMs, { firstMs: nowMs, sinceMs: nowMs, endedMs: nowMs });
      else known.sinceMs ??= nowMs;
    },
    /** It waits no longer, if it did. */
    end(endMs: number): void {
      const known = waits.get(endMs);
      if (known === undefined) return;
      known.sinceMs = null;
      known.endedMs = monotonicMs();
    },
    /** Ends of the windows that have waited long enough, and for how much longer than that, ms. */
    over(): { endMs: number; lateMs: number }[] {
      const nowMs = monotonicMs();
      const found: { endMs: number; lateMs: number }[] = [];
      for (const [endMs, { firstMs, sinceMs, endedMs }] of waits)
        if (sinceMs !== null) {
          const leastMs = Math.min(Math.max(MINUTE_MS, (sinceMs - firstMs) * WAIT_OF_TIME), DAY_MS);
          const lateMs = nowMs - sinceMs - leastMs;
          if (lateMs >= 0) found.push({ endMs, lateMs });
        } else if (nowMs - endedMs >= PAUSE_MS) waits.delete(endMs);
      return found;
    },
    /** Ends of all windows that wait. */
    all: () =>
      [...waits].filter(([, { sinceMs }]) => sinceMs !== null).map(([endMs]) => ({ endMs, lateMs: 0 })),
  };
}

export type LabelWaits = ReturnType<typeof createLabelWaits>;
