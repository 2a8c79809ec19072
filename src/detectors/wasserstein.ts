import { z } from 'zod';
import { unitOf } from '../stats/cell-values.js';
import { leastPermutationPValue } from '../stats/hypergeometric.js';
import { scoreDifference } from '../stats/score-difference.js';
import { createScratch } from '../stats/scratch.js';
import { chiSquareSf } from '../stats/special.js';
import { chiOfVariation, wassersteinDistance, wassersteinNull } from '../stats/wasserstein.js';
import { defineDetector, informationOf } from './detector.js';
import { totalOf, valuesOf } from './profile-facts.js';

const pooledScratch = createScratch();

/** Wasserstein's distance of a numeric column's finite values, in standard deviations of the reference. */
export const wasserstein = defineDetector({
  name: 'wasserstein',
  accepts: ['numeric'],
  category: 'drift',
  role: 'descriptive',
  minimumEffect: 0.1,
  params: z.strictObject({}),
  measure: ({ grid, reference, current }) => {
    if (grid.kind !== 'numeric') return 'not_applicable';
    const { cutPoints, quantum } = grid;
    const currentRows = totalOf(current);
    const referenceRows = totalOf(reference);
    if (referenceRows === 0) return 'no_reference';
    if (currentRows === 0) return 'no_data';
    if (currentRows < 2 || referenceRows < 2) return 'too_few_rows';
    const unit = unitOf(cutPoints);
    const information = informationOf({ referenceRows, currentRows });
    const moments = scoreDifference(valuesOf(grid, current), valuesOf(grid, reference));
    // A constant reference has no spread of its own to measure by.
    const spread = Math.sqrt(moments.referenceVariance || moments.pooledVariance || 1);
    const found = wassersteinDistance(cutPoints, quantum, current, reference, unit);
    const statistic = found.distance / spread;
    const pooled = pooledScratch(current.counts.length);
    for (let cell = 0; cell < pooled.length; cell++)
      pooled[cell] = (current.counts[cell] as number) + (reference.counts[cell] as number);
    const law = wassersteinNull(cutPoints, pooled, information, unit);
    const expected = law.mean / spread;
    const square = (law.mean ** 2 + law.variance) / spread ** 2;
    const known = law.mean > 0 ? chiOfVariation(law.variance / law.mean ** 2) : null;
    const leastPValue = leastPermutationPValue(currentRows, referenceRows);
    const width = ((cutPoints.at(-1) ?? 0) / unit - (cutPoints[0] ?? 0) / unit) / spread;
    return {
      statistic,
      referenceRows,
      currentRows,
      degreesOfFreedom: known?.df ?? 1,
      // All of the window as far beyond the reference as the reference is wide.
      largest: Math.max(statistic, 2 * width),
      resolution: found.resolution / spread,
      vacuous: moments.pooledVariance > 0 && known !== null ? null : 'constant',
      opposite: null,
      ratioOf: (value) => (square > 0 ? (value * value) / square : 0),
      iidPValueOf: (value) =>
        known === null
          ? 1
          : Math.max(leastPValue, chiSquareSf(((value * known.mean) / expected) ** 2, known.df)),
      effectOf: (value) => value,
      effectWithInterval: (designEffect) => {
        const half = 1.96 * Math.sqrt(square * designEffect);
        return { value: statistic, low: Math.max(0, statistic - half), high: statistic + half };
      },
      parameters: { spread: spread * unit },
    };
  },
});
