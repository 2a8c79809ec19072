import { z } from 'zod';
import { HELLINGER_SQUARED } from '../stats/share-divergence.js';
import { defineDetector } from './detector.js';
import { measureDivergence } from './measure-divergence.js';

/** Hellinger distance √(1 − Σ√(pq)), in [0, 1], over the cells of `psi`. */
export const hellinger = defineDetector({
  name: 'hellinger',
  accepts: ['numeric', 'categorical'],
  category: 'drift',
  role: 'descriptive',
  minimumEffect: 0.1,
  params: z.strictObject({ bins: z.int().min(2).max(1_000).default(10) }),
  measure: (samples, { bins }) =>
    measureDivergence(samples, bins, {
      divergence: HELLINGER_SQUARED,
      statisticOf: Math.sqrt,
      divergenceOf: (distance) => distance * distance,
      bound: 1,
    }),
});
