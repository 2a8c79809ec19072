export interface ShownAgeOptions {
  /** Whether this process does the work of which the result is shown. */
  readonly leads: () => boolean;
  /** Takes away what is shown. */
  readonly hide: () => void;
  /** Older than this, ms, what a process shows that does not lead may have ended since. */
  readonly staleMs: number;
  /** Milliseconds that go on while the process is stopped. */
  readonly monotonicMs?: () => number;
}

/**
 * How old is what a process shows of episodes. A process that stands by and has not looked for long was stopped: what it would show may have
 * ended since, and would page anew. Who cannot reach the store leads, for all it knows, and goes on showing what it saw.
 */
export function createShownAge({
  leads,
  hide,
  staleMs,
  monotonicMs = () => performance.now(),
}: ShownAgeOptions) {
  let seenMs = monotonicMs();
  let hidden = false;
  const stale = () => monotonicMs() - seenMs >= staleMs;

  return {
    /** To be called before a look; what it gives says when it began. One that began before the process was stopped is as old as that. */
    look: monotonicMs,
    /** What is shown from now on was seen by a look that began then. */
    shown(beganMs: number): void {
      seenMs = Math.max(seenMs, beganMs);
      if (!stale()) hidden = false;
    },
    /** Whether something was hidden, and nothing seen since. */
    hidden: () => hidden,
    /** To be called before anything is shown. Hides anew what a look that was under way has brought back. */
    hideStale(): void {
      if (leads() || !stale()) return;
      hide();
      hidden = true;
    },
  };
}
