import { z } from 'zod';
import { defineDetector } from './detector.js';
import { measureShares } from './share-measurement.js';

/** Share of a numeric column's rows that hold text. `missing` counts them too and alarms; this one says what they are. */
export const mistyped = defineDetector({
  name: 'mistyped',
  accepts: ['numeric'],
  category: 'dataQuality',
  role: 'descriptive',
  minimumEffect: 0.005,
  params: z.strictObject({}),
  measure: ({ reference, current }) =>
    measureShares(
      { hits: reference.mistyped, rows: reference.rows },
      { hits: current.mistyped, rows: current.rows },
    ),
});
