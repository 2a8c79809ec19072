import type { Moments } from '../domain/performance.js';
import type { Figure } from '../domain/performance-figures.js';
import { normalHalfWidth } from '../stats/special.js';
import { studentQuantile } from '../stats/student.js';

const Z_95 = normalHalfWidth(0.95);

/** Share of hits among rows, with Wilson's interval (Wilson 1927, JASA 22:209); null without rows. */
export function share(hits: number, rows: number): Figure | null {
  if (rows === 0) return null;
  const value = hits / rows;
  const z2 = Z_95 * Z_95;
  const centre = (value + z2 / (2 * rows)) / (1 + z2 / rows);
  const half = (Z_95 / (1 + z2 / rows)) * Math.sqrt((value * (1 - value)) / rows + z2 / (4 * rows * rows));
  return { value, low: hits === 0 ? 0 : centre - half, high: hits === rows ? 1 : centre + half, rows };
}

/** The figure under a function that rises with it, ends and all. */
export function transformed(figure: Figure | null, rise: (value: number) => number): Figure | null {
  if (figure === null) return null;
  const { value, low, high, rows } = figure;
  return {
    value: rise(value),
    low: low === null ? null : rise(low),
    high: high === null ? null : rise(high),
    rows,
  };
}

/** A mean with Student's interval; without its ends for a single row, null for none. */
export function mean(moments: Moments | null | undefined): Figure | null {
  if (moments === null || moments === undefined) return null;
  const { rows, mean: value, m2 } = moments;
  if (rows < 2) return { value, low: null, high: null, rows };
  const half = studentQuantile(0.025, rows - 1) * Math.sqrt(m2 / (rows - 1) / rows);
  return { value, low: value - half, high: value + half, rows };
}

/** A figure with a standard error, within [0, 1]. */
export function normalShare(value: number, standardError: number | null, rows: number): Figure {
  if (standardError === null) return { value, low: null, high: null, rows };
  const half = Z_95 * standardError;
  return { value, low: Math.max(0, value - half), high: Math.min(1, value + half), rows };
}

/** Average precision with the logit interval of Boyd, Eng & Page (2013, ECML PKDD 451); without its ends at 0 and 1. */
export function logitShare(value: number, positives: number, rows: number): Figure {
  if (!(value > 0 && value < 1)) return { value, low: null, high: null, rows };
  const logit = Math.log(value / (1 - value));
  const half = Z_95 / Math.sqrt(positives * value * (1 - value));
  const back = (x: number) => 1 / (1 + Math.exp(-x));
  return { value, low: back(logit - half), high: back(logit + half), rows };
}
