import type { RunRecord } from '../domain/ports.js';
import { HOUR_MS, type Window, type WindowSpec, windowsEndingIn } from '../domain/window.js';

export interface ReadyInput {
  readonly spec: WindowSpec;
  /** Event time of the version's first stored row, ms. */
  readonly firstEventMs: number;
  /** Newest event time of the version, ms. */
  readonly watermarkMs: number;
  /** The service's clock, ms. */
  readonly nowMs: number;
  /** How long past end + lateness a silent version is waited for, ms. */
  readonly graceMs: number;
  /** At most this many empty windows are recorded when a version has long been silent. */
  readonly maxEmptyWindows: number;
}

/**
 * End of the first window that the version's rows cover from its first hour on, ms: half a day is no day, and differs from
 * whole ones by more than two of them do.
 */
export function firstWholeEndMs(spec: WindowSpec, firstEventMs: number): number {
  const firstHourMs = Math.floor(firstEventMs / HOUR_MS) * HOUR_MS;
  return Math.ceil(firstHourMs / spec.stepMs) * spec.stepMs + spec.lengthMs;
}

/**
 * The windows ending after `afterMs` that may be judged now, in order: those whose end plus lateness the watermark, or the
 * clock less a grace, has passed. Of the empty windows of a version that fell silent only the newest are kept; `skipped`
 * counts the others.
 */
export function readyWindows(input: ReadyInput, afterMs: number): { windows: Window[]; skipped: number } {
  const { spec } = input;
  const readyMs = Math.max(input.watermarkMs, input.nowMs - input.graceMs) - spec.latenessMs;
  const fromMs = Math.max(afterMs, firstWholeEndMs(spec, input.firstEventMs) - spec.stepMs);
  const windows = windowsEndingIn(spec, fromMs, readyMs);
  const withRows = windows.filter((window) => window.startMs <= input.watermarkMs);
  const empty = windows.slice(withRows.length);
  const kept = empty.slice(-input.maxEmptyWindows);
  return { windows: [...withRows, ...kept], skipped: empty.length - kept.length };
}

/** Windows that hold an hour, by end. */
export function endsHolding(hourMs: number, { lengthMs, stepMs }: WindowSpec): number[] {
  const ends: number[] = [];
  for (let endMs = (Math.floor(hourMs / stepMs) + 1) * stepMs; endMs < hourMs + lengthMs + 1; endMs += stepMs)
    ends.push(endMs);
  return ends;
}

/** A window to be judged, and the rows that are counted in it. */
export interface DueWindow {
  readonly window: Window;
  readonly rows: number;
  /** Of these, rows with a label. */
  readonly labels: number;
}

/** The run of a window; after another length was configured, one end may be that of two. */
export function runFinder(runs: readonly RunRecord[]): (window: Window) => RunRecord | undefined {
  const nameOf = ({ startMs, endMs }: Window) => `${startMs} ${endMs}`;
  const known = new Map(runs.map((run) => [nameOf(run.window), run]));
  return (window) => known.get(nameOf(window));
}

/** Labels trickle in for days: a window is judged again at once when it has a tenth more of them. */
const LABEL_GROWTH = 1.1;

/**
 * Of the given windows, those with more rows now than when they were judged, or notably more labels: a tenth more,
 * one for every row, or those that reach the share of rows from which labels are mature. `waiting` are those with a few more labels.
 */
export function outstanding(
  windows: readonly DueWindow[],
  runs: readonly RunRecord[],
  maturity = Number.POSITIVE_INFINITY,
): { due: Set<DueWindow>; waiting: DueWindow[] } {
  const due = new Set<DueWindow>();
  const waiting: DueWindow[] = [];
  const runOf = runFinder(runs);
  for (const each of windows) {
    const { rows, labels } = each;
    const run = runOf(each.window);
    if (run === undefined) continue;
    const before = run.labels ?? 0;
    const matures = before < maturity * rows && labels >= maturity * rows;
    if (rows > run.rows) due.add(each);
    else if (labels <= before) continue;
    else if (labels >= before * LABEL_GROWTH || labels >= rows || matures) due.add(each);
    else waiting.push(each);
  }
  return { due, waiting };
}

/** Of the given windows, those that hold other rows than when they were judged, or were never judged. */
export function grown(windows: readonly DueWindow[], runs: readonly RunRecord[]): Window[] {
  const runOf = runFinder(runs);
  return windows.filter(({ window, rows }) => rows !== runOf(window)?.rows).map(({ window }) => window);
}

/**
 * Of windows in order, leaves out those of a long stretch without rows but its newest `maxEmpty`: one row that is years older
 * than the others must not keep the service busy with every hour between.
 */
export function createGapFilter(maxEmpty: number) {
  const empty: DueWindow[] = [];
  let skipped = 0;
  return {
    /** Those to be judged now that this one is known. */
    next(due: DueWindow): DueWindow[] {
      if (due.rows > 0) return [...empty.splice(0), due];
      empty.push(due);
      if (empty.length > maxEmpty) {
        empty.shift();
        skipped += 1;
      }
      return [];
    },
    /** Those still held back at the end, and how many were left out. */
    end: () => ({ rest: empty.splice(0), skipped }),
  };
}

/** Windows looked at together, so that memory does not grow with the length of a backlog. */
const WINDOWS_PER_SLICE = 1_000;

/** Windows in order, some at a time. */
export function* slices(windows: readonly Window[]): Generator<readonly Window[]> {
  for (let at = 0; at < windows.length; at += WINDOWS_PER_SLICE)
    yield windows.slice(at, at + WINDOWS_PER_SLICE);
}
