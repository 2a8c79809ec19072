import type { Grid, Profile } from '../domain/profile.js';
import type { Verdict } from '../domain/verdict.js';
import { total } from '../stats/cells.js';
import { unusableRows } from './detector.js';
import { massMoves, movesWords } from './mass-moves.js';
import { numberWords, percentWords } from './words.js';

/** Reasons for an undecided verdict, in words; others are read as they are. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['no_data', 'there are no current values'],
  ['no_reference', 'the reference has no values'],
  ['too_few_rows', 'there are too few rows to decide anything'],
  ['minimum_traffic', 'the window has fewer rows than the minimum of its policy'],
  [
    'not_visible_at_window_length',
    'no drift, however large, could be told from normal change with these rows',
  ],
  ['constant_column', 'it holds one and the same value on both sides'],
  ['not_applicable', 'the test does not apply to it'],
]);

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
  const seen = `${lead.detector} ${numberWords(lead.statistic)}`;
  const needed = lead.threshold === null ? '' : `, where ${numberWords(lead.threshold)} would be significant`;
  return `${name} shows no drift: ${seen}${needed}.`;
}

/** Material ones first, then by p-value. */
export function bySeverity(a: Verdict, b: Verdict): number {
  return Number(b.material) - Number(a.material) || (a.adjustedPValue ?? 1) - (b.adjustedPValue ?? 1);
}

/** What one drifted verdict says about its column: a clause without its subject. */
export function whatMoved(column: Explained, verdict: Verdict): string {
  const { reference, current, grid } = column;
  if (verdict.detector === 'missing')
    return `rows without a usable value went from ${percentWords(unusableRows(reference) / reference.rows)} to ${percentWords(unusableRows(current) / current.rows)}`;
  if (verdict.detector === 'unseen' && grid.kind === 'categorical')
    return `${percentWords((current.counts[grid.headSize + 1] ?? 0) / Math.max(1, total(current.counts)))} of values are ones that the reference never had`;
  if (verdict.category !== 'drift') return figureWords(verdict);
  return massMoved(grid, reference.counts, current.counts);
}

/** A verdict's statistic beside what it took. */
export function figureWords(verdict: Verdict): string {
  return `${verdict.detector} is ${numberWords(verdict.statistic)}, where ${numberWords(verdict.threshold)} would be significant`;
}

/** The medians, and from where to where most values went. */
function massMoved(grid: Grid, reference: readonly number[], current: readonly number[]): string {
  const moves = massMoves(grid, reference, current);
  if (moves === null) return 'its values spread differently';
  const words = movesWords(grid, moves);
  if (grid.kind !== 'numeric') return words;
  const before = medianWords(grid.cutPoints, reference);
  const after = medianWords(grid.cutPoints, current);
  return before === after ? words : `its median went from ${before} to ${after}, and ${words}`;
}

/** The value at half the mass, of those between two cut points the upper one; what lies outside of the reference is told so. */
function medianWords(cutPoints: readonly number[], counts: readonly number[]): string {
  const half = total(counts) / 2;
  let sum = 0;
  let cell = 0;
  while (cell < counts.length - 1 && sum + (counts[cell] ?? 0) < half) sum += counts[cell++] ?? 0;
  if (cell === 0) return `below ${numberWords(cutPoints[0] ?? null)}`;
  if (cell === counts.length - 1) return `above ${numberWords(cutPoints.at(-1) ?? null)}`;
  return numberWords(cutPoints[cell >> 1] ?? null);
}
