import {
  type Episode,
  eventState,
  type WebhookAttempt,
  type WebhookEvent,
  type WebhookHold,
} from '../../src/domain/episode.js';
import type { EpisodeAction, EpisodeActionStore } from '../../src/domain/episode-action.js';
import type { EpisodeStore, OutboxStore, RunRecord, VerdictStore } from '../../src/domain/ports.js';
import type { WindowOutcome } from '../../src/domain/verdict.js';

type AlertStore = EpisodeStore &
  EpisodeActionStore &
  OutboxStore &
  Pick<VerdictStore, 'recentOutcomes' | 'saveOutcomes' | 'listRuns'>;

const sending = (eventId: string, attempt: number): WebhookAttempt => ({
  eventId,
  attempt,
  outcome: 'sending',
  status: 0,
  detail: '',
  atMs: 0,
  nextAttemptAtMs: null,
});

/** The alert tables in memory, with a switch that makes one write fail like a crash would. */
export function createMemoryAlertStore() {
  const episodes = new Map<string, Episode>();
  const events = new Map<string, WebhookEvent>();
  const attempts: WebhookAttempt[] = [];
  const outcomes: WindowOutcome[] = [];
  const actions = new Map<string, EpisodeAction>();
  const runs: RunRecord[] = [];
  const holds = new Map<string, WebhookHold>();
  const claims = new Set<string>();
  let claimsHold = false;
  let failing: string | null = null;

  function guard(write: string): void {
    if (failing !== write) return;
    failing = null;
    throw new Error(`crash before ${write}`);
  }

  const store: AlertStore = {
    async saveEpisode(episode, after) {
      guard('saveEpisode');
      const stored = JSON.stringify(episodes.get(episode.id) ?? null);
      if (after !== undefined && stored !== JSON.stringify(after)) return stored === JSON.stringify(episode);
      episodes.set(episode.id, episode);
      return true;
    },
    async listEpisodes({ model, state, limit }) {
      return [...episodes.values()]
        .filter(
          (e) => (model === undefined || e.model === model) && (state === undefined || e.state === state),
        )
        .slice(0, limit);
    },
    async latestEpisode({ model, modelVersion, category }) {
      const own = [...episodes.values()].filter(
        (e) => e.model === model && e.modelVersion === modelVersion && e.category === category,
      );
      return own.toSorted((a, b) => a.openedBy.endMs - b.openedBy.endMs).at(-1) ?? null;
    },
    async findEpisode({ model, id }) {
      const found = episodes.get(id);
      return found?.model === model ? found : null;
    },
    async saveAction(action, once = false) {
      guard(action.kind);
      if (once && actions.has(action.id)) return;
      // What is written again comes last, as by its revision.
      actions.delete(action.id);
      actions.set(action.id, action);
    },
    async listActions(model) {
      return [...actions.values()].filter((action) => action.model === model);
    },
    async currentActions() {
      return [...actions.values()];
    },
    async listRuns(_key, afterMs, untilMs) {
      return runs.filter(({ window }) => window.endMs > afterMs && window.endMs <= untilMs);
    },
    async saveEvent(event) {
      guard(event.type);
      if (!events.has(event.id)) events.set(event.id, event);
    },
    async saveAttempt(attempt) {
      guard('saveAttempt');
      attempts.push(attempt);
    },
    async claimAttempt({ eventId, attempt }) {
      guard('claimAttempt');
      if (claims.has(`${eventId} ${attempt}`)) return false;
      claims.add(`${eventId} ${attempt}`);
      return true;
    },
    async pendingEvents() {
      return [...events.values()]
        .map((event) => {
          const own = attempts.filter((a) => a.eventId === event.id);
          const replayed = own.findLastIndex((a) => a.outcome === 'replay');
          const last = own.at(-1) ?? null;
          const next = (last?.attempt ?? 0) + 1;
          // Claimed, and nobody knows what became of it.
          const lost = claims.has(`${event.id} ${next}`) ? sending(event.id, next) : null;
          const failures = own.slice(replayed + 1).length;
          return { event, lastAttempt: lost ?? last, failures, claimed: lost !== null && claimsHold };
        })
        .filter(({ event }) => eventState(attempts.filter((a) => a.eventId === event.id)) === 'pending')
        .sort((a, b) => a.event.createdAtMs - b.event.createdAtMs);
    },
    async listEvents({ id, model, hook, state, limit }) {
      const stateOf = (event: WebhookEvent) => eventState(attempts.filter((a) => a.eventId === event.id));
      return [...events.values()]
        .filter((event) => id === undefined || event.id === id)
        .filter((event) => model === undefined || event.model === model)
        .filter((event) => hook === undefined || event.hook === hook)
        .filter((event) => state === undefined || stateOf(event) === state)
        .sort((a, b) => b.createdAtMs - a.createdAtMs)
        .slice(0, limit)
        .map((event) => ({ event, attempts: attempts.filter((a) => a.eventId === event.id) }));
    },
    async saveHold(hold) {
      guard('saveHold');
      holds.set(JSON.stringify([hold.model, hold.hook, hold.reason]), hold);
    },
    async listHolds() {
      return [...holds.values()].filter((hold) => hold.held);
    },
    async saveOutcomes(saved) {
      outcomes.push(...saved);
    },
    async recentOutcomes({ model, modelVersion, category, untilMs, limit }) {
      return outcomes
        .filter(
          (o) =>
            o.model === model &&
            o.modelVersion === modelVersion &&
            o.category === category &&
            o.window.endMs <= untilMs,
        )
        .sort((a, b) => a.window.endMs - b.window.endMs)
        .slice(-limit);
    },
  };
  return {
    store,
    episodes,
    events,
    attempts,
    actions,
    runs,
    holds,
    /** Whether the claims of attempts that were never recorded still hold; they have run out at first. */
    setClaimsHold: (hold: boolean) => {
      claimsHold = hold;
    },
    /** The next write of this kind (`saveEpisode`, `saveAttempt` or an event type) throws. */
    failOnce: (write: string) => {
      failing = write;
    },
  };
}
