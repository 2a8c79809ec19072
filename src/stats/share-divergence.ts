import { total } from './cells.js';
import { chiSquareSf } from './special.js';

/**
 * A divergence of two share vectors that adds up over cells. Under independent rows its value is about
 * c·(1/n + 1/m)·χ²(cells − 1), c the `nullFactor`: each is a second-order twin of Pearson's X².
 */
export interface Divergence {
  /** One cell's part, for shares p (window) and q (reference), both above 0. */
  readonly cellOf: (p: number, q: number) => number;
  readonly nullFactor: number;
}

/** (p − q)·ln(p/q). */
export const POPULATION_STABILITY: Divergence = {
  cellOf: (p, q) => (p - q) * Math.log(p / q),
  nullFactor: 1,
};

/**
 * Jensen–Shannon divergence in nats, at most ln 2 (Lin 1991, IEEE Trans. Inf. Theory 37:145): ½·(p·ln(2p/(p + q)) +
 * q·ln(2q/(p + q))), written in d = (p − q)/(p + q), so that equal shares give 0 and not a rounding error whose root shows.
 */
export const JENSEN_SHANNON: Divergence = {
  cellOf: (p, q) => {
    const d = (p - q) / (p + q);
    return ((p + q) / 4) * ((1 + d) * Math.log1p(d) + (1 - d) * Math.log1p(-d));
  },
  nullFactor: 1 / 8,
};

/** Squared Hellinger distance ½·Σ(√p − √q)², at most 1; this form keeps the digits that 1 − Σ√(pq) loses. */
export const HELLINGER_SQUARED: Divergence = {
  cellOf: (p, q) => (Math.sqrt(p) - Math.sqrt(q)) ** 2 / 2,
  nullFactor: 1 / 8,
};

export interface CellDivergence {
  /** ≥ 0. */
  readonly value: number;
  /** Cells with a count on either side; degrees of freedom are one less. */
  readonly cells: number;
  /** k = 1/n + 1/m. */
  readonly scale: number;
}

/**
 * Divergence of two count vectors over the same cells, with shares smoothed as (count + ½)/(N + B/2) so that an empty
 * cell costs a finite amount. Cells empty on both sides carry no information and are left out: smoothing alone would
 * otherwise make a difference of them when the sample sizes differ.
 */
export function smoothedDivergence(
  divergence: Divergence,
  reference: readonly number[],
  current: readonly number[],
): CellDivergence {
  if (reference.length !== current.length)
    throw new RangeError(`cell counts have lengths ${reference.length} and ${current.length}: use one grid`);
  const n = total(current);
  const m = total(reference);
  if (!(n > 0 && m > 0)) throw new RangeError(`sample sizes are ${n} and ${m}: both need a row`);
  let cells = 0;
  for (let i = 0; i < reference.length; i++)
    if ((reference[i] as number) + (current[i] as number) > 0) cells++;
  let value = 0;
  for (let i = 0; i < reference.length; i++) {
    const a = current[i] as number;
    const b = reference[i] as number;
    if (a + b > 0) value += divergence.cellOf((a + 0.5) / (n + cells / 2), (b + 0.5) / (m + cells / 2));
  }
  // Rounding may leave a hair below 0 where both sides are alike.
  return { value: Math.max(0, value), cells, scale: 1 / n + 1 / m };
}

/** Upper tail of a divergence under independent rows in well-filled cells. */
export function divergencePValue(
  divergence: Divergence,
  value: number,
  cells: number,
  scale: number,
): number {
  return cells < 2 ? 1 : chiSquareSf(value / (divergence.nullFactor * scale), cells - 1);
}
