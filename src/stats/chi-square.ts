import { total } from './cells.js';

export interface Contingency {
  readonly reference: readonly number[];
  readonly current: readonly number[];
}

/** Cells with fewer expected rows than this in the smaller sample are pooled (Cochran 1954, Biometrics 10:417). */
export const LEAST_EXPECTED = 5;

/**
 * Pearson's X² of a 2×k table without empty columns, no continuity correction; df = k − 1.
 * Equal to scipy's `chi2_contingency(table, correction=False)`.
 */
export function chiSquareStatistic(table: Contingency): { statistic: number; df: number } {
  const n = total(table.current);
  const m = total(table.reference);
  if (!(n > 0 && m > 0)) throw new RangeError(`sample sizes are ${n} and ${m}: both need a row`);
  let statistic = 0;
  table.reference.forEach((b, i) => {
    const a = table.current[i] ?? 0;
    // (a − E)²/E + (b − E')²/E' with one shared difference.
    if (a + b > 0) statistic += (a * m - b * n) ** 2 / (n * m * (a + b));
  });
  return { statistic, df: table.reference.length - 1 };
}

/**
 * Cramér's V of a 2×k table at equal sample sizes: √(½·Σ (p − q)²/(p + q)) over shares, in [0, 1].
 * Plain √(X²/N) shrinks as the reference grows beside the window, so it would measure sizes as much as drift.
 */
export function balancedCramersV(table: Contingency): number {
  const n = total(table.current);
  const m = total(table.reference);
  let sum = 0;
  table.reference.forEach((b, i) => {
    const p = (table.current[i] ?? 0) / n;
    const q = b / m;
    if (p + q > 0) sum += (p - q) ** 2 / (p + q);
  });
  return Math.sqrt(sum / 2);
}
