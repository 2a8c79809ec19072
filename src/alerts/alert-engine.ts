import type { Clock } from '../domain/clock.js';
import type { Episode, PerformanceMove } from '../domain/episode.js';
import type { Announced } from '../domain/episode-action.js';
import type { EpisodeStore, Logger, OutboxStore, VerdictStore } from '../domain/ports.js';
import { RETRAINING_REQUESTED } from '../domain/retraining.js';
import type { Silence } from '../domain/silence.js';
import type { EpisodeCategory, WindowOutcome } from '../domain/verdict.js';
import { DAY_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import { decideEpisode, type EpisodeDecision, type EpisodePolicy, outcomesNeeded } from './policy.js';
import type { VerdictGauges } from './prometheus.js';
import type { Standings } from './standings.js';
import { CLOSING_TYPES, EVENT_TYPES, webhookEvent } from './webhook-events.js';

/** Retraining requests of one model looked at for the daily limit: far above any sensible limit. */
const MAX_EVENTS_READ = 1_000;

/** Decisions on one window that others were quicker with, before it is left to the next cycle. */
const MAX_DECISIONS = 5;

/** What a hook is told: of an episode, or that a report was made. */
export type HookMoment = 'opened' | 'resolved' | 'retraining' | 'report';

export interface HookSettings {
  readonly name: string;
  readonly on: readonly HookMoment[];
  /** The least severity that it is told of. */
  readonly severity: Episode['severity'];
  readonly categories: readonly EpisodeCategory[];
  /** Starts in any 24 hours of the service's clock: retraining requests and, where each event starts work, openings. */
  readonly maxPerDay: number;
  /** Least time between two starts, by the service's clock. */
  readonly cooldownMs: number;
  readonly startsRuns: boolean;
}

export interface AlertEngineOptions {
  readonly store: Pick<EpisodeStore, 'saveEpisode' | 'latestEpisode' | 'findEpisode'> &
    Pick<OutboxStore, 'saveEvent' | 'listEvents'> &
    Pick<VerdictStore, 'recentOutcomes' | 'listRuns'>;
  /** What people have asked for: who is not to be told for now. */
  readonly standings: Standings;
  /** Whether performance moved with a drift; not told when left out. */
  readonly performanceMoved?: (episode: Episode) => Promise<PerformanceMove>;
  readonly policyFor: (model: string) => EpisodePolicy;
  /** The model's hooks; without any its episodes write no events. */
  readonly hooksFor: (model: string) => readonly HookSettings[];
  readonly gauges: Pick<VerdictGauges, 'episodeChanged' | 'episodesOpen'>;
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
  const { store, policyFor, hooksFor, gauges, standings, clock, publicUrl } = options;
  const logger = options.logger.child({ component: 'alerts' });

  /** Whether the hook may start work once more, and if not, why. */
  async function mayStart(
    episode: Episode,
    hook: HookSettings,
    nowMs: number,
  ): Promise<'requested' | 'daily_limit' | 'cooldown'> {
    const events = await store.listEvents({ model: episode.model, hook: hook.name, limit: MAX_EVENTS_READ });
    const starts = events
      .map(({ event }) => event)
      .filter(({ type }) => (hook.startsRuns ? !CLOSING_TYPES.has(type) : type === RETRAINING_REQUESTED))
      .filter((event) => event.episodeId !== episode.id && event.createdAtMs <= nowMs);
    const today = starts.filter((event) => event.createdAtMs > nowMs - DAY_MS);
    if (today.length >= hook.maxPerDay) return 'daily_limit';
    return starts.some((event) => event.createdAtMs > nowMs - hook.cooldownMs) ? 'cooldown' : 'requested';
  }

  const hooksOf = (episode: Episode): readonly HookSettings[] =>
    hooksFor(episode.model).filter(
      (hook) =>
        hook.categories.includes(episode.category) &&
        (hook.severity === 'warning' || episode.severity === 'critical'),
    );

  /** @param atMs when it is told: at the opening, or at the end of a silence */
  async function announceOpening(
    episode: Episode,
    referenceHash: string | null,
    atMs: number,
    hooks = hooksOf(episode),
  ): Promise<void> {
    const { opened, retrain } = EVENT_TYPES[episode.category];
    for (const hook of hooks) {
      const asks = retrain && hook.on.includes('retraining');
      const tells = hook.on.includes('opened');
      const limited = asks || (tells && hook.startsRuns);
      const may = limited ? await mayStart(episode, hook, atMs) : 'requested';
      if (may !== 'requested')
        logger.warn(
          { model: episode.model, hook: hook.name, episodeId: episode.id, maxPerDay: hook.maxPerDay },
          `not started: ${may === 'daily_limit' ? 'daily limit reached' : 'cooling down'}`,
        );
      const context = { referenceHash, publicUrl, retraining: asks ? may : ('none' as const) };
      const save = (type: string) => store.saveEvent(webhookEvent(episode, type, atMs, context, hook.name));
      if (asks && may === 'requested') await save(RETRAINING_REQUESTED);
      if (tells && (may === 'requested' || !hook.startsRuns)) await save(opened);
    }
  }

  async function announceClosing(episode: Episode, toldMs: number): Promise<void> {
    // Later than the opening even if both fall on one tick of the clock: the outbox is served in this order.
    const atMs = Math.max(toldMs, episode.openedAtMs + 1);
    const context = { referenceHash: null, publicUrl, retraining: 'none' } as const;
    for (const hook of hooksOf(episode))
      if (hook.on.includes('resolved'))
        await store.saveEvent(
          webhookEvent(episode, EVENT_TYPES[episode.category].closed, atMs, context, hook.name),
        );
  }

  /** Writes the events that the episode owes since this window, or that they are held back. Writing one again changes nothing. */
  async function announce(episode: Episode, outcome: WindowOutcome): Promise<void> {
    const { silence } = standings.of(episode);
    if (episode.openedBy.endMs === outcome.window.endMs) {
      if (silence !== null) await hold(episode, 'opened', silence);
      else
        await announceOpening(
          openingOf(episode),
          outcome.drivers[0]?.referenceHash ?? null,
          episode.openedAtMs,
        );
    }
    if (episode.closedBy?.endMs !== outcome.window.endMs) return;
    if (standings.holds(episode.id, 'opened')) await release(episode, 'opened');
    else if (silence !== null) await hold(episode, 'resolved', silence);
    else await announceClosing(episode, episode.closedAtMs ?? 0);
  }

  /** For hooks that are told of critical episodes alone it opens now. */
  async function raised(episode: Episode, window: Window, referenceHash: string | null): Promise<void> {
    await standings.record(episode, 'severity_raised', String(window.endMs), episode.severity);
    const hooks = hooksOf(episode).filter((hook) => hook.severity === 'critical');
    if (hooks.length === 0 || standings.holds(episode.id, 'opened')) return;
    const { silence } = standings.of(episode);
    if (silence !== null) await hold(episode, 'opened', silence);
    else await announceOpening(openingOf(episode), referenceHash, clock.now(), hooks);
  }

  async function hold(episode: Episode, what: Announced, silence: Silence): Promise<void> {
    if (standings.holds(episode.id, what)) return;
    await standings.record(episode, 'held', what, `${what}: ${silence.reason}`);
    logger.info({ model: episode.model, episodeId: episode.id, what, silence }, 'nobody is told for now');
  }

  /** Tells what was held back. Of an episode that ended meanwhile nobody hears. */
  async function release(episode: Episode, what: Announced): Promise<void> {
    if (what === 'opened' && episode.state === 'closed') {
      await standings.record(episode, 'released', what, 'resolved meanwhile: nobody was told');
      return;
    }
    if (what === 'opened') {
      const { model, modelVersion, category, openedBy } = episode;
      const [opening] = await store.recentOutcomes({
        model,
        modelVersion,
        category,
        untilMs: openedBy.endMs,
        limit: 1,
      });
      await announceOpening(openingOf(episode), opening?.drivers[0]?.referenceHash ?? null, clock.now());
    } else await announceClosing(episode, clock.now());
    await standings.record(episode, 'released', what, what);
  }

  /** What is not in the windows: since when it was pending, and whether performance moved with it. */
  async function completed({ episode, change }: EpisodeDecision, before: Episode | null): Promise<Episode> {
    const { model, modelVersion, firstWindow } = episode;
    const isDue = change !== 'updated' || startsDay(episode.lastWindow, before?.lastWindow);
    const moved =
      episode.category === 'drift' && isDue ? await options.performanceMoved?.(episode) : undefined;
    const told = moved === undefined ? episode : { ...episode, performance: moved };
    if (change !== 'opened') return told;
    const runs = await store.listRuns({ model, modelVersion }, firstWindow.endMs - 1, firstWindow.endMs);
    const pendingAtMs = Math.min(runs[0]?.atMs ?? episode.openedAtMs, episode.openedAtMs);
    return { ...told, pendingAtMs };
  }

  /**
   * Decides from the newest episode that is stored, and stores what comes of it. Where another process stored something else meanwhile, as
   * when this one was stopped in between, it decides again from that.
   */
  async function decided(
    { window, ...outcome }: WindowOutcome,
    outcomes: WindowOutcome[],
    policy: EpisodePolicy,
  ) {
    const { model, modelVersion, category, drivers } = outcome;
    for (let again = 0; again < MAX_DECISIONS; again++) {
      const latest = await store.latestEpisode({ model, modelVersion, category });
      const decision = decideEpisode({ outcomes, latest, policy, nowMs: clock.now() });
      if (decision === null) return { episode: latest, changed: null, change: null };
      const before = decision.episode.id === latest?.id ? latest : null;
      const rose = before !== null && decision.episode.severity !== before.severity;
      // A cycle may have begun long before somebody asked for silence.
      if (decision.change !== 'updated' || rose) await standings.refresh();
      const changed = await completed(decision, latest);
      if (rose)
        // Before the episode: a repeat after a crash would not see that it rose. It counts once the episode is saved.
        await raised(changed, window, drivers[0]?.referenceHash ?? null);
      // The episode before its events: an event without its episode would be an alarm that nothing ever resolves.
      if (await store.saveEpisode(changed, before))
        return { episode: changed, changed, change: decision.change };
    }
    throw new AppError('store_unavailable', `an episode of ${model} is changed by others all the time`, {
      retryable: true,
    });
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
    const { episode, changed, change } = await decided(outcome, outcomes, policy);
    if (episode !== null) await announce(episode, outcome);
    if (changed === null) return [];
    gauges.episodeChanged(changed, standings.of(changed));
    if (change === 'updated') return [];
    logger.info(
      { ...key, episodeId: changed.id, severity: changed.severity, window },
      change === 'opened' ? 'episode opened' : 'episode closed',
    );
    return [changed];
  }

  return {
    /**
     * Call at the start and from time to time: reads what people asked for meanwhile, shows it, and tells what was held back where
     * that is over.
     */
    async followUp(): Promise<void> {
      const open = await standings.refresh();
      gauges.episodesOpen(open, standings.of);
      for (const { model, episodeId, what } of standings.held()) {
        const episode =
          open.find(({ id }) => id === episodeId) ?? (await store.findEpisode({ model, id: episodeId }));
        if (episode === null) continue;
        const isOver = standings.of(episode).silence === null;
        if (isOver || (what === 'opened' && episode.state === 'closed')) await release(episode, what);
      }
    },

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

/** Labels come slowly: with hourly windows it is asked once a day. */
function startsDay(window: Window, before: Window | undefined): boolean {
  return before === undefined || Math.floor(window.endMs / DAY_MS) > Math.floor(before.endMs / DAY_MS);
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
