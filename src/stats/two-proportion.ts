import { hypergeometricLogProbability } from './hypergeometric.js';
import { chiSquareSf } from './special.js';

/** `hits` of `rows`; rows ≥ 1, 0 ≤ hits ≤ rows. */
export interface Share {
  readonly hits: number;
  readonly rows: number;
}

/** Below this expected count in the rarest of the four cells the p-value is Fisher's, above it χ²(1) of z². */
const LEAST_EXPECTED = 5;

/** Pooled two-sample z²; 0 when neither or every row is a hit. */
export function proportionZSquared(current: Share, reference: Share): number {
  const pooled = (current.hits + reference.hits) / (current.rows + reference.rows);
  if (pooled <= 0 || pooled >= 1) return 0;
  const difference = current.hits / current.rows - reference.hits / reference.rows;
  const information = (current.rows * reference.rows) / (current.rows + reference.rows);
  return (difference * difference * information) / (pooled * (1 - pooled));
}

/** Two-sided p-value that both shares are equal under independent rows. Right for tiny shares too. */
export function proportionPValue(current: Share, reference: Share): number {
  return needsExactTest(current, reference)
    ? fisherPValue(current, reference)
    : chiSquareSf(proportionZSquared(current, reference), 1);
}

/** `proportionPValue` for many windows of one size. Exact ones depend on whole hits only, and inversion asks for the same again. */
export function createProportionTail(rows: number, reference: Share): (hits: number) => number {
  const exact = new Map<number, number>();
  return (hits) => {
    const current = { hits, rows };
    if (!needsExactTest(current, reference)) return proportionPValue(current, reference);
    const whole = Math.round(hits);
    const known = exact.get(whole) ?? fisherPValue(current, reference);
    exact.set(whole, known);
    return known;
  };
}

function needsExactTest(current: Share, reference: Share): boolean {
  const hits = current.hits + reference.hits;
  const rows = current.rows + reference.rows;
  return (Math.min(hits, rows - hits) * Math.min(current.rows, reference.rows)) / rows < LEAST_EXPECTED;
}

/**
 * Fisher's exact two-sided p-value: the sum over tables with the same margins that are at most as likely as the
 * observed one (scipy's `fisher_exact`). `hits` are rounded to whole rows. Walks outwards from both ends inward and
 * stops at the first table that is more likely, so the work is the smaller margin at most.
 */
export function fisherPValue(current: Share, reference: Share): number {
  const rows = current.rows + reference.rows;
  const hits = Math.round(current.hits) + Math.round(reference.hits);
  const observed = Math.round(current.hits);
  const least = Math.max(0, hits - reference.rows);
  const most = Math.min(hits, current.rows);
  const probability = (x: number): number =>
    Math.exp(hypergeometricLogProbability(x, rows, current.rows, hits));
  // scipy's tolerance: tables that are equally likely but for rounding count as such.
  const limit = probability(observed) * (1 + 1e-7);
  let sum = 0;
  let low = least;
  for (; low <= most; low++) {
    const p = probability(low);
    if (p > limit) break;
    sum += p;
  }
  for (let high = most; high > low; high--) {
    const p = probability(high);
    if (p > limit) break;
    sum += p;
  }
  return Math.min(1, sum);
}

/**
 * 95 % interval of current − reference share by Newcombe's hybrid of Wilson intervals (1998, Stat. Med. 17:873, method
 * 10), at sample sizes divided by `designEffect`.
 */
export function shareDifferenceInterval(
  current: Share,
  reference: Share,
  designEffect: number,
): { value: number; low: number; high: number } {
  const a = wilson(current, designEffect);
  const b = wilson(reference, designEffect);
  const value = a.share - b.share;
  return {
    value,
    low: value - Math.hypot(a.share - a.low, b.high - b.share),
    high: value + Math.hypot(a.high - a.share, b.share - b.low),
  };
}

function wilson(share: Share, designEffect: number): { share: number; low: number; high: number } {
  const z = 1.959963984540054;
  const n = share.rows / designEffect;
  const p = share.hits / share.rows;
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return { share: p, low: Math.min(p, centre - half), high: Math.max(p, centre + half) };
}
