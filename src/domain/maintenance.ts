import { DAY_MS } from './window.js';

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

/** The time at which clocks in the zone show this; the later one where they show it twice or never. */
function timeOf(localMs: number, timeZone: string): number {
  const before = localMs - (localOf(localMs, timeZone).ms - localMs);
  return localMs - (localOf(before, timeZone).ms - before);
}

/** The end of the window if it holds this time, else null. */
function endOf(window: MaintenanceWindow, ms: number): number | null {
  if (window.kind === 'once') return window.fromMs <= ms && ms < window.toMs ? window.toMs : null;
  const { weekdays, startMinute, endMinute, timeZone } = window;
  const local = localOf(ms, timeZone);
  const midnightMs = Math.floor(local.ms / DAY_MS) * DAY_MS;
  const minute = (local.ms - midnightMs) / 60_000;
  const overnight = endMinute <= startMinute;
  const yesterday = local.weekday === 1 ? 7 : local.weekday - 1;
  const endMs = (days: number) => {
    const end = timeOf(midnightMs + days * DAY_MS + endMinute * 60_000, timeZone);
    // Clocks that were set to another time meanwhile.
    return Math.max(end, ms + 1);
  };
  if (weekdays.includes(local.weekday) && minute >= startMinute && (overnight || minute < endMinute))
    return endMs(overnight ? 1 : 0);
  if (overnight && weekdays.includes(yesterday) && minute < endMinute) return endMs(0);
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
