import type { UndecidedReason } from '../domain/verdict.js';
import {
  createProportionTail,
  proportionPValue,
  proportionZSquared,
  type Share,
  shareDifferenceInterval,
} from '../stats/two-proportion.js';
import type { Glance, Measurement, Scale } from './detector.js';

/** Two-sided comparison of a share: statistic |difference|, effect the signed difference current − reference. */
export function measureShares(reference: Share, current: Share): Measurement | UndecidedReason {
  if (reference.rows === 0) return 'no_reference';
  if (current.rows === 0) return 'no_data';
  const difference = current.hits / current.rows - reference.hits / reference.rows;
  const hits = reference.hits + current.hits;
  const rises = scaleOf(reference, current.rows, 1);
  const falls = scaleOf(reference, current.rows, -1);
  return {
    ...(difference < 0 ? falls : rises),
    opposite: difference < 0 ? rises : falls,
    statistic: Math.abs(difference),
    referenceRows: reference.rows,
    currentRows: current.rows,
    degreesOfFreedom: 1,
    resolution: null,
    vacuous: hits === 0 || hits === reference.rows + current.rows ? 'no_events' : null,
    effectOf: (statistic) => statistic,
    effectWithInterval: (designEffect) => shareDifferenceInterval(current, reference, designEffect),
    parameters: {
      referenceShare: reference.hits / reference.rows,
      currentShare: current.hits / current.rows,
    },
  };
}

/** Windows of `rows` rows whose share lies above (sign 1) or below (−1) the reference's. */
function scaleOf(reference: Share, rows: number, sign: 1 | -1): Scale {
  const share = reference.hits / reference.rows;
  const hitsAt = (statistic: number) => Math.min(1, Math.max(0, share + sign * statistic)) * rows;
  const tailOf = createProportionTail(rows, reference);
  return {
    largest: sign === 1 ? 1 - share : share,
    ratioOf: (statistic) => proportionZSquared({ hits: hitsAt(statistic), rows }, reference),
    iidPValueOf: (statistic) => (statistic === 0 ? 1 : tailOf(hitsAt(statistic))),
  };
}

/** The comparison alone, without what verdicts tell of it. */
export function glanceAtShares(reference: Share, current: Share): Glance | 'no_events' | null {
  if (reference.rows === 0 || current.rows === 0) return null;
  const hits = reference.hits + current.hits;
  if (hits === 0 || hits === reference.rows + current.rows) return 'no_events';
  return {
    statistic: Math.abs(current.hits / current.rows - reference.hits / reference.rows),
    referenceRows: reference.rows,
    currentRows: current.rows,
    ratioOf: () => proportionZSquared(current, reference),
    iidPValueOf: () => proportionPValue(current, reference),
  };
}
