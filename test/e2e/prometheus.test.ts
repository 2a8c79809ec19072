import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { createAlertEngine } from '../../src/alerts/alert-engine.js';
import { createVerdictGauges } from '../../src/alerts/prometheus.js';
import { createStandings } from '../../src/alerts/standings.js';
import { HOUR_MS } from '../../src/domain/window.js';
import { createMetrics } from '../../src/metrics.js';
import { expandQuery, panelQueries } from '../support/grafana-queries.js';
import { createMemoryAlertStore } from '../support/memory-alert-store.js';
import { hourWindow, outcomeOf, verdictOf } from '../support/outcomes.js';
import { eventually, type PrometheusStack, startPrometheusStack } from '../support/prometheus-stack.js';
import { createSilentLogger } from '../support/silent-logger.js';

interface Page {
  readonly path: string;
  readonly body: {
    readonly channel?: string;
    readonly attachments?: { title: string; title_link: string; text: string; color: string }[];
    readonly status?: string;
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const pages: Page[] = [];
const metrics = createMetrics();
const logger = createSilentLogger();
const gauges = createVerdictGauges({ metrics, logger, routeOf: (_model, category) => category });
const memory = createMemoryAlertStore();
const clock = { now: () => 0, observe: () => undefined };
const standings = createStandings({ store: memory.store, maintenanceOf: () => [], clock });
const engine = createAlertEngine({
  store: memory.store,
  standings,
  policyFor: () => ({ openCount: 2, openWindows: 2, closeCount: 2, cooldownMs: 0, stepMs: HOUR_MS }),
  hooksFor: () => [],
  gauges,
  clock,
  logger,
  publicUrl: null,
});
const servers: Server[] = [];
let stack: PrometheusStack;

const WHY = 'age: 31 % of values moved, most from at or below 32 to above 51; its "unknown" is new.';

/** One window of two models: `churn` as told, `calm` always clean. */
async function judge(n: number, state: 'd' | 'c'): Promise<void> {
  for (const [model, own] of [
    ['churn', state],
    ['calm', 'c'],
  ] as const) {
    const outcome = { ...outcomeOf(n, own, { model }), ...(own === 'd' ? { why: [WHY] } : {}) };
    await memory.store.saveOutcomes([outcome]);
    await engine.windowJudged([outcome]);
    const material = own === 'd';
    gauges.windowJudged({ model, modelVersion: '3' }, [
      verdictOf({
        model,
        window: hourWindow(n),
        material,
        status: material ? 'drifted' : 'stable',
        statistic: material ? 0.4 : 0.02,
        effect: { value: material ? 0.4 : 0.02, low: 0, high: 1 },
      }),
      verdictOf({ model, window: hourWindow(n), feature: 'prediction', status: 'stable', material: false }),
    ]);
  }
}

function titles(): string[] {
  return pages.flatMap((page) => page.body.attachments ?? []).map((attachment) => attachment.title);
}

beforeAll(async () => {
  const app = express();
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  // What the rules ask of a healthy service besides the episodes: the job has just run.
  metrics.lastSuccess.set(Date.now() / 1_000);
  const service = createServer(app);
  const receiver = createServer((request, response) => {
    text(request).then(
      (body) => {
        pages.push({ path: request.url ?? '', body: JSON.parse(body) as Page['body'] });
        response.end('ok');
      },
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  servers.push(service, receiver);
  const scrapePort = await listen(service);
  const receiverUrl = `http://127.0.0.1:${await listen(receiver)}`;
  stack = await startPrometheusStack({
    scrapePorts: [scrapePort],
    slackUrl: `${receiverUrl}/slack`,
    watchdogUrl: `${receiverUrl}/watchdog`,
  });
});

afterAll(async () => {
  await stack?.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

describe('real Prometheus and Alertmanager', () => {
  it('accept the series as they are served', async () => {
    await judge(0, 'c');
    await eventually(
      'the scrape of the verdicts',
      async () => (await stack.query('plumbline_drift_status')).length === 4,
      { tail: stack.tail },
    );
    const [threshold] = await stack.query('plumbline_drift_threshold{model="churn",feature="age"}');
    expect(threshold).toMatchObject({
      value: 0.1,
      metric: { model: 'churn', model_version: '3', feature: 'age', detector: 'ks' },
    });
  });

  it.each(
    panelQueries()
      .filter((query) => query.language === 'promql')
      .map(({ name, text }) => [name, text]),
  )('understand the panel %s', async (_name, text) => {
    const expr = expandQuery(text, {
      job: '.+',
      model: 'churn',
      modelVersion: '3',
      fromMs: 0,
      toMs: 0,
      intervalSeconds: 60,
    });
    // What counts something that has not happened here is empty; what shows a verdict is not.
    const result = await stack.query(expr);
    expect(Array.isArray(result)).toBe(true);
    if (/^(max|avg|topk|count)\b.*plumbline_drift(ed|_)/.test(expr)) expect(result.length).toBeGreaterThan(0);
  });

  it('hear the dead man’s switch, and page nobody while nothing drifts', async () => {
    await eventually(
      'the dead man’s switch',
      async () => pages.some((page) => page.path === '/watchdog' && page.body.status === 'firing'),
      { tail: stack.tail },
    );
    await judge(1, 'd');
    expect(titles()).toEqual([]);
  });

  it('page once an episode is open, readably, and resolve when the data is clean again', async () => {
    await judge(2, 'd');
    await eventually('the page', async () => titles().length > 0, { tail: stack.tail });
    const page = pages.find((candidate) => candidate.body.attachments !== undefined);
    expect(page?.body.channel).toBe('#oncall');
    expect(page?.body.attachments?.[0]).toMatchObject({
      title: '[FIRING 1] PlumblineDrift churn v3 (critical)',
      title_link: 'https://plumbline.example/models/churn/versions/3',
      color: 'danger',
    });
    const message = page?.body.attachments?.[0]?.text.split('\n');
    expect(message).toEqual([
      "A model's inputs or predictions have drifted from its training baseline.",
      `churn version 3 has an open drift episode (critical); 1 column(s) drifted in the last window. ${WHY}`,
      expect.stringMatching(/^Since \d{4}-\d\d-\d\d \d\d:\d\d UTC$/),
      'Page: https://plumbline.example/models/churn/versions/3',
      'Dashboard: https://grafana.example/d/plumbline-model?var-model=churn&var-model_version=3',
      'What to do: https://runbooks.example/plumbline/PlumblineDrift.md',
    ]);

    await judge(3, 'c');
    await judge(4, 'c');
    await eventually('the resolution', async () => titles().length > 1, { tail: stack.tail });
    expect(titles()).toEqual([
      '[FIRING 1] PlumblineDrift churn v3 (critical)',
      '[RESOLVED] PlumblineDrift churn v3 (critical)',
    ]);
  });

  it('serve the recorded margin of the worst column', async () => {
    await judge(5, 'd');
    await eventually(
      'the recording rule',
      async () =>
        (await stack.query('model_version:plumbline_drift_margin:max{model="churn"}'))[0]?.value === 4,
      { tail: stack.tail },
    );
    expect((await stack.query('ALERTS{model="calm"}')).map((alert) => alert.metric.alertname)).toEqual([]);
  });
});
