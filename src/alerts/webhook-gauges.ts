import type { WebhookHold } from '../domain/episode.js';
import type { OutboxStore } from '../domain/ports.js';
import type { Metrics } from '../metrics.js';

const REASONS: readonly WebhookHold['reason'][] = ['gone', 'paused'];

/** What keeps webhooks from being sent: holds, as they are stored, and circuits of this process. */
export function createWebhookGauges(options: {
  readonly outbox: Pick<OutboxStore, 'listHolds'>;
  readonly openCircuits: () => number;
  readonly metrics: Pick<Metrics, 'webhookHolds' | 'webhookCircuitsOpen'>;
}) {
  const { outbox, openCircuits, metrics } = options;
  return {
    /** Rejects when the store cannot be read; the gauges then keep what they had. */
    async publish(): Promise<void> {
      const holds = await outbox.listHolds();
      for (const reason of REASONS)
        metrics.webhookHolds.set({ reason }, holds.filter((hold) => hold.reason === reason).length);
      metrics.webhookCircuitsOpen.set(openCircuits());
    },
  };
}
