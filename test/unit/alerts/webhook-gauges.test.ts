import { describe, expect, it } from '@jest/globals';
import { createWebhookGauges } from '../../../src/alerts/webhook-gauges.js';
import type { WebhookHold } from '../../../src/domain/episode.js';
import { createMetrics } from '../../../src/metrics.js';

const hold = (reason: WebhookHold['reason'], hook: string): WebhookHold => ({
  model: 'churn',
  hook,
  reason,
  held: true,
  detail: '',
  atMs: 1,
});

describe('createWebhookGauges', () => {
  it('shows holds by reason and open circuits, and 0 when they are over', async () => {
    const metrics = createMetrics();
    let holds = [hold('gone', 'retrain'), hold('paused', ''), hold('paused', 'fallback')];
    let circuits = 2;
    const gauges = createWebhookGauges({
      outbox: { listHolds: async () => holds },
      openCircuits: () => circuits,
      metrics,
    });
    await gauges.publish();
    const exposition = await metrics.registry.metrics();
    expect(exposition).toContain('plumbline_webhook_holds{reason="gone"} 1');
    expect(exposition).toContain('plumbline_webhook_holds{reason="paused"} 2');
    expect(exposition).toContain('plumbline_webhook_circuits_open 2');
    holds = [];
    circuits = 0;
    await gauges.publish();
    const after = await metrics.registry.metrics();
    expect(after).toContain('plumbline_webhook_holds{reason="gone"} 0');
    expect(after).toContain('plumbline_webhook_holds{reason="paused"} 0');
    expect(after).toContain('plumbline_webhook_circuits_open 0');
  });
});
