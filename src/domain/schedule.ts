import type { Window } from './window.js';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** From one 29 February to the next there may be eight years. */
const MAX_DAYS_BACK = 3_000;

/** Times of the clock on a wall in `zone` (IANA). A day must match all three of its lists, as node-cron has it. */
export interface WallTimes {
  readonly zone: string;
  readonly second: number;
  readonly minute: number;
  readonly hours: readonly number[];
  readonly daysOfMonth: readonly number[];
  /** 1 to 12. */
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly daysOfWeek: readonly number[];
}

/** How long a period is: a calendar day, week (from Monday) or month of the zone, or ms (whole hours). */
export type PeriodLength = 'day' | 'week' | 'month' | number;

/** A whole period that has passed, and the one before it. */
export interface Periods {
  readonly period: Window;
  readonly previous: Window;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  formats.set(zone, made);
  return made;
}

/** What a clock in `zone` shows at a time, as ms of a UTC that shows the same. Throws RangeError for a zone that is none. */
export function wallTime(zone: string, ms: number): number {
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const whole = Date.UTC(year, month - 1, day, hour, minute, second);
  return whole + (((ms % SECOND_MS) + SECOND_MS) % SECOND_MS);
}

/**
 * When a clock in `zone` shows `wallMs`. Of a time that it shows twice, as summer time ends, the first; one that it leaves out, as summer
 * time begins, is as long after the leap as it would have been: 02:30 is 03:30.
 */
export function timeOfWall(zone: string, wallMs: number): number {
  const offset = (nearMs: number) => wallTime(zone, nearMs) - nearMs;
  const before = wallMs - offset(wallMs - DAY_MS);
  const after = wallMs - offset(wallMs + DAY_MS);
  const shown = [before, after].filter((ms) => wallTime(zone, ms) === wallMs);
  return shown.length === 0 ? before : Math.min(...shown);
}

/** The newest of the times up to and including `atMs`; null where there is none in eight years. */
export function latestFiring(times: WallTimes, atMs: number): number | null {
  const today = Math.floor(wallTime(times.zone, atMs) / DAY_MS) * DAY_MS;
  for (let back = 0; back <= MAX_DAYS_BACK; back += 1) {
    const day = today - back * DAY_MS;
    const date = new Date(day);
    if (!times.months.includes(date.getUTCMonth() + 1)) continue;
    if (!times.daysOfMonth.includes(date.getUTCDate())) continue;
    if (!times.daysOfWeek.includes(date.getUTCDay())) continue;
    const fired = times.hours
      .map((hour) =>
        timeOfWall(
          times.zone,
          day + hour * HOUR_MS + times.minute * 60 * SECOND_MS + times.second * SECOND_MS,
        ),
      )
      .filter((ms) => ms <= atMs);
    if (fired.length > 0) return Math.max(...fired);
  }
  return null;
}

/** How many of the times lie in (afterMs, untilMs]; counted up to `limit`. */
export function firingsIn(times: WallTimes, afterMs: number, untilMs: number, limit: number): number {
  let count = 0;
  for (
    let at = latestFiring(times, untilMs);
    at !== null && at > afterMs && count < limit;
    at = latestFiring(times, at - 1)
  )
    count += 1;
  return count;
}

/** The newest edge between periods up to `atMs`, on the wall; `atMs` too. */
function edgeBefore(length: PeriodLength, wallMs: number): number {
  const day = Math.floor(wallMs / DAY_MS) * DAY_MS;
  if (length === 'day') return day;
  const date = new Date(day);
  if (length === 'week') return day - ((date.getUTCDay() + 6) % 7) * DAY_MS;
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/**
 * The last whole period before `atMs`, and the one before it. Counts are kept by hours of UTC, so edges of a zone that is half an hour
 * off are moved back to the whole hour; periods still meet without a gap.
 */
export function periodsBefore(length: PeriodLength, zone: string, atMs: number): Periods {
  const whole = (ms: number) => Math.floor(ms / HOUR_MS) * HOUR_MS;
  const edges =
    typeof length === 'number'
      ? [2, 1, 0].map((back) => whole(atMs) - back * length)
      : calendarEdges(length, wallTime(zone, atMs)).map((wallMs) => whole(timeOfWall(zone, wallMs)));
  const [first = 0, second = 0, third = 0] = edges;
  return {
    period: { startMs: second, endMs: third },
    previous: { startMs: first, endMs: second },
  };
}

function calendarEdges(length: PeriodLength, wallMs: number): number[] {
  const end = edgeBefore(length, wallMs);
  const start = edgeBefore(length, end - 1);
  return [edgeBefore(length, start - 1), start, end];
}
