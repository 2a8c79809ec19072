import { DAY_MS, HOUR_MS, type Window } from '../domain/window.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const MAX_DATE_MS = 8.64e15;

/** What stands where there is no number. */
export const NOTHING = '–';

/** `12,345` */
export function formatCount(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : NOTHING;
}

/** At most `digits` significant digits, thousands grouped, no exponent for everyday sizes: `0.0123`, `45.3`, `12,346`. */
export function formatNumber(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return NOTHING;
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(1).replace('-', '−');
  const rounded = Number(value.toPrecision(digits));
  // toLocaleString with options builds a formatter each time, and a page has thousands of numbers.
  const text = Math.abs(rounded) < 1000 ? String(rounded) : formatCount(size >= 1000 ? value : rounded);
  return text.replace('-', '−');
}

/** A share in [0, 1] as `12.3 %`, unbreakable. */
export function formatPercent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NOTHING;
  const percent = share * 100;
  if (percent !== 0 && Math.abs(percent) < 0.01) return '<\u00a00.01\u00a0%';
  return `${formatNumber(percent, Math.abs(percent) >= 99.95 ? 4 : 3)}\u00a0%`;
}

export function formatPValue(value: number | null): string {
  if (value === null || Number.isNaN(value)) return NOTHING;
  return value < 1e-4 ? '< 0.0001' : formatNumber(value, 2);
}

/** `1.7×` */
export function formatRatio(ratio: number | null): string {
  if (ratio === null || Number.isNaN(ratio)) return NOTHING;
  return ratio >= 100 ? '> 100×' : `${ratio.toFixed(ratio >= 9.95 ? 0 : 1)}×`;
}

function inCalendar(ms: number): boolean {
  return Number.isFinite(ms) && Math.abs(ms) <= MAX_DATE_MS;
}

/** `14 Mar 2013`, UTC. */
export function formatDay(ms: number): string {
  if (!inCalendar(ms)) return NOTHING;
  const date = new Date(ms);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ''} ${date.getUTCFullYear()}`;
}

/** `05:30`, UTC. */
function formatClock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}

/** `14 Mar 2013 05:30`, UTC. */
export function formatTime(ms: number): string {
  return inCalendar(ms) ? `${formatDay(ms)} ${formatClock(ms)}` : NOTHING;
}

/** `March 2013` → `Mar 2013`, UTC. */
export function formatMonth(ms: number): string {
  if (!inCalendar(ms)) return NOTHING;
  return formatDay(ms).split(' ').slice(1).join(' ');
}

/** Whole days read as days, the last one included: `14 Mar 2013`, `1–7 Mar 2013`; else with hours. */
export function formatWindow(window: Window): string {
  const { startMs, endMs } = window;
  if (!inCalendar(startMs) || !inCalendar(endMs)) return NOTHING;
  if (startMs % DAY_MS !== 0 || endMs % DAY_MS !== 0) {
    const sameDay = Math.floor(startMs / DAY_MS) === Math.floor((endMs - 1) / DAY_MS);
    if (sameDay) return `${formatDay(startMs)} ${formatClock(startMs)}–${formatClock(endMs)}`;
    return `${formatTime(startMs)} – ${formatTime(endMs)}`;
  }
  const first = formatDay(startMs);
  const last = formatDay(endMs - DAY_MS);
  if (first === last) return first;
  const [firstDay, firstMonth, firstYear] = first.split(' ');
  const [lastDay, lastMonth, lastYear] = last.split(' ');
  if (firstYear !== lastYear) return `${first} – ${last}`;
  if (firstMonth !== lastMonth) return `${firstDay} ${firstMonth} – ${lastDay} ${lastMonth} ${lastYear}`;
  return `${firstDay}–${lastDay} ${lastMonth} ${lastYear}`;
}

/** `45 min`, `6 h`, `3 d 4 h` */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return NOTHING;
  if (ms < HOUR_MS) return `${Math.round(ms / 60_000)} min`;
  const hours = Math.round(ms / HOUR_MS);
  if (hours < 24) return `${hours} h`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `1 window`, `3 windows` */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A window in a query string: two ISO instants with a slash between, as ISO 8601 writes intervals. */
export function windowParameter(window: Window): string {
  const short = (ms: number) => new Date(ms).toISOString().replace(':00.000Z', 'Z');
  return `${short(window.startMs)}/${short(window.endMs)}`;
}

/** The inverse of `windowParameter`; null when the text is not two ordered instants on whole hours. */
export function parseWindow(text: string): Window | null {
  const match = /^(\d{4}-\d{2}-\d{2}(?:T[\d:.]{2,12}Z)?)\/(\d{4}-\d{2}-\d{2}(?:T[\d:.]{2,12}Z)?)$/.exec(text);
  if (match === null) return null;
  const startMs = Date.parse(match[1] ?? '');
  const endMs = Date.parse(match[2] ?? '');
  const whole = startMs % HOUR_MS === 0 && endMs % HOUR_MS === 0;
  return whole && startMs < endMs ? { startMs, endMs } : null;
}
