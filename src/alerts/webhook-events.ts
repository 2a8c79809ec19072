import { createHash } from 'node:crypto';
import type { Episode, WebhookEvent } from '../domain/episode.js';
import { episodeSentence } from '../domain/episode-words.js';
import type { EpisodeCategory } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';

/** Standard Webhooks asks for less than 20 kB; ten drivers with the longest names are below it. */
export const MAX_BODY_BYTES = 20_000;

/**
 * Event types by category. Retraining answers a world that has changed; on broken data or odd rows it would
 * only teach the model the fault, so those are reported without a request.
 */
export const EVENT_TYPES: Readonly<
  Record<EpisodeCategory, { readonly opened: string; readonly closed: string; readonly retrain: boolean }>
> = {
  drift: { opened: 'drift.detected', closed: 'drift.resolved', retrain: true },
  performance: { opened: 'performance.degraded', closed: 'performance.recovered', retrain: true },
  dataQuality: { opened: 'data_quality.failed', closed: 'data_quality.recovered', retrain: false },
  outliers: { opened: 'outliers.detected', closed: 'outliers.resolved', retrain: false },
  service: { opened: 'service.degraded', closed: 'service.recovered', retrain: false },
};

export const CLOSING_TYPES: ReadonlySet<string> = new Set(
  Object.values(EVENT_TYPES).map(({ closed }) => closed),
);

export interface EventContext {
  readonly referenceHash: string | null;
  /** Where the service is reached by people, without a slash at the end; null leaves the links out. */
  readonly publicUrl: string | null;
  /** Whether the opening also asks for retraining; `daily_limit`, `cooldown`: it would, but enough were asked for already. */
  readonly retraining: 'requested' | 'daily_limit' | 'cooldown' | 'none';
}

/** The hook of a configuration that has only a `retrain` section. */
export const RETRAIN_HOOK = 'retrain';

/** `evt_` and 32 hex digits of SHA-256 over episode, type and hook: an episode never yields two ids for one type and hook. */
export function eventId(episodeId: string, type: string, hook: string = RETRAIN_HOOK): string {
  // without the hook's name for the first of them: its ids were made before there were others
  const parts = hook === RETRAIN_HOOK ? [episodeId, type] : [episodeId, type, hook];
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return `evt_${digest.slice(0, 32)}`;
}

function windowJson(window: Window) {
  return { start: new Date(window.startMs).toISOString(), end: new Date(window.endMs).toISOString() };
}

function linksOf(episode: Episode, publicUrl: string | null) {
  if (publicUrl === null) return {};
  const path = `/models/${encodeURIComponent(episode.model)}/versions/${encodeURIComponent(episode.modelVersion)}`;
  const own = `${publicUrl}${path}/episodes/${encodeURIComponent(episode.id)}`;
  return { page: `${publicUrl}${path}`, episode: own, reports: `${publicUrl}/reports` };
}

/**
 * The outbox entry that tells a receiver about an episode. Names follow the prediction event: snake case.
 * Aggregates only, never rows: features are personal data.
 */
export function webhookEvent(
  episode: Episode,
  type: string,
  createdAtMs: number,
  context: EventContext,
  hook: string = RETRAIN_HOOK,
): WebhookEvent {
  const data = {
    model: episode.model,
    model_version: episode.modelVersion,
    category: episode.category,
    episode: {
      id: episode.id,
      state: episode.state,
      severity: episode.severity,
      first_window: windowJson(episode.firstWindow),
      opened_by: windowJson(episode.openedBy),
      closed_by: episode.closedBy === null ? null : windowJson(episode.closedBy),
      last_window: windowJson(episode.lastWindow),
    },
    summary: episodeSentence(episode),
    drivers: episode.drivers,
    ...(episode.why === undefined ? {} : { why: episode.why }),
    ...(episode.performance === undefined ? {} : { performance: episode.performance }),
    reference_hash: context.referenceHash,
    retraining: context.retraining,
    links: linksOf(episode, context.publicUrl),
  };
  const body = JSON.stringify({ type, timestamp: new Date(createdAtMs).toISOString(), data });
  return {
    id: eventId(episode.id, type, hook),
    type,
    model: episode.model,
    hook,
    episodeId: episode.id,
    body,
    createdAtMs,
  };
}
