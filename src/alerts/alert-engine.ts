import type { Clock } from '../domain/clock.js';
import type { Episode } from '../domain/episode.js';
import type { EpisodeStore, Logger, OutboxStore, VerdictStore } from '../domain/ports.js';
import type { WindowOutcome } from '../domain/verdict.js';
import { DAY_MS, type Window } from '../domain/window.js';
import { decideEpisode, type EpisodePolicy, outcomesNeeded } from './policy.js';
import {
  EVENT_TYPES,
  type EventContext,
  eventId,
  RETRAINING_REQUESTED,
  webhookEvent,
} from './webhook-events.js';

/** Retraining requests of one model looked at for the daily limit: far above any sensible limit. */
const MAX_EVENTS_READ = 1_000;

export interface RetrainSettings {
  /** Retraining requests per model in any 24 hours of the service's clock. */
  readonly maxPerDay: number;
}

export interface AlertEngineOptions {
  readonly store: Pick<EpisodeStore, 'saveEpisode' | 'latestEpisode'> &
    Pick<OutboxStore, 'saveEvent' | 'listEvents'> &
    Pick<VerdictStore, 'recentOutcomes'>;
  readonly policyFor: (model: string) => EpisodePolicy;
  /** Null for models without a webhook: their episodes write no events. */
  readonly retrainFor: (model: string) => RetrainSettings | null;
  readonly gauges: { episodesChanged(episodes: readonly Episode[]): void };
  /** The service's clock: it stamps episodes and events, and follows the data in a replay. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** Base of the links in events, without a slash at the end; null when unknown. */
  readonly publicUrl: string | null;
}

/**
 * Turns judged windows into episodes and episodes into outbox entries. Holds no state: all of it is in the store, under ids
 * derived from the input, so a window handed in again after a crash completes what is missing and changes nothing else.
 */
export function createAlertEngine(options: AlertEngineOptions) {
  const { store, policyFor, retrainFor, gauges, clock, publicUrl } = options;
  const logger = options.logger.child({ component: 'alerts' });

  async function mayRetrain(episode: Episode, maxPerDay: number, nowMs: number): Promise<boolean> {
    const ownId = eventId(episode.id, RETRAINING_REQUESTED);
    const events = await store.listEvents({ model: episode.model, limit: MAX_EVENTS_READ });
    const recent = events.filter(
      ({ event }) =>
        event.type === RETRAINING_REQUESTED &&
        event.id !== ownId &&
        event.createdAtMs > nowMs - DAY_MS &&
        event.createdAtMs <= nowMs,
    );
    return recent.length < maxPerDay;
  }

  async function announceOpening(episode: Episode, referenceHash: string | null): Promise<void> {
    const settings = retrainFor(episode.model);
    if (settings === null) return;
    const { opened, retrain } = EVENT_TYPES[episode.category];
    let retraining: EventContext['retraining'] = 'none';
    if (retrain)
      retraining = (await mayRetrain(episode, settings.maxPerDay, episode.openedAtMs))
        ? 'requested'
        : 'daily_limit';
    const context = { referenceHash, publicUrl, retraining };
    if (retraining === 'requested')
      await store.saveEvent(webhookEvent(episode, RETRAINING_REQUESTED, episode.openedAtMs, context));
    if (retraining === 'daily_limit')
      logger.warn(
        { model: episode.model, episodeId: episode.id, maxPerDay: settings.maxPerDay },
        'retraining not requested: daily limit reached',
      );
    await store.saveEvent(webhookEvent(episode, opened, episode.openedAtMs, context));
  }

  async function announceClosing(episode: Episode): Promise<void> {
    if (retrainFor(episode.model) === null) return;
    // Later than the opening even if both fall on one tick of the clock: the outbox is served in this order.
    const atMs = Math.max(episode.closedAtMs ?? 0, episode.openedAtMs + 1);
    const context = { referenceHash: null, publicUrl, retraining: 'none' } as const;
    await store.saveEvent(webhookEvent(episode, EVENT_TYPES[episode.category].closed, atMs, context));
  }

  /** Writes the events that the episode owes since this window. Writing one again changes nothing. */
  async function announce(episode: Episode, outcome: WindowOutcome): Promise<void> {
    if (episode.openedBy.endMs === outcome.window.endMs)
      await announceOpening(openingOf(episode), outcome.drivers[0]?.referenceHash ?? null);
    if (episode.closedBy?.endMs === outcome.window.endMs) await announceClosing(episode);
  }

  async function judged(outcome: WindowOutcome): Promise<Episode[]> {
    const { model, modelVersion, category, window } = outcome;
    const policy = policyFor(model);
    const key = { model, modelVersion, category };
    const stored = await store.recentOutcomes({
      ...key,
      untilMs: window.endMs,
      limit: outcomesNeeded(policy),
    });
    const outcomes = [...stored.filter((other) => precedes(other.window, window)), outcome];
    const latest = await store.latestEpisode(key);
    const decision = decideEpisode({ outcomes, latest, policy, nowMs: clock.now() });
    const episode = decision?.episode ?? latest;
    // The episode first: an event without its episode would be an alarm that nothing ever resolves.
    if (decision !== null) await store.saveEpisode(decision.episode);
    if (episode !== null) await announce(episode, outcome);
    if (decision === null) return [];
    gauges.episodesChanged([decision.episode]);
    if (decision.change === 'updated') return [];
    logger.info(
      { ...key, episodeId: decision.episode.id, severity: decision.episode.severity, window },
      decision.change === 'opened' ? 'episode opened' : 'episode closed',
    );
    return [decision.episode];
  }

  return {
    /**
     * Call for one version's windows in order, after their outcomes are saved.
     *
     * @param outcomes of one window, one per category
     * @returns the episodes that this window opened or closed
     */
    async windowJudged(outcomes: readonly WindowOutcome[]): Promise<Episode[]> {
      const changed: Episode[] = [];
      for (const outcome of outcomes) changed.push(...(await judged(outcome)));
      return changed;
    },
  };
}

/** Windows of another length are from before a change of the configuration: they count as missing. */
function precedes(earlier: Window, later: Window): boolean {
  return earlier.endMs < later.endMs && earlier.endMs - earlier.startMs === later.endMs - later.startMs;
}

/** The episode as it was when it opened: what the opening's events say, however late they are written. */
function openingOf(episode: Episode): Episode {
  return { ...episode, state: 'open', lastWindow: episode.openedBy, closedBy: null, closedAtMs: null };
}

export type AlertEngine = ReturnType<typeof createAlertEngine>;
