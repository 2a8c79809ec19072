import { cellCount, type Grid, type Profile, quantumFor } from '../../src/domain/profile.js';
import { type Change, type Column, NO_CHANGE, pick, standardNormal } from './columns.js';

/** The store's: distinct values up to this many, else so many order statistics; categories with a cell of their own. */
const MOST_CUT_POINTS = 1_000;
const MOST_HEAD = 1_000;
const CORRELATION = 0.8;

/** Values of one column: numbers, or category indices; NaN is missing, a negative index a category nobody ever saw. */
export type Values = Float64Array;

export interface Planted {
  readonly change: Change;
  /** Categorical: 20 % of the mass moved. */
  readonly moved: boolean;
  /** Share of rows without a value, and of rows with a new category. */
  readonly missing: number;
  readonly unseen: number;
}

export const UNTOUCHED: Planted = { change: NO_CHANGE, moved: false, missing: 0, unseen: 0 };

export function drawColumn(column: Column, rows: number, random: () => number, planted: Planted): Values {
  const values = new Float64Array(rows);
  if (column.kind === 'numeric') {
    for (let i = 0; i < rows; i++) values[i] = column.draw(random, planted.change);
  } else {
    const cumulative = planted.moved ? column.moved : column.cumulative;
    for (let i = 0; i < rows; i++) values[i] = pick(cumulative, random());
  }
  if (planted.missing > 0)
    for (let i = 0; i < rows; i++) if (random() < planted.missing) values[i] = Number.NaN;
  if (planted.unseen > 0) for (let i = 0; i < rows; i++) if (random() < planted.unseen) values[i] = -1;
  return values;
}

/** A standard normal column with correlation ±0.8 to another: its own law does not depend on the sign. */
export function drawPartner(values: Values, sign: 1 | -1, random: () => number): Values {
  const rest = Math.sqrt(1 - CORRELATION ** 2);
  return values.map((value) => sign * CORRELATION * value + rest * standardNormal(random));
}

export function gridOf(column: Column, values: Values): Grid {
  if (column.kind === 'numeric') {
    const sorted = values.slice().sort();
    const cutPoints = cutPointsOf(sorted);
    return {
      kind: 'numeric',
      feature: column.name,
      cutPoints,
      quantum: quantumFor(cutPoints[0] ?? 0, cutPoints.at(-1) ?? 0),
    };
  }
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const categories = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([index]) => String(index));
  return {
    kind: 'categorical',
    feature: column.name,
    categories,
    headSize: Math.min(MOST_HEAD, categories.length),
    singletonShare: [...counts.values()].filter((count) => count === 1).length / values.length,
  };
}

function cutPointsOf(sorted: Float64Array): number[] {
  const distinct: number[] = [];
  for (const value of sorted) {
    if (value !== distinct.at(-1)) distinct.push(value);
    if (distinct.length > MOST_CUT_POINTS) break;
  }
  if (distinct.length <= MOST_CUT_POINTS) return distinct;
  const last = sorted.length - 1;
  const points = Array.from(
    { length: MOST_CUT_POINTS },
    (_, i) => sorted[Math.round((i * last) / (MOST_CUT_POINTS - 1))] ?? 0,
  );
  return points.filter((point, i) => i === 0 || point !== points[i - 1]);
}

/** Counts values on a grid as the store does, offsets included. */
export function createCounter(grid: Grid): (values: Values) => Profile {
  const cells = cellCount(grid);
  const cellOf = grid.kind === 'numeric' ? numericCells(grid.cutPoints) : categoryCells(grid);
  return (values) => {
    const counts = new Array<number>(cells).fill(0);
    const offsets = grid.kind === 'numeric' ? new Array<number>(cells).fill(0) : [];
    let missing = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (const value of values) {
      if (Number.isNaN(value)) {
        missing++;
        continue;
      }
      const cell = cellOf(value);
      counts[cell] = (counts[cell] as number) + 1;
      if (grid.kind !== 'numeric') continue;
      if (value < min) min = value;
      if (value > max) max = value;
      const base = grid.cutPoints[Math.max(0, (cell - 1) >> 1)] as number;
      offsets[cell] = (offsets[cell] as number) + Math.round((value - base) / grid.quantum);
    }
    const hasExtremes = grid.kind === 'numeric' && values.length > missing;
    return {
      feature: grid.feature,
      kind: grid.kind,
      rows: values.length,
      missing,
      nonFinite: 0,
      mistyped: 0,
      counts,
      offsets,
      min: hasExtremes ? min : null,
      max: hasExtremes ? max : null,
    };
  };
}

function numericCells(points: readonly number[]): (value: number) => number {
  const cutPoints = Float64Array.from(points);
  return (value) => {
    let low = 0;
    let high = cutPoints.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cutPoints[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return cutPoints[low] === value ? 2 * low + 1 : 2 * low;
  };
}

function categoryCells(grid: Extract<Grid, { kind: 'categorical' }>): (value: number) => number {
  const rank = new Map(grid.categories.map((name, i) => [Number(name), Math.min(i, grid.headSize)]));
  return (value) => rank.get(value) ?? grid.headSize + 1;
}
