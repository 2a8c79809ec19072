import { z } from 'zod';
import type { Profile } from '../domain/profile.js';
import { total } from '../stats/cells.js';
import { defineDetector } from './detector.js';
import { measureShares } from './share-measurement.js';

/** Share of a categorical column's values that the model's reference never held. */
export const unseenShare = defineDetector({
  name: 'unseen',
  accepts: ['categorical'],
  category: 'dataQuality',
  role: 'primary',
  minimumEffect: 0.005,
  params: z.strictObject({}),
  measure: ({ reference, current }) => measureShares(unseenOf(reference), unseenOf(current)),
});

/** The grid's last cell holds unseen values. */
function unseenOf(profile: Profile) {
  return { hits: profile.counts.at(-1) ?? 0, rows: total(profile.counts) };
}
