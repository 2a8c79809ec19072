import type { Grid } from './profile.js';

/** A value as a row holds it; null is missing. */
export type CellValue = number | string | null;

/** Cell of a value on the grid; −1 for none, or one that is not of the column's kind. */
export function cellFinder(grid: Grid): (value: CellValue) => number {
  if (grid.kind === 'categorical') {
    const known = new Map(grid.categories.map((category, i) => [category, Math.min(i, grid.headSize)]));
    return (value) => (value === null ? -1 : (known.get(String(value)) ?? grid.headSize + 1));
  }
  const { cutPoints } = grid;
  return (value) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) return -1;
    let low = 0;
    let high = cutPoints.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cutPoints[middle] ?? 0) <= value) low = middle + 1;
      else high = middle;
    }
    return low > 0 && cutPoints[low - 1] === value ? 2 * low - 1 : 2 * low;
  };
}
