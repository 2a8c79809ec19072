import { randomUUID } from 'node:crypto';
import type { Clock } from '../domain/clock.js';
import type { Episode, PendingEpisode, PerformanceMove } from '../domain/episode.js';
import {
  type ActionKind,
  type ActionScope,
  activeSnoozes,
  type EpisodeAction,
  type EpisodeActionStore,
  standingOf,
} from '../domain/episode-action.js';
import type { Asked, EpisodeDesk, EpisodeDetail, ShownEpisode } from '../domain/episode-desk.js';
import { rankEvidence } from '../domain/episode-evidence.js';
import { type EpisodeStatus, episodeHistory, episodeStatus } from '../domain/episode-history.js';
import { byUrgency, episodeSentence, performanceSentence } from '../domain/episode-words.js';
import { type MaintenanceWindow, maintenanceAt } from '../domain/maintenance.js';
import type { Store, VersionKey } from '../domain/ports.js';
import { EPISODE_CATEGORIES, type EpisodeCategory, type WindowOutcome } from '../domain/verdict.js';
import { DAY_MS, END_OF_TIME_MS } from '../domain/window.js';
import { AppError } from '../errors.js';

const MAX_EPISODES = 10_000;
/** Windows whose evidence is looked at, the newest. */
const MAX_WINDOWS = 500;
/** For ever is no snooze: who wants that changes the policy. */
const MAX_SNOOZE_MS = 366 * DAY_MS;

export interface EpisodeDeskDeps {
  readonly store: Pick<
    Store,
    'listEpisodes' | 'findEpisode' | 'latestEpisode' | 'recentOutcomes' | 'listModels'
  > &
    EpisodeActionStore;
  readonly maintenanceOf: (model: string) => readonly MaintenanceWindow[];
  /** Outcomes that a decision about the model looks back on. */
  readonly outcomesNeeded: (model: string) => number;
  /** What a model's policy makes of the newest windows while nothing is open. */
  readonly pending: (outcomes: readonly WindowOutcome[], latest: Episode | null) => PendingEpisode | null;
  readonly performanceMoved: (episode: Episode) => Promise<PerformanceMove>;
  /** The service's clock. */
  readonly clock: Pick<Clock, 'now'>;
}

/** Episodes as people see them, and what people do about them. */
export function createEpisodeDesk(deps: EpisodeDeskDeps): EpisodeDesk {
  const { store, clock } = deps;

  function shown(episode: Episode, actions: readonly EpisodeAction[]): ShownEpisode {
    const settings = { maintenance: deps.maintenanceOf(episode.model), nowMs: clock.now() };
    // What is over needs nobody.
    const standing =
      episode.state === 'closed'
        ? { silence: null, acknowledgement: null }
        : standingOf(episode, actions, settings);
    return {
      ...episode,
      ...standing,
      status: episodeStatus(episode, standing),
      sentence: episodeSentence(episode),
    };
  }

  async function found(model: string, id: string): Promise<Episode> {
    const episode = await store.findEpisode({ model, id });
    if (episode !== null) return episode;
    throw new AppError(
      'not_found',
      `${model} has no episode ${id}: GET /v1/models/{model}/episodes lists them`,
    );
  }

  async function openEpisode(model: string, id: string): Promise<Episode> {
    const episode = await found(model, id);
    if (episode.state === 'open') return episode;
    throw new AppError('conflict', `the episode ${id} is over: there is nothing to look after`);
  }

  async function act(
    scope: ActionScope,
    kind: ActionKind,
    { by, via, note }: Asked,
    untilMs: number | null = null,
  ): Promise<EpisodeAction> {
    const action = { ...scope, id: randomUUID(), kind, by, via, note, atMs: clock.now(), untilMs };
    await store.saveAction(action);
    return action;
  }

  const aboutEpisode = ({ model, category, id }: Episode): ActionScope => ({
    model,
    category,
    episodeId: id,
  });

  /** Of one length; those of performance whose labels have come: the newest windows wait for theirs. */
  async function newestOutcomes(
    key: VersionKey & { category: EpisodeCategory },
    limit: number,
  ): Promise<WindowOutcome[]> {
    const outcomes = await store.recentOutcomes({
      ...key,
      untilMs: END_OF_TIME_MS,
      limit,
      ...(key.category === 'performance' ? { decided: true as const } : {}),
    });
    const lengthOf = ({ window }: WindowOutcome) => window.endMs - window.startMs;
    const last = outcomes.at(-1);
    return outcomes.filter((outcome) => last !== undefined && lengthOf(outcome) === lengthOf(last));
  }

  async function pendingOf(model: string): Promise<PendingEpisode[]> {
    const limit = deps.outcomesNeeded(model);
    const keys = (await store.listModels()).flatMap(
      (known): (VersionKey & { category: EpisodeCategory })[] =>
        known.model === model
          ? EPISODE_CATEGORIES.map((category) => ({ model, modelVersion: known.modelVersion, category }))
          : [],
    );
    const all = await Promise.all(
      keys.map(async (key) => {
        const outcomes = await newestOutcomes(key, limit);
        if (!outcomes.some(({ state }) => state === 'drifted')) return null;
        return deps.pending(outcomes, await store.latestEpisode(key));
      }),
    );
    return all.filter((pending) => pending !== null);
  }

  return {
    /** Open ones first, the most urgent on top; then by newest. */
    async list(query: {
      readonly model: string;
      readonly state?: 'open' | 'closed' | undefined;
      readonly status?: EpisodeStatus | undefined;
      readonly limit: number;
    }): Promise<ShownEpisode[]> {
      const { model, status, limit } = query;
      const state = query.state ?? stateOf(status);
      const asked = status === 'acknowledged' || status === 'open' ? MAX_EPISODES : limit;
      const episodes = await store.listEpisodes({
        model,
        limit: asked,
        ...(state === undefined ? {} : { state }),
      });
      // An old one that is still open must not fall off the end of the list.
      const open =
        state === undefined && episodes.length === asked
          ? await store.listEpisodes({ model, state: 'open', limit: asked })
          : [];
      const all = new Map([...open, ...episodes].map((episode) => [episode.id, episode]));
      const actions = await store.listActions(model);
      return [...all.values()]
        .sort(byUrgency)
        .map((episode) => shown(episode, actions))
        .filter((episode) => status === undefined || episode.status === status)
        .slice(0, limit);
    },

    /** What may become an episode with the next windows. */
    pendingOf,

    /** One episode with its history and evidence; throws not_found. */
    async read(model: string, id: string): Promise<EpisodeDetail> {
      const stored = await found(model, id);
      const { modelVersion, category, firstWindow, lastWindow, closedBy } = stored;
      const endMs = (closedBy ?? lastWindow).endMs;
      const [actions, outcomes, performance] = await Promise.all([
        store.listActions(model),
        store.recentOutcomes({ model, modelVersion, category, untilMs: endMs, limit: MAX_WINDOWS }),
        // Labels may have come since it was last judged.
        category === 'drift' ? deps.performanceMoved(stored) : undefined,
      ]);
      const episode = performance === undefined ? stored : { ...stored, performance };
      return {
        ...shown(episode, actions),
        history: episodeHistory(episode, actions),
        evidence: rankEvidence(outcomes.filter(({ window }) => window.endMs >= firstWindow.endMs)),
        ...(performance === undefined ? {} : { performanceSentence: performanceSentence(performance) }),
      };
    },

    async acknowledge(model: string, id: string, asked: Asked): Promise<EpisodeAction> {
      return act(aboutEpisode(await openEpisode(model, id)), 'acknowledged', asked);
    },

    async unacknowledge(model: string, id: string, asked: Asked): Promise<EpisodeAction> {
      return act(aboutEpisode(await openEpisode(model, id)), 'unacknowledged', asked);
    },

    /**
     * @param scope one open episode, a category, or a whole model
     * @param untilMs the service's clock
     */
    async snooze(scope: ActionScope, untilMs: number, asked: Asked): Promise<EpisodeAction> {
      const nowMs = clock.now();
      if (untilMs <= nowMs)
        throw new AppError(
          'invalid_request',
          `until: must lie after the service's time, ${new Date(nowMs).toISOString()}`,
        );
      if (untilMs > nowMs + MAX_SNOOZE_MS)
        throw new AppError(
          'invalid_request',
          'until: must be at most a year ahead: change the policy instead',
        );
      const { model, episodeId } = scope;
      const about = episodeId === null ? scope : aboutEpisode(await openEpisode(model, episodeId));
      return act(about, 'snoozed', asked, untilMs);
    },

    async unsnooze(scope: ActionScope, asked: Asked): Promise<EpisodeAction> {
      const { model, episodeId } = scope;
      const about = episodeId === null ? scope : aboutEpisode(await found(model, episodeId));
      return act(about, 'unsnoozed', asked);
    },

    /** What keeps a model's alarms silent now. */
    async silenceOf(model: string): Promise<{
      readonly snoozes: readonly EpisodeAction[];
      readonly maintenance: { readonly name: string; readonly untilMs: number } | null;
    }> {
      const nowMs = clock.now();
      return {
        snoozes: activeSnoozes(await store.listActions(model), nowMs),
        maintenance: maintenanceAt(deps.maintenanceOf(model), nowMs),
      };
    },
    nowMs: () => clock.now(),
  };
}

function stateOf(status: EpisodeStatus | undefined): 'open' | 'closed' | undefined {
  if (status === undefined || status === 'pending') return undefined;
  return status === 'resolved' ? 'closed' : 'open';
}
