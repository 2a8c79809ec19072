import type { Grid, Profile } from '../domain/profile.js';
import type { Verdict } from '../domain/verdict.js';
import { binCounts, quantileBinEnds, total } from '../stats/cells.js';
import { unusableRows } from './detector.js';

/** Reasons for an undecided verdict, in words; others are read as they are. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['no_data', 'there are no current values'],
  ['no_reference', 'the reference has no values'],
  ['too_few_rows', 'there are too few rows to decide anything'],
  [
    'not_visible_at_window_length',
    'no drift, however large, could be told from normal change with these rows',
  ],
  ['constant_column', 'it holds one and the same value on both sides'],
  ['not_applicable', 'the test does not apply to it'],
]);

const BINS = 10;

export interface Explained {
  /** As people know the column. */
  readonly name: string;
  readonly grid: Grid;
  readonly reference: Profile;
  readonly current: Profile;
  /** Of one column and window, in the order of the detectors. */
  readonly verdicts: readonly Verdict[];
}

/** What happened to a column in one sentence for people: where the mass went, or why nothing can be said. */
export function explainColumn(column: Explained): string {
  const { name, verdicts } = column;
  const primary = verdicts.filter((verdict) => verdict.role === 'primary');
  const drifted = primary.filter((verdict) => verdict.status === 'drifted').sort(bySeverity);
  if (drifted.length > 0) {
    const matters = drifted.some((verdict) => verdict.material) ? '' : ', but too little to matter';
    return `${name} drifted${matters}: ${drifted.map((verdict) => whatMoved(column, verdict)).join('; ')}.`;
  }
  const [lead] = primary;
  if (lead === undefined) return `${name} was not tested.`;
  if (lead.status === 'undecided') {
    const reason = lead.reason ?? 'no_reason';
    return `${name} is undecided: ${REASONS.get(reason) ?? reason.replaceAll('_', ' ')}.`;
  }
  const seen = `${lead.detector} ${number(lead.statistic)}`;
  const needed = lead.threshold === null ? '' : `, where ${number(lead.threshold)} would be significant`;
  return `${name} shows no drift: ${seen}${needed}.`;
}

/** Material ones first, then by p-value. */
function bySeverity(a: Verdict, b: Verdict): number {
  return Number(b.material) - Number(a.material) || (a.adjustedPValue ?? 1) - (b.adjustedPValue ?? 1);
}

function whatMoved(column: Explained, verdict: Verdict): string {
  const { reference, current, grid } = column;
  if (verdict.detector === 'missing')
    return `rows without a usable value went from ${percent(unusableRows(reference) / reference.rows)} to ${percent(unusableRows(current) / current.rows)}`;
  if (verdict.detector === 'unseen' && grid.kind === 'categorical')
    return `${percent((current.counts[grid.headSize + 1] ?? 0) / Math.max(1, total(current.counts)))} of values are ones that the reference never had`;
  if (verdict.category !== 'drift')
    return `${verdict.detector} is ${number(verdict.statistic)}, where ${number(verdict.threshold)} would be significant`;
  return grid.kind === 'numeric'
    ? numbersMoved(grid.cutPoints, reference.counts, current.counts)
    : categoryMoved(grid, reference.counts, current.counts);
}

/** The medians, and the run of reference deciles that gained or lost most. */
function numbersMoved(
  cutPoints: readonly number[],
  reference: readonly number[],
  current: readonly number[],
): string {
  const parts: string[] = [];
  const before = medianWords(cutPoints, reference);
  const after = medianWords(cutPoints, current);
  if (before !== after) parts.push(`its median went from ${before} to ${after}`);
  const ends = quantileBinEnds(reference, BINS);
  const n = total(current);
  const m = total(reference);
  const was = binCounts(reference, ends).map((count) => count / m);
  const is = binCounts(current, ends).map((count) => count / n);
  const run = largestRun(is.map((share, bin) => share - (was[bin] ?? 0)));
  const sum = (shares: readonly number[]) => shares.slice(run.from, run.to).reduce((a, b) => a + b, 0);
  const place = rangeWords(
    cutPoints,
    run.from === 0 ? null : (ends[run.from - 1] ?? 0),
    run.to === ends.length ? null : (ends[run.to - 1] ?? 0),
  );
  if (place !== null)
    parts.push(`${percent(sum(is))} of values lie ${place}, where ${percent(sum(was))} of the reference lay`);
  return parts.length === 0 ? 'its values spread differently' : list(parts);
}

/** The run of neighbours with the same sign whose sum is largest in size. */
function largestRun(moves: readonly number[]): { from: number; to: number } {
  let best = { from: 0, to: moves.length, size: -1 };
  for (let from = 0; from < moves.length; ) {
    let to = from;
    let size = 0;
    while (to < moves.length && Math.sign(moves[to] ?? 0) === Math.sign(moves[from] ?? 0))
      size += Math.abs(moves[to++] ?? 0);
    // What was gained somewhere was lost elsewhere: of two equal runs the one that gained is told.
    if (size * ((moves[from] ?? 0) > 0 ? 1 + 1e-9 : 1) > best.size) best = { from, to, size };
    from = to;
  }
  return best;
}

/** Cells [start, end) in the column's unit; null stands for an open end. */
function rangeWords(cutPoints: readonly number[], start: number | null, end: number | null): string | null {
  const low = start === null ? null : number(cutPoints[(start - 1) >> 1] ?? null);
  const high =
    end === null ? null : number(cutPoints[Math.min(cutPoints.length - 1, (end - 1) >> 1)] ?? null);
  if (low === null) return high === null ? null : `at or below ${high}`;
  if (high === null) return `above ${low}`;
  return low === high ? `at ${low}` : `above ${low} up to ${high}`;
}

function categoryMoved(
  grid: Extract<Grid, { kind: 'categorical' }>,
  reference: readonly number[],
  current: readonly number[],
): string {
  const n = Math.max(1, total(current));
  const m = Math.max(1, total(reference));
  const moves = reference
    .map((count, cell) => ({ cell, was: count / m, is: (current[cell] ?? 0) / n }))
    .sort((a, b) => Math.abs(b.is - b.was) - Math.abs(a.is - a.was))
    .slice(0, 2)
    .filter((move) => move.is !== move.was);
  const label = (cell: number) => {
    if (cell < grid.headSize) return JSON.stringify(short(grid.categories[cell] ?? ''));
    return cell === grid.headSize ? 'the rare values' : 'values that the reference never had';
  };
  if (moves.length === 0) return 'its shares changed';
  return list(
    moves.map((move) => `${label(move.cell)} went from ${percent(move.was)} to ${percent(move.is)}`),
  );
}

const short = (text: string) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);

/** The value at half the mass, of those between two cut points the upper one; what lies outside of the reference is told so. */
function medianWords(cutPoints: readonly number[], counts: readonly number[]): string {
  const half = total(counts) / 2;
  let sum = 0;
  let cell = 0;
  while (cell < counts.length - 1 && sum + (counts[cell] ?? 0) < half) sum += counts[cell++] ?? 0;
  if (cell === 0) return `below ${number(cutPoints[0] ?? null)}`;
  if (cell === counts.length - 1) return `above ${number(cutPoints.at(-1) ?? null)}`;
  return number(cutPoints[cell >> 1] ?? null);
}

function list(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

/** At most three significant digits. */
function number(value: number | null): string {
  if (value === null || Number.isNaN(value)) return 'unknown';
  const size = Math.abs(value);
  if (size >= 1_000 && size < 1e15) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

function percent(share: number): string {
  if (share > 0 && share < 0.0001) return 'less than 0.01 %';
  return `${Number((share * 100).toPrecision(3))} %`;
}
