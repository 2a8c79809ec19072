import { z } from 'zod';
import type { Grid } from '../domain/profile.js';
import {
  createShareChangeTail,
  largestShareChange,
  meanSquaredChange,
} from '../stats/largest-share-change.js';
import { shareDifferenceInterval } from '../stats/two-proportion.js';
import { defineDetector, informationOf, isSameCategory } from './detector.js';
import { totalOf } from './profile-facts.js';

/** A largest change among few cells spreads like a χ² with one degree less than cells, among many like one with four. */
const MOST_DEGREES = 4;

/** The largest change of a category's share, and which category it is; missing values are left out. */
export const lInfinity = defineDetector({
  name: 'lInfinity',
  accepts: ['categorical'],
  category: 'drift',
  role: 'descriptive',
  minimumEffect: 0.1,
  params: z.strictObject({}),
  measure: ({ grid, reference, current }) => {
    const sizes = { referenceRows: totalOf(reference), currentRows: totalOf(current) };
    const { referenceRows, currentRows } = sizes;
    if (referenceRows === 0) return 'no_reference';
    if (currentRows === 0) return 'no_data';
    if (currentRows < 2 || referenceRows < 2) return 'too_few_rows';
    const { cell, change } = largestShareChange(reference.counts, current.counts, sizes);
    const totals = reference.counts.map((count, i) => count + (current.counts[i] ?? 0));
    const cells = totals.filter((count) => count > 0).length;
    const constant = isSameCategory(grid, reference, current);
    if (!constant && cells < 2) return 'too_few_rows';
    const tailOf = createShareChangeTail(totals, currentRows, referenceRows);
    let meanSquare: number | null = null;
    const before = { hits: reference.counts[cell] ?? 0, rows: referenceRows };
    const now = { hits: current.counts[cell] ?? 0, rows: currentRows };
    const rarest = Math.min(...reference.counts.filter((count) => count > 0));
    return {
      statistic: change,
      ...sizes,
      degreesOfFreedom: Math.max(1, Math.min(MOST_DEGREES, cells - 1)),
      largest: Math.max(change, cells > 1 ? 1 - rarest / referenceRows : 1),
      resolution: null,
      vacuous: constant ? 'constant' : null,
      opposite: null,
      ratioOf: (x) => {
        meanSquare ??= meanSquaredChange(tailOf, totals, currentRows, referenceRows);
        return meanSquare > 0 ? (x * x) / meanSquare : x * x * informationOf(sizes);
      },
      iidPValueOf: tailOf,
      effectOf: (x) => x,
      effectWithInterval: (designEffect) => {
        const interval = shareDifferenceInterval(now, before, designEffect);
        const [low, high] =
          interval.value < 0 ? [-interval.high, -interval.low] : [interval.low, interval.high];
        return { value: change, low: Math.min(change, Math.max(0, low)), high: Math.max(change, high) };
      },
      parameters: {
        cells,
        category: nameOf(grid, cell),
        referenceShare: before.hits / before.rows,
        currentShare: now.hits / now.rows,
      },
    };
  },
});

function nameOf(grid: Grid, cell: number): string {
  if (grid.kind === 'numeric' || cell > grid.headSize) return 'unseen values';
  return cell < grid.headSize ? (grid.categories[cell] ?? '') : 'rarer known values';
}
