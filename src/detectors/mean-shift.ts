import { z } from 'zod';
import { unitOf } from '../stats/cell-values.js';
import { scoreDifference } from '../stats/score-difference.js';
import { defineDetector, informationOf } from './detector.js';
import { measureScores } from './measure-scores.js';
import { totalOf, valuesOf } from './profile-facts.js';

/** Difference of the means of a numeric column's finite values, in standard deviations of the reference. */
export const meanShift = defineDetector({
  name: 'meanShift',
  accepts: ['numeric'],
  category: 'drift',
  role: 'descriptive',
  minimumEffect: 0.2,
  params: z.strictObject({}),
  measure: ({ grid, reference, current }) => {
    if (grid.kind !== 'numeric') return 'not_applicable';
    const currentRows = totalOf(current);
    const referenceRows = totalOf(reference);
    if (referenceRows === 0) return 'no_reference';
    if (currentRows === 0) return 'no_data';
    if (currentRows < 2 || referenceRows < 2) return 'too_few_rows';
    const unit = unitOf(grid.cutPoints);
    const difference = scoreDifference(valuesOf(grid, current), valuesOf(grid, reference));
    // A constant reference has no spread of its own to measure by.
    const spread = Math.sqrt(difference.referenceVariance || difference.pooledVariance || 1);
    const information = informationOf({ referenceRows, currentRows });
    const error = Math.sqrt(
      difference.currentVariance / currentRows + difference.referenceVariance / referenceRows,
    );
    return measureScores({
      difference,
      currentRows,
      referenceRows,
      effectOf: (statistic) => (statistic * Math.sqrt(difference.pooledVariance / information)) / spread,
      effect: {
        value: (difference.currentMean - difference.referenceMean) / spread,
        error: error / spread,
      },
      parameters: {
        currentMean: difference.currentMean * unit,
        referenceMean: difference.referenceMean * unit,
      },
    });
  },
});
