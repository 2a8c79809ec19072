import { HOUR_MS, type Window } from '../domain/window.js';
import { dateTime64 } from './encoding.js';

/** Rows of one statement, about: bounds what it holds in memory to tell identities apart. One hour is never split. */
const ROWS_PER_STATEMENT = 4_000_000;

/** An hour counted from the epoch, with the rows that are stored in it. */
export interface StoredHour {
  readonly hour: number;
  readonly stored: number;
}

/** The hours in slices that one statement may hold. */
export function* hourSlices<T extends StoredHour>(
  hours: readonly T[],
  hoursPerStatement: number,
  rowsPerStatement = ROWS_PER_STATEMENT,
): Generator<T[]> {
  let slice: T[] = [];
  let rows = 0;
  for (const hour of hours) {
    if (slice.length >= hoursPerStatement || (slice.length > 0 && rows + hour.stored > rowsPerStatement)) {
      yield slice;
      slice = [];
      rows = 0;
    }
    slice.push(hour);
    rows += hour.stored;
  }
  if (slice.length > 0) yield slice;
}

/** Parameters that select a version's rows of some hours, which ascend. */
export function hourParams(key: { model: string; modelVersion: string }, hours: readonly StoredHour[]) {
  return {
    model: key.model,
    version: key.modelVersion,
    hours: hours.map(({ hour }) => hour),
    fromTs: dateTime64((hours[0]?.hour ?? 0) * HOUR_MS),
    toTs: dateTime64(((hours.at(-1)?.hour ?? 0) + 1) * HOUR_MS),
  };
}

/** Counted rows of the window's hours; `rows` ascend by hour, and many windows share them, so the first one is searched for. */
export function sumBetween(rows: readonly { hour: number; counted: number }[], window: Window): number {
  let from = 0;
  let to = rows.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((rows[middle]?.hour ?? 0) * HOUR_MS < window.startMs) from = middle + 1;
    else to = middle;
  }
  let sum = 0;
  for (let at = from; at < rows.length; at += 1) {
    const row = rows[at];
    if (row === undefined || row.hour * HOUR_MS >= window.endMs) break;
    sum += row.counted;
  }
  return sum;
}

/** The hours that some windows cover together, counted from the epoch: [fromHour, toHour). */
export function hoursAround(windows: readonly Window[]): { fromHour: number; toHour: number } {
  return {
    fromHour: windows.reduce((least, window) => Math.min(least, window.startMs), Infinity) / HOUR_MS,
    toHour: windows.reduce((greatest, window) => Math.max(greatest, window.endMs), -Infinity) / HOUR_MS,
  };
}
