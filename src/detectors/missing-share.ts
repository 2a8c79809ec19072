import { z } from 'zod';
import { defineDetector, unusableRows } from './detector.js';
import { glanceAtShares, measureShares } from './share-measurement.js';

/** Share of rows without a usable value: null, absent, NaN, ±Infinity, or text in a numeric column. */
export const missingShare = defineDetector({
  name: 'missing',
  accepts: ['numeric', 'categorical'],
  category: 'dataQuality',
  role: 'primary',
  minimumEffect: 0.005,
  params: z.strictObject({}),
  measure: ({ reference, current }) =>
    measureShares(
      { hits: unusableRows(reference), rows: reference.rows },
      { hits: unusableRows(current), rows: current.rows },
    ),
  screen: ({ reference }) => {
    const before = { hits: unusableRows(reference), rows: reference.rows };
    return (current) => glanceAtShares(before, { hits: unusableRows(current), rows: current.rows });
  },
});
