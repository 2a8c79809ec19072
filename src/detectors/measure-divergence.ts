import type { Profile } from '../domain/profile.js';
import type { UndecidedReason } from '../domain/verdict.js';
import { binCounts } from '../stats/cells.js';
import { type Divergence, divergencePValue, smoothedDivergence } from '../stats/share-divergence.js';
import { informationOf, type Measurement, type Samples, unusableRows } from './detector.js';
import { binEndsOf, binsOf, totalOf } from './profile-facts.js';

/** A divergence and how it is reported: `statisticOf` grows with the divergence, `divergenceOf` undoes it. */
export interface ReportedDivergence {
  readonly divergence: Divergence;
  readonly statisticOf: (divergence: number) => number;
  readonly divergenceOf: (statistic: number) => number;
  /** The largest statistic there is; infinite for PSI. */
  readonly bound: number;
}

/** Reference deciles with ties merged (numeric) or the grid's categories and its unseen cell, then one cell for missing values. */
export function shareCells(samples: Samples, bins: number): { reference: number[]; current: number[] } {
  const { grid, reference, current } = samples;
  if (grid.kind === 'categorical' || totalOf(reference) === 0) {
    const ends = [reference.counts.length];
    const cellsOf = (profile: Profile) =>
      grid.kind === 'categorical' ? profile.counts : binCounts(profile.counts, ends);
    return {
      reference: [...cellsOf(reference), unusableRows(reference)],
      current: [...cellsOf(current), unusableRows(current)],
    };
  }
  return {
    reference: [...binsOf(reference, bins), unusableRows(reference)],
    current: [...binCounts(current.counts, binEndsOf(reference, bins)), unusableRows(current)],
  };
}

/** Compares two samples by a divergence of their shares over `shareCells`. */
export function measureDivergence(
  samples: Samples,
  bins: number,
  reported: ReportedDivergence,
): Measurement | UndecidedReason {
  const { divergence, statisticOf, divergenceOf, bound } = reported;
  const referenceRows = samples.reference.rows;
  const currentRows = samples.current.rows;
  if (referenceRows === 0) return 'no_reference';
  if (currentRows === 0) return 'no_data';
  const shares = shareCells(samples, bins);
  const { value, cells, scale } = smoothedDivergence(divergence, shares.reference, shares.current);
  if (cells > 1 && currentRows < cells) return 'too_few_rows';
  const statistic = statisticOf(value);
  const degreesOfFreedom = Math.max(1, cells - 1);
  const unit = divergence.nullFactor * scale;
  const information = informationOf({ referenceRows, currentRows });
  return {
    statistic,
    referenceRows,
    currentRows,
    degreesOfFreedom,
    largest: Math.max(statistic, statisticOf(largestDivergence(divergence, shares.reference, currentRows))),
    resolution: null,
    vacuous: cells < 2 ? 'constant' : null,
    opposite: null,
    ratioOf: (x) => divergenceOf(x) / (unit * degreesOfFreedom),
    iidPValueOf: (x) => divergencePValue(divergence, divergenceOf(x), cells, scale),
    effectOf: (x) => x,
    effectWithInterval: (designEffect) => {
      // The root of a divergence over its unit has a spread of about 1 around its centre.
      const half = 1.96 * Math.sqrt(designEffect);
      const root = Math.sqrt(value * (information / divergence.nullFactor));
      const at = (r: number) => Math.min(bound, statisticOf((r * r * divergence.nullFactor) / information));
      return {
        value: statistic,
        low: Math.min(statistic, at(Math.max(0, root - half))),
        high: at(root + half),
      };
    },
    parameters: { cells, degreesOfFreedom },
  };
}

/** The divergence if every row of the window fell into the reference's rarest cell. */
function largestDivergence(
  divergence: Divergence,
  reference: readonly number[],
  currentRows: number,
): number {
  let rarest = -1;
  reference.forEach((count, i) => {
    if (count > 0 && (rarest < 0 || count < (reference[rarest] ?? 0))) rarest = i;
  });
  const current = reference.map((_, i) => (i === rarest ? currentRows : 0));
  return smoothedDivergence(divergence, reference, current).value;
}
