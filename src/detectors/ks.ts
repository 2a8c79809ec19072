import { z } from 'zod';
import { KS_EXACT_LATTICE, ksPValue } from '../stats/ks-two-sample.js';
import { shiftOfDistance } from '../stats/shift-distance.js';
import { defineDetector, informationOf, onlyCell } from './detector.js';
import { distanceEffect } from './distance-effect.js';
import { distanceBetween, totalOf } from './profile-facts.js';

/** E[λ²] of Kolmogorov's distribution. */
const MEAN_LAMBDA_SQUARED = Math.PI ** 2 / 12;
/** λ² of Kolmogorov's distribution spreads like a χ² with this many degrees of freedom, over its mean. */
const KOLMOGOROV_SHAPE = 4;

/** Two-sample Kolmogorov–Smirnov on the finite values of a numeric column. */
export const ks = defineDetector({
  name: 'ks',
  accepts: ['numeric'],
  category: 'drift',
  role: 'descriptive',
  minimumEffect: 0.1,
  params: z.strictObject({ exactLattice: z.int().min(0).default(KS_EXACT_LATTICE) }),
  measure: ({ reference, current }, { exactLattice }) => {
    const currentRows = totalOf(current);
    const referenceRows = totalOf(reference);
    if (referenceRows === 0) return 'no_reference';
    if (currentRows === 0) return 'no_data';
    if (currentRows < 2 || referenceRows < 2) return 'too_few_rows';
    const { distance, resolution } = distanceBetween(current, reference);
    const information = informationOf({ referenceRows, currentRows });
    const only = onlyCell(reference.counts);
    // Only odd cells hold a single value; all mass strictly between two cut points may still differ.
    const constant = only % 2 === 1 && only === onlyCell(current.counts);
    return {
      statistic: distance,
      referenceRows,
      currentRows,
      degreesOfFreedom: KOLMOGOROV_SHAPE,
      largest: 1,
      resolution,
      vacuous: constant ? 'constant' : null,
      opposite: null,
      // D saturates at 1 while the shift goes on; Φ⁻¹((1 + D)/2) is linear in the shift of a bell-shaped column.
      // With so many pieces D cannot be read closer to 1 than half a piece.
      ratioOf: (statistic, pieces) => {
        const shift = shiftOfDistance(Math.min(statistic, 1 - 1 / (2 * pieces)));
        return (shift * shift * information) / MEAN_LAMBDA_SQUARED;
      },
      iidPValueOf: pValues(currentRows, referenceRows, exactLattice),
      effectOf: (statistic) => statistic,
      effectWithInterval: (designEffect) =>
        distanceEffect({ distance, resolution, currentRows, referenceRows, designEffect }),
      parameters: { exactPValue: currentRows * referenceRows <= exactLattice },
    };
  },
});

/** P-values of D. Exact ones depend on D only through its step on the lattice, and inversion asks for the same again. */
function pValues(n: number, m: number, exactLattice: number): (distance: number) => number {
  if (n * m > exactLattice) return (distance) => ksPValue(distance, n, m, exactLattice);
  const known = new Map<number, number>();
  return (distance) => {
    const step = Math.ceil(distance * n * m - 1e-6);
    const value = known.get(step) ?? ksPValue(distance, n, m, exactLattice);
    known.set(step, value);
    return value;
  };
}
