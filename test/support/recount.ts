import type { Grid, Profile } from '../../src/domain/profile.js';

/** What one row says of a column: a number, a text, or nothing. */
export type RowValue = number | string | null;

/** The cell of a value, by the plainest code. */
export function cellOf(grid: Grid, value: number | string): number {
  if (grid.kind === 'categorical') {
    const at = grid.categories.indexOf(String(value));
    return at < 0 ? grid.headSize + 1 : Math.min(at, grid.headSize);
  }
  const x = Number(value);
  const equal = grid.cutPoints.indexOf(x);
  return equal >= 0 ? 2 * equal + 1 : 2 * grid.cutPoints.filter((cut) => cut < x).length;
}

/** The engine rounds halves to even. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The profile of some rows on a grid, counted one by one. Text in a numeric column is mistyped. */
export function recount(values: readonly RowValue[], grid: Grid): Profile {
  const cells = grid.kind === 'numeric' ? 2 * grid.cutPoints.length + 1 : grid.headSize + 2;
  const counts = new Array<number>(cells).fill(0);
  const offsets = new Array<number>(grid.kind === 'numeric' ? cells : 0).fill(0);
  const tally = { missing: 0, nonFinite: 0, mistyped: 0 };
  const finite: number[] = [];
  for (const value of values) {
    if (value === null) tally.missing += 1;
    else if (grid.kind === 'numeric' && typeof value === 'string') tally.mistyped += 1;
    else if (grid.kind === 'numeric' && !Number.isFinite(value)) tally.nonFinite += 1;
    else {
      const cell = cellOf(grid, value);
      counts[cell] = (counts[cell] ?? 0) + 1;
      if (grid.kind === 'categorical') continue;
      const x = Number(value);
      finite.push(x);
      const base = grid.cutPoints[Math.max(0, Math.ceil(cell / 2) - 1)] ?? 0;
      const quanta = Math.min(Math.max(roundHalfEven((x - base) / grid.quantum), -(2 ** 34)), 2 ** 34);
      offsets[cell] = (offsets[cell] ?? 0) + quanta;
    }
  }
  return {
    feature: grid.feature,
    kind: grid.kind,
    rows: values.length,
    ...tally,
    counts,
    offsets,
    min: finite.length === 0 ? null : finite.reduce((least, x) => Math.min(least, x)),
    max: finite.length === 0 ? null : finite.reduce((greatest, x) => Math.max(greatest, x)),
  };
}
