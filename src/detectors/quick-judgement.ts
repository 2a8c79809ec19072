import type { Segment } from '../domain/segment.js';
import type { EpisodeCategory, Verdict, WindowOutcome } from '../domain/verdict.js';
import { decideFamily, waitingOf } from './judge-window.js';
import type { Candidate } from './measure-columns.js';

export interface QuickDriver {
  readonly feature: string;
  /** The rows that drifted; all of the window's when left out. */
  readonly segment?: Segment | undefined;
  readonly detector: string;
  readonly effect: number;
  readonly minimumEffect: number;
}

export interface QuickOutcome {
  readonly category: EpisodeCategory;
  readonly state: WindowOutcome['state'];
  /** Material primary tests, most affected first. */
  readonly drivers: readonly QuickDriver[];
}

/**
 * What a window means for each category at a level, from the p-values of its primary tests: the outcomes of `judgeWindow`, without
 * verdicts, thresholds and intervals. Many levels can be asked of one measurement.
 *
 * @param extra verdicts about whole rows, with their p-value
 */
export function quickOutcomes(
  candidates: readonly Candidate[],
  extra: readonly Verdict[],
  level: number,
): QuickOutcome[] {
  const decidedExtra = extra.filter((v) => v.status !== 'undecided' && v.pValue !== null);
  const { family, adjusted, isVisible } = decideFamily(
    candidates,
    [...decidedExtra.map((v) => v.pValue ?? 1), ...waitingOf(extra).map(() => 1)],
    level,
  );
  const outcomes = new Map<EpisodeCategory, { isDecided: boolean; drivers: QuickDriver[] }>();
  const of = (category: EpisodeCategory) => {
    let known = outcomes.get(category);
    if (known === undefined) {
      known = { isDecided: false, drivers: [] };
      outcomes.set(category, known);
    }
    return known;
  };
  for (const candidate of candidates) {
    const { measured } = candidate;
    const outcome = of(candidate.detector.category);
    if (typeof measured === 'string' || measured.vacuous === 'constant' || candidate.null === null) continue;
    if (measured.vacuous === 'no_events' || isVisible(candidate)) outcome.isDecided = true;
  }
  for (const [member, candidate] of family.entries()) {
    if ((adjusted[member] ?? 1) > level || typeof candidate.measured === 'string') continue;
    const { column, segment, detector, measured } = candidate;
    const effect = measured.effectWithInterval(candidate.null?.designEffect ?? 1).value;
    const { minimumEffect } = detector;
    if (Math.abs(effect) >= minimumEffect)
      of(detector.category).drivers.push({
        feature: column.name,
        segment,
        detector: detector.name,
        effect,
        minimumEffect,
      });
  }
  for (const verdict of extra.filter((other) => other.role === 'primary')) {
    const outcome = of(verdict.category);
    const member = decidedExtra.indexOf(verdict);
    if (member < 0) continue;
    outcome.isDecided = true;
    const { feature, segment, detector, minimumEffect } = verdict;
    const effect = verdict.effect?.value ?? 0;
    if ((adjusted[family.length + member] ?? 1) <= level && Math.abs(effect) >= minimumEffect)
      outcome.drivers.push({ feature, segment, detector, effect, minimumEffect });
  }
  const excess = (driver: QuickDriver) => Math.abs(driver.effect) / driver.minimumEffect;
  return [...outcomes].map(([category, { isDecided, drivers }]) => ({
    category,
    state: drivers.length > 0 ? 'drifted' : isDecided ? 'clean' : 'undecided',
    drivers: drivers.sort((a, b) => excess(b) - excess(a)),
  }));
}
