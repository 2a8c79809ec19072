import { z } from 'zod';
import type { Grid, Profile } from '../domain/profile.js';
import { total } from '../stats/cells.js';
import { defineDetector, holdsIdentifiers } from './detector.js';
import { measureShares } from './share-measurement.js';

/** Share of a categorical column's values that the model's reference never held, against the share that was to be expected. */
export const unseenShare = defineDetector({
  name: 'unseen',
  accepts: ['categorical'],
  category: 'dataQuality',
  role: 'primary',
  minimumEffect: 0.005,
  params: z.strictObject({}),
  measure: ({ grid, reference, current }) => {
    if (holdsIdentifiers(grid) && total(reference.counts) > 0) return 'high_cardinality';
    const expected = expectedUnseen(grid, reference);
    const seen = unseenOf(current);
    if (seen.rows === 0 || singletonsOf(grid) === 0) return measureShares(expected, seen);
    // A value that the reference lacks comes more than once in a large window: its rows are then worth fewer.
    const clump = 1 + seen.rows / Math.max(1, expected.rows);
    const measured = measureShares(expected, { hits: seen.hits / clump, rows: seen.rows / clump });
    return typeof measured === 'string' ? measured : { ...measured, currentRows: seen.rows };
  },
});

/**
 * The more of the reference's values occur there once, the more new ones the next rows bring: Good's estimate (1953, Biometrika
 * 40:237). A later reference on the same grid has met new ones itself; then the greater share counts.
 */
function expectedUnseen(grid: Grid, reference: Profile) {
  const { hits, rows } = unseenOf(reference);
  return { hits: Math.max(hits, Math.round(singletonsOf(grid) * rows)), rows };
}

const singletonsOf = (grid: Grid) => (grid.kind === 'categorical' ? (grid.singletonShare ?? 0) : 0);

/** The grid's last cell holds unseen values. */
function unseenOf(profile: Profile) {
  return { hits: profile.counts.at(-1) ?? 0, rows: total(profile.counts) };
}
