import type { Clock } from './domain/clock.js';

export function createWallClock(): Clock {
  return { now: () => Date.now(), observe: () => undefined };
}

/** Follows the newest event it was shown; before the first one it stands at `startMs`. Never runs backwards. */
export function createDataClock(startMs = 0): Clock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    observe: (eventTimeMs) => {
      if (eventTimeMs > nowMs) nowMs = eventTimeMs;
    },
  };
}
