import type { ComparedEstimate } from '../domain/estimate.js';
import type { PerformancePeriod } from '../domain/performance-figures.js';
import type { Window } from '../domain/window.js';

/** One stretch of time: what labels have shown, and what they were expected to; one of the two may be missing. */
export interface PeriodPair {
  readonly window: Window;
  readonly realised: PerformancePeriod | null;
  readonly estimate: ComparedEstimate | null;
}

/**
 * Stretches in order, each with its estimate. Both are cut by the same calendar, but an estimate's stretch ends with the period that
 * was asked for: they belong together where they overlap.
 */
export function besideEachOther(
  periods: readonly PerformancePeriod[],
  estimates: readonly ComparedEstimate[],
): PeriodPair[] {
  const pairs: PeriodPair[] = [];
  let next = 0;
  for (const realised of periods) {
    for (
      let one = estimates[next];
      one !== undefined && one.window.endMs <= realised.window.startMs;
      one = estimates[++next]
    )
      pairs.push({ window: one.window, realised: null, estimate: one });
    const estimate = estimates[next];
    const same = estimate !== undefined && estimate.window.startMs < realised.window.endMs;
    pairs.push({ window: realised.window, realised, estimate: same ? estimate : null });
    if (same) next++;
  }
  for (const one of estimates.slice(next)) pairs.push({ window: one.window, realised: null, estimate: one });
  return pairs;
}
