import type { UndecidedReason } from '../domain/verdict.js';
import {
  proportionPValue,
  proportionZSquared,
  type Share,
  shareDifferenceInterval,
} from '../stats/two-proportion.js';
import type { Measurement } from './detector.js';

/** Two-sided comparison of a share: statistic |difference|, effect the signed difference current − reference. */
export function measureShares(reference: Share, current: Share): Measurement | UndecidedReason {
  if (reference.rows === 0) return 'no_reference';
  if (current.rows === 0) return 'no_data';
  const referenceShare = reference.hits / reference.rows;
  const difference = current.hits / current.rows - referenceShare;
  const rises = difference > 0 || (difference === 0 && referenceShare < 1);
  const largest = rises ? 1 - referenceShare : referenceShare;
  const hits = reference.hits + current.hits;
  // The other windows of equal size, in the direction seen.
  const currentAt = (statistic: number): Share => {
    const share = rises ? referenceShare + statistic : referenceShare - statistic;
    return { hits: Math.min(1, Math.max(0, share)) * current.rows, rows: current.rows };
  };
  return {
    statistic: Math.abs(difference),
    referenceRows: reference.rows,
    currentRows: current.rows,
    degreesOfFreedom: 1,
    largest,
    resolution: null,
    vacuous: hits === 0 || hits === reference.rows + current.rows ? 'no_events' : null,
    ratioOf: (statistic) => proportionZSquared(currentAt(statistic), reference),
    iidPValueOf: (statistic) => (statistic === 0 ? 1 : proportionPValue(currentAt(statistic), reference)),
    effectOf: (statistic) => statistic,
    effectWithInterval: (designEffect) => shareDifferenceInterval(current, reference, designEffect),
    parameters: { referenceShare, currentShare: current.hits / current.rows },
  };
}
