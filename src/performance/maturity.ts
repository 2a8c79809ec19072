import { DELAY_EDGES_MS, type PerformanceCounts } from '../domain/performance.js';
import type { DelayPoint } from '../domain/performance-figures.js';

/** Share of predictions that are labelled; 0 without any. */
export function maturityOf({
  predictions,
  labelled,
}: Pick<PerformanceCounts, 'predictions' | 'labelled'>): number {
  return predictions === 0 ? 0 : labelled / predictions;
}

/**
 * How long labels take, by the labels' own times. Each delay is read from the pieces that are old enough to show it, so that young ones,
 * whose labels have not had their time, do not pull it down; delays that no piece is old enough for are left out.
 */
export function delayCurve(pieces: readonly PerformanceCounts[], nowMs: number): DelayPoint[] {
  return DELAY_EDGES_MS.flatMap((withinMs, edge) => {
    const old = pieces.filter(({ window }) => window.endMs + withinMs <= nowMs);
    const predictions = old.reduce((sum, piece) => sum + piece.predictions, 0);
    const soon = old.reduce(
      (sum, { delays }) => sum + delays.slice(0, edge + 1).reduce((part, rows) => part + rows, 0),
      0,
    );
    return predictions === 0 ? [] : [{ withinMs, share: soon / predictions, predictions }];
  });
}

/** The share of a piece's predictions that usually have their label at its age: of the last point that it is old enough for. */
export function usualMaturity(curve: readonly DelayPoint[], ageMs: number): number | null {
  return curve.findLast(({ withinMs }) => withinMs <= ageMs)?.share ?? null;
}
