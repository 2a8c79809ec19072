import type { WindowOutcome } from '../domain/verdict.js';

/** How far a version's windows have spoken, by end, ms. */
export interface Spoken {
  /** The newest judged window. */
  readonly frontierMs: number;
  /** The newest window whose performance was decided. */
  readonly performanceMs: number;
}

/**
 * The outcomes of a judged window that speak for the present: those of the newest window. Performance is known once labels have come,
 * when its window is no longer the newest: there the newest decided one speaks, and one that waits says nothing.
 */
export function presentOutcomes(outcomes: readonly WindowOutcome[], spoken: Spoken): WindowOutcome[] {
  return outcomes.filter(({ category, state, window }) =>
    category === 'performance'
      ? state !== 'undecided' && window.endMs >= spoken.performanceMs
      : window.endMs >= spoken.frontierMs,
  );
}
