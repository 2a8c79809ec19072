import type { Clock } from '../domain/clock.js';
import type {
  PendingEvent as Pending,
  WebhookAttempt,
  WebhookEvent,
  WebhookHold,
} from '../domain/episode.js';
import type { Logger, OutboxStore } from '../domain/ports.js';
import { messageOf } from '../errors.js';
import type { Metrics } from '../metrics.js';
import { createCircuitBreakers } from './circuit-breaker.js';
import { byTarget, holds, inQueues, isUnwell, pauseOf } from './outbox-queues.js';
import { addressOf } from './report-events.js';
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
/** How long a claim holds: longer than any attempt takes, a login, a request and their timeouts, a conversation with a mail server. */
const CLAIM_MS = 120_000;
/** A claim that took longer to get is not used: its owner was stopped, or the store stood still, and it may run out during the request. */
const LATE_CLAIM_MS = 20_000;
/** Requests under way to one target. */
const PARALLEL_PER_TARGET = 4;

export interface DispatcherOptions {
  readonly outbox: Pick<
    OutboxStore,
    'pendingEvents' | 'claimAttempt' | 'saveAttempt' | 'saveHold' | 'listHolds'
  >;
  /** Where an event goes; null when its hook is not configured any more. */
  readonly sinkFor: (event: WebhookEvent) => Sink | null;
  /** The wall clock, also when the service's clock follows the data: receivers live in real time. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'webhookDeliveries' | 'mailDeliveries'>;
  /** Uniform in [0, 1): spreads the retries. */
  readonly random: () => number;
  readonly delaysMs?: readonly number[];
  readonly pollMs?: number;
  /** Whether this process serves the outbox now; always when left out. */
  readonly active?: () => boolean;
  /** Milliseconds that go on while the process is stopped. */
  readonly monotonicMs?: () => number;
}

type Outcome = Exclude<WebhookAttempt['outcome'], 'replay' | 'sending'>;

export interface DispatchResult extends Readonly<Record<Outcome, number>> {
  /** Not due yet, held, spared, or behind an event of the same episode that is not delivered. */
  readonly waiting: number;
}

type Counts = Record<Outcome, number>;

interface Pass {
  /** Events that the outbox held. */
  readonly pending: number;
  /** Of the targets that this pass serves; complete when `work` is done. */
  readonly counts: Counts;
  readonly work: Promise<unknown>;
}

/**
 * Carries the outbox to its sinks: at least once, in order within an episode, with backoff. Of several processes one makes an attempt:
 * it claims it first. A crash between the request and its record sends the event again, when the claim has run out, under the same id, by
 * which the receiver drops it. Targets are served side by side, each with a
 * circuit breaker: a slow or dead one holds up nothing but its own events.
 */
export function createDispatcher(options: DispatcherOptions) {
  const { outbox, sinkFor, clock, metrics, random, delaysMs = DELAYS_MS, pollMs = POLL_MS } = options;
  const { active = () => true, monotonicMs = () => performance.now() } = options;
  const logger = options.logger.child({ component: 'dispatcher' });
  const breakers = createCircuitBreakers({ clock, random });
  /** Targets that are being served, by origin. */
  const lanes = new Map<string, Promise<void>>();
  let starting: Promise<Pass> | null = null;
  let running: Promise<DispatchResult> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopping = false;
  // Present from the start: a rate cannot see the first failure of a series that is born with it.
  for (const outcome of ['delivered', 'retry', 'failed', 'skipped']) {
    metrics.webhookDeliveries.inc({ outcome }, 0);
    metrics.mailDeliveries.inc({ outcome }, 0);
  }

  function recordOf({ event, lastAttempt, failures }: Pending, delivery: Delivery) {
    const attempt = numberOf(lastAttempt);
    const base = { eventId: event.id, attempt, status: delivery.status, atMs: clock.now() };
    if (delivery.ok) {
      const outcome: Outcome = delivery.dryRun === undefined ? 'delivered' : 'skipped';
      return { ...base, outcome, detail: delivery.dryRun ?? '', nextAttemptAtMs: null };
    }
    const delayMs = delaysMs[failures + 1];
    const last = !delivery.retryable || delayMs === undefined;
    const waitMs = last ? 0 : Math.max(Math.round(random() * delayMs), delivery.retryAfterMs ?? 0);
    const outcome: Outcome = last ? 'failed' : 'retry';
    return { ...base, outcome, detail: delivery.reason, nextAttemptAtMs: last ? null : base.atMs + waitMs };
  }

  /** Whether the next attempt is this process's to make. */
  async function claim({ event, lastAttempt }: Pending): Promise<boolean> {
    const askedMs = monotonicMs();
    const attempt = numberOf(lastAttempt);
    const ours = await outbox.claimAttempt({
      eventId: event.id,
      attempt,
      ttlMs: CLAIM_MS,
      atMs: clock.now(),
    });
    if (ours && monotonicMs() - askedMs > LATE_CLAIM_MS) {
      logger.warn({ eventId: event.id, attempt }, 'claimed too slowly: left to whoever claims it next');
      return false;
    }
    return ours;
  }

  async function attempt(entry: Pending, sink: Sink | null, held: WebhookHold[]): Promise<Outcome> {
    const { event } = entry;
    const delivery: Delivery =
      sink === null
        ? {
            ok: false,
            retryable: false,
            reason: `no hook ${event.hook} is configured for ${event.model}`,
            status: 0,
          }
        : await sink.send(event).catch((error: unknown) => {
            breakers.report(sink.origin, false);
            throw error;
          });
    if (sink !== null) breakers.report(sink.origin, !isUnwell(delivery), pauseOf(delivery));
    const record = recordOf(entry, delivery);
    if (!delivery.ok && delivery.gone) {
      const { model, hook } = event;
      const hold = { model, hook, held: true, detail: delivery.reason, atMs: record.atMs };
      // First the hold: a crash after it leaves the event where it was.
      await outbox.saveHold({ ...hold, reason: 'gone' });
      held.push({ ...hold, reason: 'gone' });
    }
    await outbox.saveAttempt(record);
    const counter = addressOf(event.hook) === null ? metrics.webhookDeliveries : metrics.mailDeliveries;
    counter.inc({ outcome: record.outcome });
    const { id: eventId, type, model, hook } = event;
    const fields = { eventId, type, model, hook, attempt: record.attempt };
    if (record.outcome === 'delivered') logger.info(fields, 'webhook delivered');
    else if (record.outcome === 'skipped')
      logger.info({ ...fields, what: record.detail }, 'webhook not sent');
    else if (record.outcome === 'retry')
      logger.warn({ ...fields, reason: record.detail }, 'webhook will be retried');
    else logger.error({ ...fields, reason: record.detail }, 'webhook failed for good');
    return record.outcome;
  }

  /** Until the first event that is not due or does not arrive: what follows it must not overtake. */
  async function drain(queue: readonly Pending[], held: WebhookHold[], counts: Counts) {
    for (const entry of queue) {
      const { event, lastAttempt, claimed } = entry;
      if (stopping || !active() || claimed) return;
      // That of a claim that has run out is by another process's clock.
      if (lastAttempt?.outcome !== 'sending' && (lastAttempt?.nextAttemptAtMs ?? 0) > clock.now()) return;
      if (held.some((hold) => holds(hold, event))) return;
      const sink = sinkFor(event);
      if (sink !== null && !breakers.admits(sink.origin)) return;
      if (!(await claim(entry))) return;
      const outcome = await attempt(entry, sink, held);
      counts[outcome] += 1;
      if (outcome === 'retry') return;
    }
  }

  async function serve(queues: Pending[][], held: WebhookHold[], counts: Counts) {
    const errors: unknown[] = [];
    async function worker() {
      for (let queue = queues.shift(); queue !== undefined; queue = queues.shift()) {
        try {
          await drain(queue, held, counts);
        } catch (error) {
          errors.push(error);
        }
      }
    }
    await Promise.all(Array.from({ length: PARALLEL_PER_TARGET }, worker));
    if (errors.length > 0) throw errors[0];
  }

  async function readAndStart(): Promise<Pass> {
    // Served since before the outbox is read: what is read of them may be old by the time it is used.
    const busy = new Set(lanes.keys());
    const pending = active() ? await outbox.pendingEvents() : [];
    const held = pending.length === 0 ? [] : await outbox.listHolds();
    const counts: Counts = { delivered: 0, retry: 0, failed: 0, skipped: 0 };
    const started: Promise<void>[] = [];
    for (const [target, queues] of byTarget(inQueues(pending), sinkFor)) {
      if (busy.has(target)) continue;
      const lane = serve(queues, held, counts).finally(() => lanes.delete(target));
      lanes.set(target, lane);
      started.push(lane);
    }
    return { pending: pending.length, counts, work: Promise.all(started) };
  }

  /** Starts serving each target that is not being served. One reading at a time. */
  function startPass(): Promise<Pass> {
    starting ??= readAndStart().finally(() => {
      starting = null;
    });
    return starting;
  }

  async function deliverAll(): Promise<DispatchResult> {
    // What is under way may have been read before the newest event was written.
    await Promise.allSettled(lanes.values());
    const { pending, counts, work } = await startPass();
    await work;
    const { delivered, retry, failed, skipped } = counts;
    return { ...counts, waiting: pending - delivered - retry - failed - skipped };
  }

  /** Serial with itself: a call during a run gets that run's result. Rejects when the outbox cannot be read or written. */
  function deliverDue(): Promise<DispatchResult> {
    running ??= deliverAll().finally(() => {
      running = null;
    });
    return running;
  }

  function schedule() {
    const failed = (error: unknown) =>
      logger.error({ reason: messageOf(error) }, 'outbox not served, trying on');
    timer = setTimeout(() => {
      startPass()
        .then(({ work }) => {
          // not waited for: a slow target must not keep the others from the next pass
          work.catch(failed);
        }, failed)
        .finally(() => {
          if (!stopping) schedule();
        });
    }, pollMs);
  }

  return {
    deliverDue,
    /** Targets that failed so often in a row that they are left alone, or on trial. */
    openCircuits: breakers.unwell,
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
      // their failures are reported by who waits for them
      await Promise.allSettled([starting, running]);
      await Promise.allSettled(lanes.values());
    },
  };
}

const numberOf = (last: WebhookAttempt | null) => (last?.attempt ?? 0) + 1;

export type Dispatcher = ReturnType<typeof createDispatcher>;
