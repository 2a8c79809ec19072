import type { PendingEvent as Pending, WebhookEvent, WebhookHold } from '../domain/episode.js';
import type { Delivery, Sink } from './sink.js';

/** The events of one episode for one hook, in the order in which they must arrive. */
export function inQueues(pending: readonly Pending[]): Pending[][] {
  const queues = new Map<string, Pending[]>();
  for (const entry of pending) {
    const key = JSON.stringify([entry.event.episodeId, entry.event.hook]);
    const queue = queues.get(key);
    if (queue === undefined) queues.set(key, [entry]);
    else queue.push(entry);
  }
  return [...queues.values()].map((queue) =>
    queue.sort((a, b) => a.event.createdAtMs - b.event.createdAtMs || (a.event.id < b.event.id ? -1 : 1)),
  );
}

/** Queues by the origin of their target; those without one under the empty name. */
export function byTarget(queues: readonly Pending[][], sinkFor: (event: WebhookEvent) => Sink | null) {
  const targets = new Map<string, Pending[][]>();
  for (const queue of queues) {
    const [first] = queue;
    const target = first === undefined ? '' : (sinkFor(first.event)?.origin ?? '');
    const same = targets.get(target);
    if (same === undefined) targets.set(target, [queue]);
    else same.push(queue);
  }
  return targets;
}

export const holds = (hold: WebhookHold, { model, hook }: WebhookEvent) =>
  (hold.model === '' || hold.model === model) && (hold.hook === '' || hold.hook === hook);

/** What says that the target is unwell; every other answer says that it is there. */
export const isUnwell = (delivery: Delivery) =>
  !delivery.ok &&
  delivery.retryable &&
  (delivery.status === 0 || delivery.status === 429 || delivery.status >= 500);

/** How long a target asked to be left alone, ms. */
export function pauseOf(delivery: Delivery): number {
  return delivery.ok || ![429, 503].includes(delivery.status) ? 0 : (delivery.retryAfterMs ?? 0);
}
