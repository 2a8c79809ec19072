import { z } from 'zod';
import { unitOf } from '../stats/cell-values.js';
import { scoreDifference } from '../stats/score-difference.js';
import { defineDetector, informationOf } from './detector.js';
import { measureScores } from './measure-scores.js';
import { deviationsOf, totalOf } from './profile-facts.js';

/** With fewer rows a sample's own median lies too close to its values. */
const LEAST_ROWS = 10;
/** Keeps the logarithm of a spread of 0 finite: one part in a million of both. */
const FLOOR = 1e-6;

/** Ratio of the spreads (mean absolute deviations from the median) of a numeric column's finite values, as a logarithm. */
export const varianceShift = defineDetector({
  name: 'varianceShift',
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
    if (currentRows < LEAST_ROWS || referenceRows < LEAST_ROWS) return 'too_few_rows';
    const unit = unitOf(grid.cutPoints);
    const difference = scoreDifference(deviationsOf(grid, current), deviationsOf(grid, reference));
    const floor = FLOOR * (difference.currentMean + difference.referenceMean) || 1;
    const [now, before] = [difference.currentMean + floor, difference.referenceMean + floor];
    const information = informationOf({ referenceRows, currentRows });
    return measureScores({
      difference,
      currentRows,
      referenceRows,
      effectOf: (statistic) =>
        Math.log1p((statistic * Math.sqrt(difference.pooledVariance / information)) / before),
      effect: {
        value: Math.log(now / before),
        error: Math.sqrt(
          difference.currentVariance / (currentRows * now ** 2) +
            difference.referenceVariance / (referenceRows * before ** 2),
        ),
      },
      parameters: {
        currentSpread: difference.currentMean * unit,
        referenceSpread: difference.referenceMean * unit,
      },
    });
  },
});
