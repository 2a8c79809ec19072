import type { Episode, WebhookAttempt, WebhookEvent } from '../../src/domain/episode.js';
import type { EpisodeStore, OutboxStore, VerdictStore } from '../../src/domain/ports.js';
import type { WindowOutcome } from '../../src/domain/verdict.js';

type AlertStore = EpisodeStore & OutboxStore & Pick<VerdictStore, 'recentOutcomes' | 'saveOutcomes'>;

/** The alert tables in memory, with a switch that makes one write fail like a crash would. */
export function createMemoryAlertStore() {
  const episodes = new Map<string, Episode>();
  const events = new Map<string, WebhookEvent>();
  const attempts: WebhookAttempt[] = [];
  const outcomes: WindowOutcome[] = [];
  let failing: string | null = null;

  function guard(write: string): void {
    if (failing !== write) return;
    failing = null;
    throw new Error(`crash before ${write}`);
  }

  const store: AlertStore = {
    async saveEpisode(episode) {
      guard('saveEpisode');
      episodes.set(episode.id, episode);
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
    async saveEvent(event) {
      guard(event.type);
      if (!events.has(event.id)) events.set(event.id, event);
    },
    async saveAttempt(attempt) {
      guard('saveAttempt');
      attempts.push(attempt);
    },
    async pendingEvents() {
      return [...events.values()]
        .map((event) => ({
          event,
          lastAttempt: attempts.filter((a) => a.eventId === event.id).at(-1) ?? null,
        }))
        .filter(({ lastAttempt }) => lastAttempt === null || lastAttempt.outcome === 'retry')
        .sort((a, b) => a.event.createdAtMs - b.event.createdAtMs);
    },
    async listEvents({ model, limit }) {
      return [...events.values()]
        .filter((event) => model === undefined || event.model === model)
        .sort((a, b) => b.createdAtMs - a.createdAtMs)
        .slice(0, limit)
        .map((event) => ({ event, attempts: attempts.filter((a) => a.eventId === event.id) }));
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
    /** The next write of this kind (`saveEpisode`, `saveAttempt` or an event type) throws. */
    failOnce: (write: string) => {
      failing = write;
    },
  };
}
