import { total } from './cells.js';
import { createScratch } from './scratch.js';
import { logGamma } from './special.js';

export interface CellSums {
  readonly counts: readonly number[];
  /** Σ(x − c) per cell in quanta. */
  readonly offsets: readonly number[];
}

/**
 * Wasserstein's distance ∫|F − G| dx of two samples on a numeric grid, in the column's unit times `1/unit`. The integral of F − G over
 * each gap between cut points is exact, from the cells' sums, so `distance` never exceeds the exact one; `resolution` bounds how far below
 * it lies: where one function crosses the other inside a gap. 0 when all distinct values are cut points.
 */
export function wassersteinDistance(
  cutPoints: readonly number[],
  quantum: number,
  first: CellSums,
  second: CellSums,
  unit = 1,
): { distance: number; resolution: number } {
  const [n, m] = [total(first.counts), total(second.counts)];
  const step = quantum / unit;
  let distance = 0;
  let most = 0;
  const tail = (cell: number) => {
    const x = Math.abs((first.offsets[cell] ?? 0) / n) * step;
    const y = Math.abs((second.offsets[cell] ?? 0) / m) * step;
    distance += Math.abs(x - y);
    most += x > 0 && y > 0 ? x + y : Math.max(x, y);
  };
  tail(0);
  const last = cutPoints.length - 1;
  const widths = widthsOf(cutPoints, unit);
  let below = first.counts[0] as number;
  let otherBelow = second.counts[0] as number;
  for (let i = 0; i < last; i++) {
    const width = widths[i] as number;
    const inside = 2 * i + 2;
    below += first.counts[inside - 1] as number;
    otherBelow += second.counts[inside - 1] as number;
    const fLow = below / n;
    const gLow = otherBelow / m;
    below += first.counts[inside] as number;
    otherBelow += second.counts[inside] as number;
    const fHigh = below / n;
    const gHigh = otherBelow / m;
    const offset = (first.offsets[inside] ?? 0) / n - (second.offsets[inside] ?? 0) / m;
    const area = (fHigh - gHigh) * width - offset * step;
    distance += Math.abs(area);
    const crosses = fLow < gHigh && gLow < fHigh;
    most += crosses ? Math.max(Math.abs(area), width * Math.max(fHigh - gLow, gHigh - fLow)) : Math.abs(area);
  }
  tail(2 * last + 2);
  return { distance, resolution: Math.max(0, most - distance) };
}

const knownWidths = new WeakMap<
  readonly number[],
  { readonly unit: number; readonly widths: Float64Array }
>();

/** Of the gaps between cut points, which do not change and are asked for with every window. */
function widthsOf(cutPoints: readonly number[], unit: number): Float64Array {
  const known = knownWidths.get(cutPoints);
  if (known?.unit === unit) return known.widths;
  const widths = new Float64Array(Math.max(0, cutPoints.length - 1));
  for (let i = 0; i < widths.length; i++)
    widths[i] = (cutPoints[i + 1] as number) / unit - (cutPoints[i] as number) / unit;
  knownWidths.set(cutPoints, { unit, widths });
  return widths;
}

/** Groups of gaps in the null's covariance: their number squared is the work. */
const GROUPS = 32;
const groupWidths = createScratch();
const groupLevels = createScratch();

export interface WassersteinNull {
  readonly mean: number;
  readonly variance: number;
}

/**
 * Mean and variance of the distance under independent rows: F − G at the cut points is then a Brownian bridge over the pooled shares,
 * and means and covariances of its absolute values are known (two normals with correlation ρ: (2/π)(√(1 − ρ²) + ρ·asin ρ − 1)).
 */
export function wassersteinNull(
  cutPoints: readonly number[],
  pooled: ArrayLike<number>,
  information: number,
  unit = 1,
): WassersteinNull {
  const rows = total(pooled);
  const gaps = widthsOf(cutPoints, unit);
  const widths = groupWidths(GROUPS).fill(0);
  const levels = groupLevels(GROUPS).fill(0);
  let below = pooled[0] as number;
  for (let i = 0; i < cutPoints.length - 1; i++) {
    below += pooled[2 * i + 1] as number;
    const inside = pooled[2 * i + 2] as number;
    const width = gaps[i] as number;
    const level = (below + inside / 2) / rows;
    const group = Math.min(GROUPS - 1, Math.floor(level * GROUPS));
    widths[group] = (widths[group] as number) + width;
    levels[group] = (levels[group] as number) + width * level;
    below += inside;
  }
  const used = [...widths.keys()].filter((group) => (widths[group] as number) > 0);
  const weights = used.map((group) => {
    const level = Math.min(1 - 1e-12, Math.max(1e-12, (levels[group] as number) / (widths[group] as number)));
    return { level, weight: (widths[group] as number) * Math.sqrt((level * (1 - level)) / information) };
  });
  let mean = 0;
  let variance = 0;
  for (const [i, a] of weights.entries()) {
    mean += a.weight * Math.sqrt(2 / Math.PI);
    for (const [j, b] of weights.entries()) {
      if (j > i) break;
      const rho = Math.min(1, Math.sqrt((b.level * (1 - a.level)) / (a.level * (1 - b.level))));
      const covariance = (2 / Math.PI) * (Math.sqrt(1 - rho * rho) + rho * Math.asin(rho) - 1);
      variance += (i === j ? 1 : 2) * a.weight * b.weight * covariance;
    }
  }
  return { mean, variance };
}

/** The f for which χ(f), the root of χ²(f), has this squared coefficient of variation, and its mean. */
export function chiOfVariation(squared: number): { df: number; mean: number } {
  const meanOf = (df: number) => Math.SQRT2 * Math.exp(logGamma((df + 1) / 2) - logGamma(df / 2));
  let low = 0.05;
  let high = 1e6;
  for (let step = 0; step < 60; step++) {
    const middle = Math.sqrt(low * high);
    if (middle / meanOf(middle) ** 2 - 1 > squared) low = middle;
    else high = middle;
  }
  return { df: high, mean: meanOf(high) };
}
