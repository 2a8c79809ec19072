import { z } from 'zod';
import type { Profile } from '../domain/profile.js';
import { binCounts, quantileBinEnds, total } from '../stats/cells.js';
import { populationStability, psiPValue } from '../stats/psi.js';
import { defineDetector, informationOf, unusableRows } from './detector.js';

/** Population stability index over reference deciles (numeric) or categories, with a cell for missing values. */
export const psi = defineDetector({
  name: 'psi',
  accepts: ['numeric', 'categorical'],
  category: 'drift',
  role: 'descriptive',
  minimumEffect: 0.1,
  params: z.strictObject({ bins: z.int().min(2).max(1_000).default(10) }),
  measure: ({ grid, reference, current }, { bins }) => {
    if (reference.rows === 0) return 'no_reference';
    if (current.rows === 0) return 'no_data';
    const binned = grid.kind === 'numeric' && total(reference.counts) > 0;
    const ends = binned
      ? quantileBinEnds(reference.counts, bins)
      : grid.kind === 'numeric'
        ? [reference.counts.length]
        : reference.counts.map((_, i) => i + 1);
    const cellsOf = (profile: Profile) => [...binCounts(profile.counts, ends), unusableRows(profile)];
    const referenceCells = cellsOf(reference);
    const { psi: statistic, cells, scale } = populationStability(referenceCells, cellsOf(current));
    if (cells > 1 && current.rows < cells) return 'too_few_rows';
    const degreesOfFreedom = Math.max(1, cells - 1);
    const information = informationOf({ referenceRows: reference.rows, currentRows: current.rows });
    return {
      statistic,
      referenceRows: reference.rows,
      currentRows: current.rows,
      degreesOfFreedom,
      largest: Math.max(statistic, largestPsi(referenceCells, current.rows)),
      resolution: null,
      vacuous: cells < 2 ? 'constant' : null,
      opposite: null,
      ratioOf: (value) => value / (scale * degreesOfFreedom),
      iidPValueOf: (value) => psiPValue(value, cells, scale),
      effectOf: (value) => value,
      effectWithInterval: (designEffect) => {
        // √(PSI/k) has a spread of about 1 around its centre.
        const half = 1.96 * Math.sqrt(designEffect);
        const root = Math.sqrt(statistic * information);
        return {
          value: statistic,
          low: Math.max(0, root - half) ** 2 / information,
          high: (root + half) ** 2 / information,
        };
      },
      parameters: { cells, degreesOfFreedom },
    };
  },
});

/** PSI if every row of the window fell into the reference's rarest cell. */
function largestPsi(reference: readonly number[], currentRows: number): number {
  let rarest = -1;
  reference.forEach((count, i) => {
    if (count > 0 && (rarest < 0 || count < (reference[rarest] ?? 0))) rarest = i;
  });
  return populationStability(
    reference,
    reference.map((_, i) => (i === rarest ? currentRows : 0)),
  ).psi;
}
