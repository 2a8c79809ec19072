import { z } from 'zod';
import { POPULATION_STABILITY } from '../stats/share-divergence.js';
import { defineDetector } from './detector.js';
import { measureDivergence } from './measure-divergence.js';

/** Population stability index over reference deciles (numeric) or categories, with a cell for missing values. */
export const psi = defineDetector({
  name: 'psi',
  accepts: ['numeric', 'categorical'],
  category: 'drift',
  role: 'descriptive',
  minimumEffect: 0.1,
  params: z.strictObject({ bins: z.int().min(2).max(1_000).default(10) }),
  measure: (samples, { bins }) =>
    measureDivergence(samples, bins, {
      divergence: POPULATION_STABILITY,
      statisticOf: (divergence) => divergence,
      divergenceOf: (statistic) => statistic,
      bound: Number.POSITIVE_INFINITY,
    }),
});
