import { createDispatcher } from '../../src/alerts/dispatcher.js';
import type { Delivery, Sink } from '../../src/alerts/sink.js';
import type { WebhookEvent } from '../../src/domain/episode.js';
import { createMetrics } from '../../src/metrics.js';
import { createMemoryAlertStore } from './memory-alert-store.js';
import { createSilentLogger } from './silent-logger.js';

export const OK: Delivery = { ok: true, status: 202 };
export const DOWN = { ok: false, retryable: true, reason: 'status 503', status: 503 } satisfies Delivery;
export const GONE: Delivery = { ok: false, retryable: false, reason: 'status 410', status: 410, gone: true };

export function eventOf(id: string, episodeId = 'e1', createdAtMs = 0): WebhookEvent {
  return { id, type: 'drift.detected', model: 'churn', hook: 'retrain', episodeId, body: '{}', createdAtMs };
}

/** A dispatcher over an outbox in memory, a target that answers as it is told, and clocks that stand still. */
export async function createDispatchRig(events: readonly WebhookEvent[], random = 1) {
  const memory = createMemoryAlertStore();
  for (const event of events) await memory.store.saveEvent(event);
  const sent: string[] = [];
  const answers = new Map<string, Delivery>();
  const metrics = createMetrics();
  const logger = createSilentLogger();
  const time = { nowMs: 1_000 };
  const monotonic = { nowMs: 0 };
  const serving = { active: true };
  const sink: Sink = {
    name: 'fake',
    origin: 'http://trainer',
    send: async (event) => {
      sent.push(event.id);
      await new Promise((resolve) => setImmediate(resolve));
      return answers.get(event.id) ?? OK;
    },
  };
  const dispatcher = createDispatcher({
    outbox: memory.store,
    sinkFor: (event) => (event.model === 'churn' ? sink : null),
    clock: { now: () => time.nowMs, observe: () => undefined },
    logger,
    metrics,
    random: () => random,
    pollMs: 1,
    active: () => serving.active,
    monotonicMs: () => monotonic.nowMs,
  });
  return { ...memory, dispatcher, sink, sent, answers, metrics, time, monotonic, serving, logger };
}
