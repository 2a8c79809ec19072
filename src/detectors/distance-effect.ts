import type { Effect } from '../domain/verdict.js';
import { distanceOfShift, shiftOfDistance } from '../stats/shift-distance.js';

/** Upper 5 % point of Kolmogorov's distribution. */
const LAMBDA_95 = 1.3580986393225505;

/**
 * D with a 95 % interval. The band is laid on the scale of the shift, where one of constant width stays inside [0, 1] and still says
 * something near D = 1; `resolution` is how far the exact D may lie above.
 */
export function distanceEffect(input: {
  readonly distance: number;
  readonly resolution: number;
  readonly currentRows: number;
  readonly referenceRows: number;
  readonly designEffect: number;
}): Effect {
  const { distance, resolution, currentRows, referenceRows, designEffect } = input;
  const half = LAMBDA_95 * Math.sqrt(designEffect * (1 / currentRows + 1 / referenceRows));
  const readable = 1 - 1 / (2 * Math.min(currentRows, referenceRows));
  const low = shiftOfDistance(Math.min(distance, readable)) - half;
  const high = shiftOfDistance(Math.min(distance + resolution, readable)) + half;
  return {
    value: distance,
    low: Math.min(distance, Math.max(0, distanceOfShift(low))),
    high: Math.max(distance, distanceOfShift(high)),
  };
}
