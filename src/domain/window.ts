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

/** 5 January 1970, the epoch's first Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** Start of the piece of UTC time that a time lies in, ms: as the store cuts performance; 0 for all the time. */
export function pieceStart(
  ms: number,
  piece: 'hour' | 'day' | 'week' | 'month' | 'all' | { readonly ms: number },
): number {
  if (typeof piece === 'object') return Math.floor(ms / piece.ms) * piece.ms;
  const date = new Date(ms);
  switch (piece) {
    case 'hour':
      return Math.floor(ms / HOUR_MS) * HOUR_MS;
    case 'day':
      return Math.floor(ms / DAY_MS) * DAY_MS;
    case 'week':
      return Math.floor((ms - FIRST_MONDAY_MS) / WEEK_MS) * WEEK_MS + FIRST_MONDAY_MS;
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
    case 'all':
      return 0;
  }
}

/** End of the piece that starts at a time, ms. */
export function pieceEnd(
  startMs: number,
  piece: 'hour' | 'day' | 'week' | 'month' | { readonly ms: number },
): number {
  if (typeof piece === 'object') return startMs + piece.ms;
  const start = new Date(startMs);
  if (piece === 'month') return Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1);
  return startMs + { hour: HOUR_MS, day: DAY_MS, week: WEEK_MS }[piece];
}
