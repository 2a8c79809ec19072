import type { Effect } from '../domain/verdict.js';
import type { ScoreDifference } from '../stats/score-difference.js';
import type { Measurement } from './detector.js';

/** What detectors that compare the means of two samples of scores have in common; `effect` is theirs. */
export function measureScores(input: {
  readonly difference: ScoreDifference;
  readonly currentRows: number;
  readonly referenceRows: number;
  readonly effectOf: (statistic: number) => number;
  /** The effect and its standard error under independent rows. */
  readonly effect: { readonly value: number; readonly error: number };
  readonly parameters: Measurement['parameters'];
}): Measurement {
  const { difference, currentRows, referenceRows, effect } = input;
  return {
    statistic: difference.z,
    referenceRows,
    currentRows,
    degreesOfFreedom: 1,
    // R² is at most 1, which rounding may pass.
    largest: Math.max(difference.z, Math.sqrt(currentRows + referenceRows - 1)),
    resolution: null,
    vacuous: difference.pooledVariance > 0 ? null : 'constant',
    opposite: null,
    ratioOf: (z) => z * z,
    iidPValueOf: difference.pValueOf,
    effectOf: input.effectOf,
    effectWithInterval: (designEffect): Effect => {
      const half = 1.959963984540054 * effect.error * Math.sqrt(designEffect);
      return { value: effect.value, low: effect.value - half, high: effect.value + half };
    },
    parameters: input.parameters,
  };
}
