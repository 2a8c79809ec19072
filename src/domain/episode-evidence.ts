import type { Segment } from './segment.js';
import { segmentId } from './segment.js';
import type { Verdict, WindowOutcome } from './verdict.js';
import type { Window } from './window.js';

/** What one test had to do with an episode, over all its windows. */
export interface EpisodeEvidence {
  readonly feature: string;
  /** The rows that moved; all when left out. */
  readonly segment?: Segment;
  readonly detector: string;
  /** Windows in which it drifted materially, the first and the last of them. */
  readonly windows: number;
  readonly first: Window;
  readonly last: Window;
  /** The largest effect, its window, and the effect from which it counts. */
  readonly peak: { readonly effect: number; readonly statistic: number | null; readonly window: Window };
  readonly minimumEffect: number;
  /** Effects over the minimum, summed over the windows: what it is ranked by. */
  readonly weight: number;
}

const MAX_EVIDENCE = 50;

const excessOf = ({ effect, minimumEffect }: Verdict) =>
  minimumEffect > 0 ? Math.abs(effect?.value ?? 0) / minimumEffect : 0;

/** The tests that drifted in an episode's windows, first what drifted most and longest; at most fifty. */
export function rankEvidence(outcomes: readonly WindowOutcome[]): EpisodeEvidence[] {
  const byTest = new Map<string, { readonly verdict: Verdict; readonly excess: number }[]>();
  for (const { state, drivers } of outcomes)
    for (const verdict of state === 'drifted' ? drivers : []) {
      const { feature, segment, detector } = verdict;
      const name = JSON.stringify([feature, segment === undefined ? '' : segmentId(segment), detector]);
      byTest.set(name, [...(byTest.get(name) ?? []), { verdict, excess: excessOf(verdict) }]);
    }
  const evidence = [...byTest.values()].flatMap((seen): EpisodeEvidence[] => {
    const [first, last] = [seen[0]?.verdict, seen.at(-1)?.verdict];
    const [peak] = seen.toSorted((a, b) => b.excess - a.excess);
    if (first === undefined || last === undefined || peak === undefined) return [];
    const { feature, segment, detector, minimumEffect } = first;
    return [
      {
        feature,
        ...(segment === undefined ? {} : { segment }),
        detector,
        windows: seen.length,
        first: first.window,
        last: last.window,
        peak: {
          effect: peak.verdict.effect?.value ?? 0,
          statistic: peak.verdict.statistic,
          window: peak.verdict.window,
        },
        minimumEffect,
        weight: seen.reduce((sum, { excess }) => sum + excess, 0),
      },
    ];
  });
  return evidence.sort((a, b) => b.weight - a.weight).slice(0, MAX_EVIDENCE);
}
