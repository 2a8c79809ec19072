import type { Move } from '../domain/explanation.js';
import type { Grid } from '../domain/profile.js';
import { binCounts, quantileBinEnds, total } from '../stats/cells.js';
import { listWords, numberWords, percentWords, shortWords } from './words.js';

const BINS = 10;
const TOP_CATEGORIES = 3;

export interface MassMoves {
  /**
   * Share of the values that must change places to turn one side into the other (total variation): between the reference's deciles,
   * so at least that many moved, or between categories.
   */
  readonly moved: number;
  /** Numbers: what lost most, then what gained most. Categories: the largest changes first. */
  readonly moves: readonly Move[];
}

/** Where a column's mass went. Null when a side has no value. */
export function massMoves(
  grid: Grid,
  reference: readonly number[],
  current: readonly number[],
): MassMoves | null {
  if (total(reference) === 0 || total(current) === 0) return null;
  return grid.kind === 'numeric'
    ? numbersMoved(grid.cutPoints, reference, current)
    : categoriesMoved(grid, reference, current);
}

/** In one sentence without its subject. */
export function movesWords(grid: Grid, { moved, moves }: MassMoves): string {
  if (moves.length === 0) return 'its values spread differently';
  const change = (move: Move) => `${percentWords(move.reference)} → ${percentWords(move.current)}`;
  if (grid.kind === 'numeric') {
    const [from, to] = moves;
    if (from === undefined || to === undefined) return 'its values spread differently';
    return `${percentWords(moved)} of values moved, most from ${from.where} (${change(from)}) to ${to.where} (${change(to)})`;
  }
  return listWords(
    moves.map((move) => `${move.where} ${pointWords(move.current - move.reference)} (${change(move)})`),
  );
}

function pointWords(difference: number): string {
  const points = Number((Math.abs(difference) * 100).toPrecision(2));
  return `${difference < 0 ? '−' : '+'}${points} ${points === 1 ? 'point' : 'points'}`;
}

function numbersMoved(
  cutPoints: readonly number[],
  reference: readonly number[],
  current: readonly number[],
): MassMoves {
  const ends = quantileBinEnds(reference, BINS);
  const shares = (counts: readonly number[]) => {
    const all = total(counts);
    return binCounts(counts, ends).map((count) => count / all);
  };
  const was = shares(reference);
  const is = shares(current);
  const changes = is.map((share, bin) => share - (was[bin] ?? 0));
  const moveOf = (run: { from: number; to: number } | null): Move | null => {
    if (run === null) return null;
    const sum = (side: readonly number[]) => side.slice(run.from, run.to).reduce((a, b) => a + b, 0);
    const where = rangeWords(
      cutPoints,
      run.from === 0 ? null : (ends[run.from - 1] ?? 0),
      run.to === ends.length ? null : (ends[run.to - 1] ?? 0),
    );
    return where === null ? null : { where, reference: sum(was), current: sum(is) };
  };
  const lost = moveOf(largestRun(changes.map((change) => -change)));
  const gained = moveOf(largestRun(changes));
  return {
    moved: changes.reduce((sum, change) => sum + Math.max(0, change), 0),
    moves: lost === null || gained === null ? [] : [lost, gained],
  };
}

/** The run of neighbours that rise whose sum is largest; null when none rises. */
function largestRun(changes: readonly number[]): { from: number; to: number } | null {
  let best: { from: number; to: number; size: number } | null = null;
  for (let from = 0; from < changes.length; from++) {
    let to = from;
    let size = 0;
    while (to < changes.length && (changes[to] ?? 0) > 0) size += changes[to++] ?? 0;
    if (size > (best?.size ?? 0)) best = { from, to, size };
    from = to;
  }
  return best;
}

/** Cells [start, end) in the column's unit; null stands for an open end. Null when that is everything. */
function rangeWords(cutPoints: readonly number[], start: number | null, end: number | null): string | null {
  const low = start === null ? null : numberWords(cutPoints[(start - 1) >> 1] ?? null);
  const high =
    end === null ? null : numberWords(cutPoints[Math.min(cutPoints.length - 1, (end - 1) >> 1)] ?? null);
  if (low === null) return high === null ? null : `at or below ${high}`;
  if (high === null) return `above ${low}`;
  return low === high ? `at ${low}` : `above ${low} up to ${high}`;
}

function categoriesMoved(
  grid: Extract<Grid, { kind: 'categorical' }>,
  reference: readonly number[],
  current: readonly number[],
): MassMoves {
  const m = total(reference);
  const n = total(current);
  const cells = Array.from({ length: Math.max(reference.length, current.length) }, (_, cell) => ({
    cell,
    reference: (reference[cell] ?? 0) / m,
    current: (current[cell] ?? 0) / n,
  }));
  const size = (move: { reference: number; current: number }) => Math.abs(move.current - move.reference);
  return {
    moved: cells.reduce((sum, move) => sum + size(move) / 2, 0),
    moves: cells
      .filter((move) => size(move) > 0)
      .sort((a, b) => size(b) - size(a) || a.cell - b.cell)
      .slice(0, TOP_CATEGORIES)
      .map((move) => ({
        where: cellWords(grid, move.cell),
        reference: move.reference,
        current: move.current,
      })),
  };
}

function cellWords(grid: Extract<Grid, { kind: 'categorical' }>, cell: number): string {
  if (cell < grid.headSize) return JSON.stringify(shortWords(grid.categories[cell] ?? ''));
  return cell === grid.headSize ? 'the rare values' : 'values that the reference never had';
}
