import { z } from 'zod';
import { JENSEN_SHANNON } from '../stats/share-divergence.js';
import { defineDetector } from './detector.js';
import { measureDivergence } from './measure-divergence.js';

/** Jensen–Shannon distance √JSD to base 2, in [0, 1], over the cells of `psi`. */
export const jensenShannon = defineDetector({
  name: 'jensenShannon',
  accepts: ['numeric', 'categorical'],
  category: 'drift',
  role: 'descriptive',
  minimumEffect: 0.1,
  params: z.strictObject({ bins: z.int().min(2).max(1_000).default(10) }),
  measure: (samples, { bins }) =>
    measureDivergence(samples, bins, {
      divergence: JENSEN_SHANNON,
      statisticOf: (nats) => Math.sqrt(nats / Math.LN2),
      divergenceOf: (distance) => distance * distance * Math.LN2,
      bound: 1,
    }),
});
