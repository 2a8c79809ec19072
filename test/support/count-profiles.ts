import type { FeatureKind } from '../../src/domain/model.js';
import { cellCount, type Grid, type Profile } from '../../src/domain/profile.js';

export type Value = number | string | null;

/** A grid by the rules of the domain: all distinct finite values, or so many order statistics; categories by frequency. */
export function gridOf(feature: string, kind: FeatureKind, values: readonly Value[], most = 1_000): Grid {
  if (kind === 'numeric') {
    const sorted = values
      .filter((v): v is number => typeof v === 'number' && Number.isFinite(v))
      .sort((a, b) => a - b);
    const distinct = [...new Set(sorted)];
    const cutPoints =
      distinct.length <= most
        ? distinct
        : [
            ...new Set(
              Array.from(
                { length: most },
                (_, i) => sorted[Math.round((i * (sorted.length - 1)) / (most - 1))] ?? 0,
              ),
            ),
          ];
    return { kind, feature, cutPoints, quantum: 2 ** -20 };
  }
  const counts = new Map<string, number>();
  for (const v of values) if (v !== null) counts.set(String(v), (counts.get(String(v)) ?? 0) + 1);
  const categories = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  return { kind, feature, categories, headSize: Math.min(most, categories.length) };
}

/** Counts values on a grid, straight from the definition of cells. Offsets stay 0: no test of statistics reads them. */
export function profileOf(grid: Grid, values: readonly Value[]): Profile {
  const counts = new Array<number>(cellCount(grid)).fill(0);
  let missing = 0;
  let nonFinite = 0;
  let mistyped = 0;
  let min: number | null = null;
  let max: number | null = null;
  const rank = grid.kind === 'categorical' ? new Map(grid.categories.map((name, i) => [name, i])) : null;
  for (const value of values) {
    if (value === null) missing++;
    else if (grid.kind === 'categorical') {
      const at = rank?.get(String(value));
      const cell = at === undefined ? grid.headSize + 1 : Math.min(at, grid.headSize);
      counts[cell] = (counts[cell] ?? 0) + 1;
    } else if (typeof value !== 'number') mistyped++;
    else if (!Number.isFinite(value)) nonFinite++;
    else {
      const cell = numericCell(grid.cutPoints, value);
      counts[cell] = (counts[cell] ?? 0) + 1;
      min = min === null ? value : Math.min(min, value);
      max = max === null ? value : Math.max(max, value);
    }
  }
  const offsets = grid.kind === 'numeric' ? counts.map(() => 0) : [];
  return {
    feature: grid.feature,
    kind: grid.kind,
    rows: values.length,
    missing,
    nonFinite,
    mistyped,
    counts,
    offsets,
    min,
    max,
  };
}

function numericCell(cutPoints: readonly number[], value: number): number {
  let low = 0;
  let high = cutPoints.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cutPoints[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return cutPoints[low] === value ? 2 * low + 1 : 2 * low;
}
