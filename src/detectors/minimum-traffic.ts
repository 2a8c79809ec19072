import type { Verdict, WindowOutcome } from '../domain/verdict.js';

/**
 * What a window with fewer rows than the policy's minimum comes to: its primary verdicts decide nothing (`minimum_traffic`), so it neither
 * opens nor closes an episode. What was seen of them stays, and descriptive verdicts go on describing.
 */
export function belowMinimumTraffic(judged: {
  readonly verdicts: readonly Verdict[];
  readonly outcomes: readonly WindowOutcome[];
}): { verdicts: Verdict[]; outcomes: WindowOutcome[] } {
  return {
    verdicts: judged.verdicts.map((verdict) =>
      verdict.role !== 'primary' || verdict.status === 'undecided'
        ? verdict
        : {
            ...verdict,
            status: 'undecided',
            reason: 'minimum_traffic',
            material: false,
            pValue: null,
            adjustedPValue: null,
            threshold: null,
            smallestVisibleEffect: null,
          },
    ),
    outcomes: judged.outcomes.map((outcome) => ({ ...outcome, state: 'undecided', drivers: [] })),
  };
}
