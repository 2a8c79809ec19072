export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;

/** Half-open interval [startMs, endMs) of event time, UTC. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/** Window settings in milliseconds; `lengthMs` and `stepMs` are whole hours, windows are aligned to the epoch. */
export interface WindowSpec {
  readonly lengthMs: number;
  readonly stepMs: number;
  /** How long after its end a window still waits for rows, in event time. */
  readonly latenessMs: number;
}

export type Granularity = 'hour' | 'day';

export interface Bucket extends Window {
  readonly granularity: Granularity;
}

/** The windows whose end lies in (afterMs, untilMs], in order. */
export function windowsEndingIn(spec: WindowSpec, afterMs: number, untilMs: number): Window[] {
  const windows: Window[] = [];
  for (
    let endMs = (Math.floor(afterMs / spec.stepMs) + 1) * spec.stepMs;
    endMs <= untilMs;
    endMs += spec.stepMs
  ) {
    windows.push({ startMs: endMs - spec.lengthMs, endMs });
  }
  return windows;
}

/** The coarsest buckets that tile a window exactly: whole UTC days, and hours at the edges. */
export function tile(window: Window): Bucket[] {
  const buckets: Bucket[] = [];
  let startMs = window.startMs;
  while (startMs < window.endMs) {
    const wholeDay = startMs % DAY_MS === 0 && startMs + DAY_MS <= window.endMs;
    const endMs = startMs + (wholeDay ? DAY_MS : HOUR_MS);
    buckets.push({ granularity: wholeDay ? 'day' : 'hour', startMs, endMs });
    startMs = endMs;
  }
  return buckets;
}

/** A time after every window, within what the store's times can hold. */
export const END_OF_TIME_MS = Date.UTC(2200, 0, 1);
