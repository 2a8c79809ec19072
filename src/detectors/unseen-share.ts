import { z } from 'zod';
import type { Grid, Profile } from '../domain/profile.js';
import type { UndecidedReason } from '../domain/verdict.js';
import { total } from '../stats/cells.js';
import type { Share } from '../stats/two-proportion.js';
import { defineDetector, holdsIdentifiers, type Measurement, type Samples } from './detector.js';
import { glanceAtShares, measureShares } from './share-measurement.js';

/** Share of a categorical column's values that the model's reference never held, against the share that was to be expected. */
export const unseenShare = defineDetector({
  name: 'unseen',
  accepts: ['categorical'],
  category: 'dataQuality',
  role: 'primary',
  minimumEffect: 0.005,
  params: z.strictObject({}),
  measure: (samples) => measureUnseen(samples),
  // Of a fall this gives a p-value below its own, 1.
  screen: ({ grid, reference }) => {
    // Clumped values are weighed by the window's own rows: those have to be measured.
    if (singletonsOf(grid) !== 0) return () => null;
    const expected = expectedUnseen(grid, reference);
    return (current) => glanceAtShares(expected, unseenOf(current));
  },
});

/** One-sided: fewer new values than expected are no trouble, and a reference compared with itself has none. */
function measureUnseen({ grid, reference, current }: Samples): Measurement | UndecidedReason {
  if (holdsIdentifiers(grid) && total(reference.counts) > 0) return 'high_cardinality';
  const expected = expectedUnseen(grid, reference);
  const seen = unseenOf(current);
  // A value that the reference lacks comes more than once in a large window: its rows are then worth fewer.
  const clump = singletonsOf(grid) === 0 ? 1 : 1 + seen.rows / Math.max(1, expected.rows);
  const measured = measureShares(expected, { hits: seen.hits / clump, rows: seen.rows / clump });
  if (typeof measured === 'string') return measured;
  const isFall = seen.hits * expected.rows < expected.hits * seen.rows;
  const rises = isFall && measured.opposite !== null ? measured.opposite : measured;
  return {
    ...measured,
    largest: rises.largest,
    ratioOf: rises.ratioOf,
    iidPValueOf: rises.iidPValueOf,
    opposite: null,
    statistic: isFall ? 0 : measured.statistic,
    currentRows: seen.rows,
  };
}

/**
 * The more of the reference's values occur there once, the more new ones the next rows bring: Good's estimate (1953, Biometrika
 * 40:237). A later reference on the same grid has met new ones itself; then the greater share counts.
 */
function expectedUnseen(grid: Grid, reference: Profile): Share {
  const { hits, rows } = unseenOf(reference);
  return { hits: Math.max(hits, Math.round(singletonsOf(grid) * rows)), rows };
}

const singletonsOf = (grid: Grid) => (grid.kind === 'categorical' ? (grid.singletonShare ?? 0) : 0);

/** The grid's last cell holds unseen values. */
function unseenOf(profile: Profile): Share {
  return { hits: profile.counts.at(-1) ?? 0, rows: total(profile.counts) };
}
