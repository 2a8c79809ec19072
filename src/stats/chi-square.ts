import { total } from './cells.js';

export interface Contingency {
  readonly reference: readonly number[];
  readonly current: readonly number[];
}

/** Cells with fewer expected rows than this in the smaller sample are pooled (Cochran 1954, Biometrics 10:417). */
export const LEAST_EXPECTED = 5;

/**
 * The table with its last `pooled` cells, which hold many values, and all cells that are rare by the POOLED count of both samples as
 * one cell at the end. A value that one sample lacks by chance then stands beside those that it has by chance.
 */
export function lumpRareCells(table: Contingency, pooled: number): Contingency {
  const n = total(table.current);
  const m = total(table.reference);
  const smallerShare = Math.min(n, m) / (n + m);
  const last = table.reference.length - pooled;
  const isKept = table.reference.map(
    (count, i) => i < last && (count + (table.current[i] ?? 0)) * smallerShare >= LEAST_EXPECTED,
  );
  const lump = (counts: readonly number[]) => [
    ...counts.filter((_, i) => isKept[i]),
    counts.reduce((sum, count, i) => (isKept[i] ? sum : sum + count), 0),
  ];
  return { reference: lump(table.reference), current: lump(table.current) };
}

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
    const difference = a * m - b * n;
    if (a + b > 0) statistic += (difference * difference) / (n * m * (a + b));
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
