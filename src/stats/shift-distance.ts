import { normalHalfWidth, normalSf } from './special.js';

/** d/dD Φ⁻¹((1 + D)/2) at 0. */
const SLOPE = Math.sqrt(Math.PI / 2);

/** The shift of a bell-shaped column that goes with D, in units in which small shifts equal D; ∞ at D = 1. */
export function shiftOfDistance(distance: number): number {
  return normalHalfWidth(distance) / SLOPE;
}

/** D of a bell-shaped column that moved by a shift in those units. */
export function distanceOfShift(shift: number): number {
  return 1 - 2 * normalSf(shift * SLOPE);
}

/** Points of the integral over the standard normal, from −RANGE to RANGE. */
const POINTS = 400;
const RANGE = 8;
/** Entries of a table, and the shift of the last one: D there is 1 − 2e-9. */
const ENTRIES = 600;
const LAST_SHIFT = 4.8;

const tables = new Map<number, Float64Array>();

/**
 * The shift, in the units above, at which a bell-shaped column far larger in its reference than in its window shows the squared
 * length `length` of its mean Legendre scores of degree 1 … `degree`. Grows with it, and stops at a shift of 4.8, where D is 1 but for 2e-9.
 */
export function shiftOfScores(length: number, degree: number): number {
  const table = tableOf(degree);
  let low = 0;
  let high = ENTRIES;
  if (length >= (table[high] as number)) return LAST_SHIFT;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((table[middle] as number) <= length) low = middle;
    else high = middle;
  }
  const below = table[low] as number;
  const above = table[high] as number;
  // Between two entries the length goes with the square of the shift.
  const a = (low * LAST_SHIFT) / ENTRIES;
  const b = (high * LAST_SHIFT) / ENTRIES;
  return Math.sqrt(a * a + ((length - below) / (above - below)) * (b * b - a * a));
}

/** The squared length of the mean scores over the square of the shift, where both are small. */
export function scoresPerShift(degree: number): number {
  return ((tableOf(degree)[1] as number) * ENTRIES ** 2) / LAST_SHIFT ** 2;
}

/** Squared length of the mean scores by shift. */
function tableOf(degree: number): Float64Array {
  const known = tables.get(degree);
  if (known !== undefined) return known;
  const table = new Float64Array(ENTRIES + 1);
  const step = (2 * RANGE) / POINTS;
  for (let entry = 1; entry <= ENTRIES; entry++) {
    const shift = (entry * LAST_SHIFT * SLOPE * 2) / ENTRIES;
    const means = new Float64Array(degree + 1);
    for (let i = 0; i <= POINTS; i++) {
      const x = -RANGE + i * step;
      const weight = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * step;
      const rank = 1 - 2 * normalSf(x + shift);
      let before = 1;
      let legendre = rank;
      for (let j = 1; j <= degree; j++) {
        means[j] = (means[j] as number) + weight * legendre;
        const next = ((2 * j + 1) * rank * legendre - j * before) / (j + 1);
        before = legendre;
        legendre = next;
      }
    }
    // Beyond a certain shift the sum no longer grows by more than rounding: it must never fall.
    const length = means.reduce((sum, mean, j) => sum + (2 * j + 1) * mean * mean, 0);
    table[entry] = Math.max(table[entry - 1] as number, length);
  }
  tables.set(degree, table);
  return table;
}
