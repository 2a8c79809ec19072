import { total } from './cells.js';
import { chiSquareSf } from './special.js';

export interface Psi {
  /** Σ (p − q)·ln(p/q) over smoothed shares, ≥ 0. */
  readonly psi: number;
  /** Cells with a count on either side; degrees of freedom are one less. */
  readonly cells: number;
  /** k = 1/n + 1/m: under independent rows psi/k is about χ²(cells − 1). */
  readonly scale: number;
}

/**
 * Population stability index of two count vectors over the same cells, with shares smoothed as (count + ½)/(N + B/2)
 * so that an empty cell costs a finite amount. Cells empty on both sides carry no information and are left out:
 * smoothing alone would otherwise make a difference of them when the sample sizes differ.
 */
export function populationStability(reference: readonly number[], current: readonly number[]): Psi {
  if (reference.length !== current.length)
    throw new RangeError(`cell counts have lengths ${reference.length} and ${current.length}: use one grid`);
  const n = total(current);
  const m = total(reference);
  if (!(n > 0 && m > 0)) throw new RangeError(`sample sizes are ${n} and ${m}: both need a row`);
  const used = reference.map((count, i) => count + (current[i] ?? 0) > 0);
  const cells = used.filter(Boolean).length;
  let psi = 0;
  used.forEach((isUsed, i) => {
    if (!isUsed) return;
    const p = ((current[i] ?? 0) + 0.5) / (n + cells / 2);
    const q = ((reference[i] ?? 0) + 0.5) / (m + cells / 2);
    psi += (p - q) * Math.log(p / q);
  });
  return { psi, cells, scale: 1 / n + 1 / m };
}

/** Upper tail of psi under independent rows: k·χ²(cells − 1). */
export function psiPValue(psi: number, cells: number, scale: number): number {
  return cells < 2 ? 1 : chiSquareSf(psi / scale, cells - 1);
}
