import { z } from 'zod';
import { LATENCY } from '../domain/model.js';
import type { Grid, Profile } from '../domain/profile.js';
import { total } from '../stats/cells.js';
import { type Descriptor, informationOf } from './detector.js';
import { measureShares } from './share-measurement.js';

/** The grid's first cut point. */
const LEAST_MS = 1e-3;
const Z_95 = 1.959963984540054;

const paramsAt = (quantile: number) => z.strictObject({ quantile: z.number().gt(0).lt(1).default(quantile) });
const describe = (descriptor: Descriptor<ReturnType<typeof paramsAt>>) => descriptor;

/**
 * Whether a quantile of the latencies has moved: the share of answers slower than the reference's quantile is compared with the
 * reference's own share, which needs nothing to be known about the shape of latencies (the sign test of a quantile, in two samples).
 * The effect is the quantile's relative change.
 */
export const latencyQuantile = (name: string, quantile: number, role: 'primary' | 'descriptive') =>
  describe({
    name,
    accepts: ['numeric'],
    column: LATENCY,
    category: 'service',
    role,
    minimumEffect: 0.25,
    params: paramsAt(quantile),
    measure: ({ grid, reference, current }, params) => {
      const referenceRows = total(reference.counts);
      const currentRows = total(current.counts);
      if (referenceRows === 0) return 'no_reference';
      if (currentRows === 0) return 'no_data';
      // Where fewer than one answer lies beyond the quantile it is the greatest one, and nothing is beyond.
      if (referenceRows * (1 - params.quantile) < 1 || currentRows < 2) return 'too_few_rows';
      const cut = quantileCell(reference.counts, params.quantile);
      const shares = measureShares(
        { hits: countAbove(reference.counts, cut), rows: referenceRows },
        { hits: countAbove(current.counts, cut), rows: currentRows },
      );
      if (typeof shares === 'string') return shares;
      const latencyAt = (profile: Profile, at: number) =>
        cellQuantile(grid, profile, Math.min(1, Math.max(0, at)));
      const baseline = latencyAt(reference, params.quantile);
      const change = (latencyMs: number) => positive(latencyMs) / positive(baseline) - 1;
      const value = change(latencyAt(current, params.quantile));
      return {
        ...shares,
        // The share that a change of scale would move beyond the cut, read off the reference.
        effectOf: (statistic) =>
          positive(baseline) / positive(latencyAt(reference, params.quantile - statistic)) - 1,
        effectWithInterval: (designEffect) => {
          // Ranks of order statistics: the quantile of the window, and that of the reference, are both estimates.
          const spread = Math.sqrt(
            (params.quantile * (1 - params.quantile) * designEffect) /
              informationOf({ referenceRows, currentRows }),
          );
          return {
            value,
            low: Math.min(value, change(latencyAt(current, params.quantile - Z_95 * spread))),
            high: Math.max(value, change(latencyAt(current, params.quantile + Z_95 * spread))),
          };
        },
        parameters: {
          ...shares.parameters,
          quantile: params.quantile,
          referenceMs: baseline,
          currentMs: latencyAt(current, params.quantile),
        },
      };
    },
  });

/** Clocks that disagree give latencies of 0 and below: as good as a microsecond. */
const positive = (latencyMs: number) => Math.max(LEAST_MS, latencyMs);

/** The value that a share of the rows does not exceed: the upper end of its cell, so within a cell of the grid. */
export function cellQuantile(grid: Grid, profile: Profile, quantile: number): number {
  return upperEnd(grid, profile, quantileCell(profile.counts, quantile));
}

/** The cell in which the cumulative share reaches a quantile. */
function quantileCell(counts: readonly number[], quantile: number): number {
  const wanted = Math.max(1, Math.ceil(total(counts) * quantile - 1e-9));
  let sum = 0;
  let last = 0;
  for (let cell = 0; cell < counts.length; cell++) {
    if ((counts[cell] ?? 0) === 0) continue;
    sum += counts[cell] ?? 0;
    last = cell;
    if (sum >= wanted) return cell;
  }
  return last;
}

function countAbove(counts: readonly number[], cell: number): number {
  let sum = 0;
  for (let at = cell + 1; at < counts.length; at++) sum += counts[at] ?? 0;
  return sum;
}

/** The greatest value that a cell's rows can have, ms. */
function upperEnd(grid: Grid, profile: Profile, cell: number): number {
  const greatest = profile.max ?? Number.POSITIVE_INFINITY;
  const cutPoints = grid.kind === 'numeric' ? grid.cutPoints : [];
  return Math.min(greatest, cutPoints[cell % 2 === 1 ? (cell - 1) / 2 : cell / 2] ?? greatest);
}
