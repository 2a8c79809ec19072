import { z } from 'zod';
import { rarefy } from '../stats/rarefaction.js';
import { defineDetector, informationOf, isSameCategory, type Scale } from './detector.js';
import { totalOf } from './profile-facts.js';

/** Number of different categories in the window against what so many of the reference's rows would show. */
export const cardinality = defineDetector({
  name: 'cardinality',
  accepts: ['categorical'],
  category: 'dataQuality',
  role: 'descriptive',
  minimumEffect: 0.2,
  params: z.strictObject({}),
  measure: ({ grid, reference, current }) => {
    const referenceRows = totalOf(reference);
    const currentRows = totalOf(current);
    if (referenceRows === 0) return 'no_reference';
    if (currentRows === 0) return 'no_data';
    if (currentRows < 2) return 'too_few_rows';
    const { distinct, expected, atLeast, atMost } = rarefy(reference.counts, current.counts);
    const change = distinct / expected - 1;
    const cells = reference.counts.filter((count, i) => count + (current.counts[i] ?? 0) > 0).length;
    const information = informationOf({ referenceRows, currentRows });
    // Roughly: the number of categories varies at most as a count of so many does.
    const ratioOf = (x: number) => x * x * expected;
    const scaleOf = (sign: 1 | -1, largest: number): Scale => ({
      largest: Math.max(0, largest),
      ratioOf,
      iidPValueOf: (x) =>
        x === 0
          ? 1
          : Math.min(1, Math.max(0, 2 * (sign === 1 ? atLeast : atMost)(expected * (1 + sign * x)))),
    });
    const rises = scaleOf(1, Math.max(change, Math.min(cells, currentRows) / expected - 1));
    const falls = scaleOf(-1, Math.max(-change, 1 - 1 / expected));
    return {
      ...(change < 0 ? falls : rises),
      opposite: change < 0 ? rises : falls,
      statistic: Math.abs(change),
      referenceRows,
      currentRows,
      degreesOfFreedom: 1,
      resolution: null,
      vacuous: isSameCategory(grid, reference, current) ? 'constant' : null,
      effectOf: (x) => x,
      effectWithInterval: (designEffect) => {
        const half = 1.96 * Math.sqrt(designEffect / Math.min(information, expected * expected));
        return { value: change, low: Math.max(-1, change - half), high: change + half };
      },
      parameters: { distinct, expected },
    };
  },
});
