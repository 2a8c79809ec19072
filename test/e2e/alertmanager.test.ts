import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAlertEngine } from '../../src/alerts/alert-engine.js';
import { createVerdictGauges } from '../../src/alerts/prometheus.js';
import { createStandings } from '../../src/alerts/standings.js';
import type { EpisodeCategory } from '../../src/domain/verdict.js';
import { HOUR_MS } from '../../src/domain/window.js';
import { createMetrics } from '../../src/metrics.js';
import { type AlertReceivers, startAlertReceivers } from '../support/alert-receivers.js';
import { createMemoryAlertStore } from '../support/memory-alert-store.js';
import { outcomeOf, verdictOf } from '../support/outcomes.js';
import { eventually, type PrometheusStack, startPrometheusStack } from '../support/prometheus-stack.js';
import { createSilentLogger } from '../support/silent-logger.js';

const metrics = createMetrics();
const logger = createSilentLogger();
const gauges = createVerdictGauges({ metrics, logger, routeOf: (_model, category) => category });
const memory = createMemoryAlertStore();
let nowMs = 0;
const clock = { now: () => nowMs, observe: () => undefined };
const standings = createStandings({ store: memory.store, maintenanceOf: () => [], clock });
const engine = createAlertEngine({
  store: memory.store,
  standings,
  policyFor: () => ({ openCount: 1, openWindows: 1, closeCount: 1, cooldownMs: 0, stepMs: HOUR_MS }),
  hooksFor: () => [],
  gauges,
  clock,
  logger,
  publicUrl: null,
});

/** The effect, in minimum effects, that makes an episode critical, and one that does not. */
const EFFECTS = { critical: 0.4, warning: 0.15 } as const;
let window = 0;

/** The next window of a model: drifted in that category, or clean. */
async function judge(
  model: string,
  category: EpisodeCategory,
  severity: keyof typeof EFFECTS | null,
  why?: string,
): Promise<void> {
  window += 1;
  const effect = { value: EFFECTS[severity ?? 'warning'], low: 0, high: 1 };
  const drivers = [verdictOf({ model, category, effect })];
  const outcome = {
    ...outcomeOf(window, severity === null ? 'c' : 'd', { model, category, drivers }),
    ...(why === undefined ? {} : { why: [why] }),
  };
  await memory.store.saveOutcomes([outcome]);
  await engine.windowJudged([outcome]);
}

let receivers: AlertReceivers;
let service: Server;
let stack: PrometheusStack;
const seen = (what: string, check: () => boolean) =>
  eventually(what, async () => check(), { tail: stack.tail });

/** Until the rules have looked at what was scraped since now, and Alertmanager has got what they say. */
async function looked(): Promise<void> {
  const since = Date.now() / 1_000;
  const query = 'timestamp(ALERTS{alertname="PlumblineDeadMan"})';
  await eventually('a look', async () => ((await stack.query(query))[0]?.value ?? 0) > since + 0.5, {
    tail: stack.tail,
  });
}

async function mutedBy(alertname: string, model: string): Promise<string[]> {
  const response = await fetch(`${stack.alertmanagerUrl}/api/v2/alerts?filter=model="${model}"`);
  const alerts = (await response.json()) as {
    fingerprint: string;
    labels: Record<string, string>;
    status: { inhibitedBy: string[] };
  }[];
  const names = new Map(alerts.map((alert) => [alert.fingerprint, alert.labels.alertname ?? '']));
  return alerts
    .filter(({ labels }) => labels.alertname === alertname)
    .flatMap(({ status }) => status.inhibitedBy.map((by) => names.get(by) ?? by));
}

beforeAll(async () => {
  receivers = await startAlertReceivers();
  metrics.lastSuccess.set(Date.now() / 1_000);
  service = createServer((_request, response) => {
    metrics.registry.metrics().then(
      (body) => response.setHeader('content-type', metrics.registry.contentType).end(body),
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');
  stack = await startPrometheusStack({
    scrapePorts: [(service.address() as AddressInfo).port],
    ...receivers.urls,
  });
});

afterAll(async () => {
  await stack?.stop();
  receivers?.close();
  service?.closeAllConnections();
  service?.close();
});

describe('the shipped configuration in a real Alertmanager', () => {
  it('pages what made a model worse, and not its drift; drift of another model pages', async () => {
    await judge('churn', 'performance', 'critical');
    await seen('the page', () => receivers.pages.length > 0);
    expect(receivers.pages[0]).toMatchObject({
      action: 'trigger',
      link: 'https://plumbline.example/models/churn/versions/3',
      payload: {
        summary:
          'PlumblinePerformance churn v3 (critical): A model has become worse than it was on its reference.',
        severity: 'critical',
        component: 'churn',
        class: 'PlumblinePerformance',
      },
    });
    expect(receivers.pages[0]?.payload.custom_details?.text.split('\n')).toEqual([
      'churn version 3 has an open performance episode (critical), by the labels that have come.',
      expect.stringMatching(/^Since \d{4}-\d\d-\d\d \d\d:\d\d UTC$/),
      'What to do: https://runbooks.example/plumbline/PlumblinePerformance.md',
      'Page: https://plumbline.example/models/churn/versions/3',
    ]);

    await judge('churn', 'drift', 'critical');
    await judge('fraud', 'drift', 'critical');
    await seen('the other page', () => receivers.pages.length > 1);
    await looked();
    expect(await mutedBy('PlumblineDrift', 'churn')).toEqual(['PlumblinePerformance']);
    expect(await mutedBy('PlumblineDrift', 'fraud')).toEqual([]);
    expect(receivers.paged()).toEqual([
      'trigger PlumblinePerformance churn v3 (critical)',
      'trigger PlumblineDrift fraud v3 (critical)',
    ]);
  });

  it('tells of the drift that goes on when the performance is well again, and resolves each incident once', async () => {
    await judge('churn', 'performance', null);
    await seen('the drift that was muted', () => receivers.pages.length > 3);
    await judge('churn', 'drift', null);
    await judge('fraud', 'drift', null);
    await seen('both ends', () => receivers.pages.length > 5);
    await looked();
    const incidents = new Set(receivers.pages.map(({ dedupKey }) => dedupKey));
    const eventsOf = (key: string) => receivers.pages.filter(({ dedupKey }) => dedupKey === key);
    expect([...incidents].map((key) => eventsOf(key).map(({ action }) => action))).toEqual(
      Array(3).fill(['trigger', 'resolve']),
    );
    // The chat of those on call says the same.
    expect(new Set(receivers.chats.map(({ channel }) => channel))).toEqual(new Set(['#oncall']));
    expect(receivers.chats).toHaveLength(6);
  });

  it('an incident ends with a snooze and begins anew behind it; a silence of Alertmanager does neither', async () => {
    const actions = () =>
      receivers.pages.filter(({ payload }) => payload.component === 'nap').map(({ action }) => action);
    await judge('nap', 'drift', 'critical');
    await seen('the page', () => actions().length > 0);
    await memory.store.saveAction({
      model: 'nap',
      id: 'nap',
      category: null,
      episodeId: null,
      kind: 'snoozed',
      by: 'ada',
      via: 'local',
      note: '',
      atMs: 0,
      untilMs: HOUR_MS,
    });
    await engine.followUp();
    await seen('the end of the incident', () => actions().length > 1);
    await looked();
    nowMs = HOUR_MS;
    await engine.followUp();
    await seen('the next page', () => actions().length > 2);
    expect(actions()).toEqual(['trigger', 'resolve', 'trigger']);

    const api = `${stack.alertmanagerUrl}/api/v2`;
    const silenced = async () => {
      const response = await fetch(`${api}/alerts?filter=model="nap"`);
      const [alert] = (await response.json()) as { status: { silencedBy: string[] } }[];
      return alert?.status.silencedBy.length === 1;
    };
    const response = await fetch(`${api}/silences`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        matchers: [{ name: 'model', value: 'nap', isRegex: false, isEqual: true }],
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + HOUR_MS).toISOString(),
        createdBy: 'ada',
        comment: 'deploy',
      }),
    });
    const { silenceID } = (await response.json()) as { silenceID: string };
    await eventually('the silence', silenced, { tail: stack.tail });
    await looked();
    expect((await fetch(`${api}/silence/${silenceID}`, { method: 'DELETE' })).ok).toBe(true);
    await eventually('its end', async () => !(await silenced()), { tail: stack.tail });
    await looked();
    await looked();
    expect(actions()).toHaveLength(3);
    await judge('nap', 'drift', null);
    await seen('the end', () => actions().length > 3);
    expect(actions().at(-1)).toBe('resolve');
  });

  it('a warning mutes warnings, and no page', async () => {
    const before = receivers.pages.length;
    await judge('mild', 'performance', 'warning');
    await seen('the warning', () => receivers.chats.at(-1)?.title.includes('mild') === true);
    await judge('mild', 'drift', 'warning');
    await looked();
    expect(await mutedBy('PlumblineDrift', 'mild')).toEqual(['PlumblinePerformance']);
    expect(receivers.pages).toHaveLength(before);
    await judge('mild', 'drift', 'critical');
    await seen('the page', () => receivers.pages.length > before);
    expect(receivers.paged().at(-1)).toBe('trigger PlumblineDrift mild v3 (critical)');
  });

  it('sends each kind to its chat, and lets no value of the data speak as the chat’s own markup', async () => {
    const before = receivers.chats.length;
    await judge('parcel', 'dataQuality', 'warning', 'country: "<!channel>" & "<b>" are new.');
    await judge('parcel', 'outliers', 'warning');
    metrics.webhookHolds.set({ reason: 'gone' }, 0);
    metrics.webhookDeliveries.inc({ outcome: 'failed' }, 0);
    await looked();
    metrics.webhookDeliveries.inc({ outcome: 'failed' });
    await seen('three messages', () => receivers.chats.length > before + 2);
    const messages = receivers.chats.slice(before).toSorted((a, b) => (a.channel < b.channel ? -1 : 1));
    expect(messages.map(({ channel, title, color }) => [channel, title, color])).toEqual([
      ['#data', '[FIRING 1] PlumblineDataQuality parcel v3 (warning)', 'warning'],
      ['#models', '[FIRING 1] PlumblineOutliers parcel v3 (warning)', 'warning'],
      ['#plumbline', '[FIRING 1] PlumblineWebhookFailures (warning)', 'warning'],
    ]);
    expect(messages[0]?.text).toContain('country: "&lt;!channel&gt;" &amp; "&lt;b&gt;" are new.');
    expect(receivers.heartbeats()).toBeGreaterThan(0);
  });
});
