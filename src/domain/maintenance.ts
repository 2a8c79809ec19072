import { DAY_MS, HOUR_MS } from './window.js';

/** A time of planned work, in which nobody is alarmed: once, or every week by the clock of a time zone. */
export type MaintenanceWindow =
  | { readonly kind: 'once'; readonly name: string; readonly fromMs: number; readonly toMs: number }
  | {
      readonly kind: 'weekly';
      readonly name: string;
      /** Days on which it begins: 1 is Monday, 7 is Sunday. */
      readonly weekdays: readonly number[];
      /** Minutes of the local day; an end at or before the start lies on the next day. */
      readonly startMinute: number;
      readonly endMinute: number;
      /** IANA name. */
      readonly timeZone: string;
    };

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
/** Windows that follow one another are one: as far ahead as anybody plans by the week. */
const MOST_JOINED = 15;
/** More than clocks are ever set on or back. */
const MOST_SET_MS = 3 * HOUR_MS;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      weekday: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** Whether the engine knows this IANA name. */
export function isTimeZone(timeZone: string): boolean {
  try {
    formatOf(timeZone);
    return true;
  } catch {
    return false;
  }
}

/** What clocks in the zone show, as if it were UTC, ms, and the day of the week. */
function localOf(ms: number, timeZone: string): { readonly ms: number; readonly weekday: number } {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, value]),
  );
  const at = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type) ?? 0);
  return {
    ms: Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second')),
    weekday: WEEKDAYS.indexOf(parts.get('weekday') ?? '') + 1,
  };
}

/** The time at which clocks in the zone show this: where they show it twice the first or the last; the later one where they never do. */
function timeOf(localMs: number, timeZone: string, which: 'first' | 'last'): number {
  const offsetAt = (ms: number) => localOf(ms, timeZone).ms - ms;
  // Clocks are set to another time at most once in two days.
  const before = localMs - offsetAt(localMs - DAY_MS);
  const after = localMs - offsetAt(localMs + DAY_MS);
  if (before === after) return before;
  const shown = [before, after].filter((ms) => localOf(ms, timeZone).ms === localMs);
  return which === 'first' && shown.length > 0
    ? Math.min(...shown)
    : Math.max(...(shown.length > 0 ? shown : [before, after]));
}

/** The end of the window if it holds this time, else null. */
function endOf(window: MaintenanceWindow, ms: number): number | null {
  if (window.kind === 'once') return window.fromMs <= ms && ms < window.toMs ? window.toMs : null;
  const { weekdays, startMinute, endMinute, timeZone } = window;
  const local = localOf(ms, timeZone);
  const midnightMs = Math.floor(local.ms / DAY_MS) * DAY_MS;
  const nightMs = endMinute <= startMinute ? DAY_MS : 0;
  // One that began yesterday may have its end today, by clocks that were set to another time too.
  for (const daysAgo of [0, 1]) {
    if (!weekdays.includes(((local.weekday - 1 - daysAgo + 7) % 7) + 1)) continue;
    const dayMs = midnightMs - daysAgo * DAY_MS;
    const startMs = dayMs + startMinute * 60_000;
    const endMs = dayMs + nightMs + endMinute * 60_000;
    if (local.ms < startMs - MOST_SET_MS || local.ms >= endMs + MOST_SET_MS) continue;
    const end = timeOf(endMs, timeZone, 'last');
    if (timeOf(startMs, timeZone, 'first') <= ms && ms < end) return end;
  }
  return null;
}

/**
 * Whether a time lies in maintenance, and until when; windows that overlap or follow one another are one.
 *
 * @param ms since the epoch
 * @returns the name of the window that holds it, and the end; null outside of all
 */
export function maintenanceAt(
  windows: readonly MaintenanceWindow[],
  ms: number,
): { readonly name: string; readonly untilMs: number } | null {
  let untilMs = ms;
  let name: string | null = null;
  for (let joined = 0; joined < MOST_JOINED; joined++) {
    let next = untilMs;
    for (const window of windows) {
      const end = endOf(window, untilMs);
      if (end === null) continue;
      name ??= window.name;
      next = Math.max(next, end);
    }
    if (next === untilMs) break;
    untilMs = next;
  }
  return name === null ? null : { name, untilMs };
}
