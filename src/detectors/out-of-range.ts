import { z } from 'zod';
import { exceedancePValue } from '../stats/exceedance.js';
import { proportionZSquared, shareDifferenceInterval } from '../stats/two-proportion.js';
import { defineDetector } from './detector.js';
import { totalOf } from './profile-facts.js';

/** Share of a numeric column's finite values below the reference's least or above its greatest value. */
export const outOfRange = defineDetector({
  name: 'outOfRange',
  accepts: ['numeric'],
  category: 'dataQuality',
  role: 'descriptive',
  minimumEffect: 0.005,
  params: z.strictObject({}),
  measure: ({ reference, current }) => {
    const referenceRows = totalOf(reference);
    const currentRows = totalOf(current);
    if (referenceRows === 0) return 'no_reference';
    if (currentRows === 0) return 'no_data';
    const first = reference.counts.findIndex((count) => count > 0);
    const last = reference.counts.findLastIndex((count) => count > 0);
    let hits = currentRows;
    for (let cell = first; cell <= last; cell++) hits -= current.counts[cell] ?? 0;
    // By exchange, the two outermost values of the reference are as likely out of the rest's range as any.
    const extremes = { hits: Math.min(2, referenceRows), rows: referenceRows };
    return {
      statistic: hits / currentRows,
      referenceRows,
      currentRows,
      degreesOfFreedom: 1,
      largest: 1,
      resolution: null,
      vacuous: hits === 0 ? 'no_events' : null,
      opposite: null,
      ratioOf: (x) =>
        x > extremes.hits / extremes.rows
          ? proportionZSquared({ hits: x * currentRows, rows: currentRows }, extremes)
          : 0,
      iidPValueOf: (x) => exceedancePValue(x * currentRows, currentRows, referenceRows),
      effectOf: (x) => x,
      effectWithInterval: (designEffect) =>
        shareDifferenceInterval({ hits, rows: currentRows }, { hits: 0, rows: referenceRows }, designEffect),
      parameters: { outOfRange: hits },
    };
  },
});
