import type { Clock } from '../domain/clock.js';
import type { WebhookAttempt, WebhookEvent } from '../domain/episode.js';
import type { Logger, OutboxStore } from '../domain/ports.js';
import { messageOf } from '../errors.js';
import type { Metrics } from '../metrics.js';
import type { Delivery, Sink } from './sink.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Longest wait before attempt 1, 2, …: the schedule of Standard Webhooks. After the last one the event has failed. */
export const DELAYS_MS: readonly number[] = [
  0,
  5_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];
const POLL_MS = 1_000;
/** Episodes served at the same time: one slow receiver must not hold up the others. */
const MAX_PARALLEL = 8;

export interface DispatcherOptions {
  readonly outbox: Pick<OutboxStore, 'pendingEvents' | 'saveAttempt'>;
  /** Where an event goes; null when no endpoint is configured for its model any more. */
  readonly sinkFor: (event: WebhookEvent) => Sink | null;
  /** The wall clock, also when the service's clock follows the data: receivers live in real time. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'webhookDeliveries'>;
  /** Uniform in [0, 1): spreads the retries. */
  readonly random: () => number;
  readonly delaysMs?: readonly number[];
  readonly pollMs?: number;
}

export interface DispatchResult {
  readonly delivered: number;
  readonly retry: number;
  readonly failed: number;
  /** Not due yet, or behind an event of the same episode that is not delivered. */
  readonly waiting: number;
}

type Pending = Awaited<ReturnType<OutboxStore['pendingEvents']>>[number];

function byEpisode(pending: readonly Pending[]): Pending[][] {
  const queues = new Map<string, Pending[]>();
  for (const entry of pending) {
    const queue = queues.get(entry.event.episodeId);
    if (queue === undefined) queues.set(entry.event.episodeId, [entry]);
    else queue.push(entry);
  }
  return [...queues.values()].map((queue) =>
    queue.sort((a, b) => a.event.createdAtMs - b.event.createdAtMs || (a.event.id < b.event.id ? -1 : 1)),
  );
}

/**
 * Carries the outbox to its sinks: at least once, in order within an episode, with backoff. A crash between the request and its
 * record sends the event again under the same id, by which the receiver drops it.
 */
export function createDispatcher(options: DispatcherOptions) {
  const { outbox, sinkFor, clock, metrics, random, delaysMs = DELAYS_MS, pollMs = POLL_MS } = options;
  const logger = options.logger.child({ component: 'dispatcher' });
  let running: Promise<DispatchResult> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopping = false;
  // Present from the start: a rate cannot see the first failure of a series that is born with it.
  for (const outcome of ['delivered', 'retry', 'failed']) metrics.webhookDeliveries.inc({ outcome }, 0);

  function recordOf(event: WebhookEvent, attempt: number, delivery: Delivery): WebhookAttempt {
    const base = { eventId: event.id, attempt, status: delivery.status, atMs: clock.now() };
    if (delivery.ok) return { ...base, outcome: 'delivered', detail: '', nextAttemptAtMs: null };
    const delayMs = delaysMs[attempt];
    if (!delivery.retryable || delayMs === undefined)
      return { ...base, outcome: 'failed', detail: delivery.reason, nextAttemptAtMs: null };
    const waitMs = Math.max(Math.round(random() * delayMs), delivery.retryAfterMs ?? 0);
    return { ...base, outcome: 'retry', detail: delivery.reason, nextAttemptAtMs: base.atMs + waitMs };
  }

  async function attempt({ event, lastAttempt }: Pending): Promise<WebhookAttempt> {
    const sink = sinkFor(event);
    const delivery: Delivery =
      sink === null
        ? { ok: false, retryable: false, reason: `no endpoint is configured for ${event.model}`, status: 0 }
        : await sink.send(event);
    const record = recordOf(event, (lastAttempt?.attempt ?? 0) + 1, delivery);
    await outbox.saveAttempt(record);
    metrics.webhookDeliveries.inc({ outcome: record.outcome });
    const fields = { eventId: event.id, type: event.type, model: event.model, attempt: record.attempt };
    if (record.outcome === 'delivered') logger.info(fields, 'webhook delivered');
    else if (record.outcome === 'retry')
      logger.warn({ ...fields, reason: record.detail }, 'webhook will be retried');
    else logger.error({ ...fields, reason: record.detail }, 'webhook failed for good');
    return record;
  }

  /** Until the first event that is not due or does not arrive: what follows it must not overtake. */
  async function drain(queue: readonly Pending[], counts: Record<WebhookAttempt['outcome'], number>) {
    for (const entry of queue) {
      if (stopping || (entry.lastAttempt?.nextAttemptAtMs ?? 0) > clock.now()) return;
      const { outcome } = await attempt(entry);
      counts[outcome] += 1;
      if (outcome === 'retry') return;
    }
  }

  async function deliverAll(): Promise<DispatchResult> {
    const pending = await outbox.pendingEvents();
    const queues = byEpisode(pending);
    const counts = { delivered: 0, retry: 0, failed: 0 };
    const errors: unknown[] = [];
    async function worker() {
      for (let queue = queues.shift(); queue !== undefined; queue = queues.shift()) {
        try {
          await drain(queue, counts);
        } catch (error) {
          errors.push(error);
        }
      }
    }
    await Promise.all(Array.from({ length: MAX_PARALLEL }, worker));
    if (errors.length > 0) throw errors[0];
    return { ...counts, waiting: pending.length - counts.delivered - counts.retry - counts.failed };
  }

  /** Serial with itself: a call during a run gets that run's result. Rejects when the outbox cannot be read or written. */
  function deliverDue(): Promise<DispatchResult> {
    running ??= deliverAll().finally(() => {
      running = null;
    });
    return running;
  }

  function schedule() {
    timer = setTimeout(() => {
      deliverDue()
        .catch((error: unknown) => logger.error({ reason: messageOf(error) }, 'outbox not served, trying on'))
        .finally(() => {
          if (!stopping) schedule();
        });
    }, pollMs);
  }

  return {
    deliverDue,
    /** Serves the outbox every `pollMs` until `stop`. */
    start(): void {
      if (timer !== null) throw new TypeError('the dispatcher runs already');
      stopping = false;
      schedule();
    },
    /** Resolves when the attempts under way are recorded; each takes at most the sink's timeout. */
    async stop(): Promise<void> {
      stopping = true;
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await running?.catch((error: unknown) =>
        logger.error({ reason: messageOf(error) }, 'outbox not served before the stop'),
      );
    },
  };
}

export type Dispatcher = ReturnType<typeof createDispatcher>;
