import { z } from 'zod';
import type { Grid, Profile } from '../domain/profile.js';
import { total } from '../stats/cells.js';
import { defineDetector } from './detector.js';
import { measureShares } from './share-measurement.js';

/** With more of its values occurring once in the reference, a column holds identifiers or free text: new ones are no news. */
const IDENTIFIER_SHARE = 0.95;

/** Share of a categorical column's values that the model's reference never held, against the share that was to be expected. */
export const unseenShare = defineDetector({
  name: 'unseen',
  accepts: ['categorical'],
  category: 'dataQuality',
  role: 'primary',
  minimumEffect: 0.005,
  params: z.strictObject({}),
  measure: ({ grid, reference, current }) => {
    const expected = expectedUnseen(grid, reference);
    if (expected.rows > 0 && expected.hits > expected.rows * IDENTIFIER_SHARE) return 'high_cardinality';
    return measureShares(expected, unseenOf(current));
  },
});

/**
 * The more of the reference's values occur there once, the more new ones the next rows bring: Good's estimate (1953, Biometrika
 * 40:237). A later reference on the same grid has met new ones itself; then the greater share counts.
 */
function expectedUnseen(grid: Grid, reference: Profile) {
  const { hits, rows } = unseenOf(reference);
  const singletonShare = grid.kind === 'categorical' ? (grid.singletonShare ?? 0) : 0;
  return { hits: Math.max(hits, Math.round(singletonShare * rows)), rows };
}

/** The grid's last cell holds unseen values. */
function unseenOf(profile: Profile) {
  return { hits: profile.counts.at(-1) ?? 0, rows: total(profile.counts) };
}
