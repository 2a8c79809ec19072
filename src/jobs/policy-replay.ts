import type { QuickOutcome } from '../detectors/quick-judgement.js';
import type { BacktestEpisode, TriedPolicy } from '../domain/backtest.js';
import { closeWindowsOf, type Episode, type Policy } from '../domain/episode.js';
import type { VersionKey } from '../domain/ports.js';
import { segmentName } from '../domain/segment.js';
import type { EpisodeCategory, Verdict, WindowOutcome } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';

/** The alert room's rule, as the service follows it. */
export type DecideEpisode = (input: {
  readonly outcomes: readonly WindowOutcome[];
  readonly latest: Episode | null;
  readonly policy: Policy & { readonly stepMs: number };
  readonly nowMs: number;
}) => { readonly episode: Episode; readonly change: 'opened' | 'closed' | 'updated' } | null;

const MAX_EPISODES = 1_000;

/** The outcomes of a window with so many rows: below the policy's minimum it decides nothing. */
export function outcomesOfRows(
  outcomes: readonly QuickOutcome[],
  rows: number,
  { minimumRows = 0 }: Policy,
): readonly QuickOutcome[] {
  if (rows >= minimumRows) return outcomes;
  return outcomes.map(({ category }) => ({ category, state: 'undecided', drivers: [] }));
}

/** What the rule looks at in a driver; nothing else of a verdict is known here. */
function driverOf(
  key: VersionKey,
  window: Window,
  category: EpisodeCategory,
  driver: QuickOutcome['drivers'][number],
): Verdict {
  return {
    ...key,
    feature: driver.feature,
    detector: driver.detector,
    category,
    role: 'primary',
    window,
    status: 'drifted',
    reason: null,
    material: true,
    statistic: null,
    effect: { value: driver.effect, low: driver.effect, high: driver.effect },
    pValue: null,
    adjustedPValue: null,
    threshold: null,
    minimumEffect: driver.minimumEffect,
    referenceRows: 0,
    currentRows: 0,
    effectiveReferenceRows: 0,
    effectiveCurrentRows: 0,
    null: 'iid',
    designEffect: 1,
    resolution: null,
    smallestVisibleEffect: null,
    referenceHash: '',
    parameters: {},
    seed: null,
  };
}

/** For people: `temp`, or `temp (carrier = AA)`. */
function nameOf({ feature, segment }: QuickOutcome['drivers'][number]): string {
  return segment === undefined ? feature : `${feature} (${segmentName(segment)})`;
}

/** Follows one policy through windows in order, category by category, and remembers what it opens. Nothing is stored. */
export function createPolicyReplay(
  key: VersionKey,
  policy: TriedPolicy['policy'],
  stepMs: number,
  decide: DecideEpisode,
) {
  interface Track {
    recent: WindowOutcome[];
    latest: Episode | null;
    features: readonly string[];
  }
  const tracks = new Map<EpisodeCategory, Track>();
  const finished: BacktestEpisode[] = [];
  const drifted: Partial<Record<EpisodeCategory, number>> = {};
  let opened = 0;
  const needed = Math.max(policy.openWindows, closeWindowsOf(policy));

  const shown = (
    { category, severity, firstWindow, openedBy, closedBy }: Episode,
    features: readonly string[],
  ) => ({
    category,
    severity,
    firstWindow,
    openedBy,
    closedBy,
    features,
  });

  return {
    /** Judges one window; says whether it opened an episode. */
    next(window: Window, outcomes: readonly QuickOutcome[]): boolean {
      const { model, modelVersion } = key;
      let isOpening = false;
      for (const { category, state, drivers } of outcomes) {
        const track = tracks.get(category) ?? { recent: [], latest: null, features: [] };
        tracks.set(category, track);
        if (state === 'drifted') drifted[category] = (drifted[category] ?? 0) + 1;
        const outcome: WindowOutcome = {
          model,
          modelVersion,
          category,
          window,
          state,
          drivers: drivers.map((driver) => driverOf({ model, modelVersion }, window, category, driver)),
        };
        track.recent = [...track.recent, outcome].slice(-needed);
        const decision = decide({
          outcomes: track.recent,
          latest: track.latest,
          policy: { ...policy, stepMs },
          nowMs: window.endMs,
        });
        if (decision === null) continue;
        track.latest = decision.episode;
        if (decision.change === 'opened') {
          opened += 1;
          isOpening = true;
          track.features = [...new Set(drivers.map(nameOf))].slice(0, 5);
        }
        if (decision.change === 'closed' && finished.length < MAX_EPISODES)
          finished.push(shown(decision.episode, track.features));
      }
      return isOpening;
    },

    result(): { opened: number; episodes: BacktestEpisode[]; driftedWindows: typeof drifted } {
      const open = [...tracks.values()].flatMap(({ latest, features }) =>
        latest?.state === 'open' ? [shown(latest, features)] : [],
      );
      const episodes = [...finished, ...open].sort((a, b) => a.openedBy.endMs - b.openedBy.endMs);
      return { opened, episodes: episodes.slice(0, MAX_EPISODES), driftedWindows: drifted };
    },
  };
}

export type PolicyReplay = ReturnType<typeof createPolicyReplay>;
