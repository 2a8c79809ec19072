import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient } from '../../src/cli/service-client.js';
import { parseConfig } from '../../src/config.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { dayOf, FLIGHTS_MODEL, FLIGHTS_REFERENCE, firstFlights, idOf } from '../support/flight-events.js';
import { expandQuery, panelQueries } from '../support/grafana-queries.js';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { eventually, type PrometheusStack, startPrometheusStack } from '../support/prometheus-stack.js';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.js';

const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const DAYS = ['2013-05-06', '2013-05-07', '2013-05-08', '2013-05-09', '2013-05-10'];
/** What has not happened to this service: no record was lost, no series was over the budget. */
const NOTHING_TO_SHOW = /plumbline_(kafka_records_lost|series_dropped)_total/;

const context = {
  job: '.+',
  model: FLIGHTS_MODEL,
  modelVersion: '1',
  fromMs: Date.parse(DAYS[0] ?? ''),
  toMs: Date.parse(DAYS[0] ?? '') + 10 * DAY_MS,
  intervalSeconds: 60,
};
const queries = panelQueries();
const inLanguage = (language: string) =>
  queries.filter((query) => query.language === language).map(({ name, text }) => [name, text] as const);

describe('dashboards over a service that watches flights', () => {
  let directory = '';
  let broker: KafkaBroker;
  let receiver: WebhookReceiver;
  let app: App;
  let stack: PrometheusStack;
  let engine: StoreClient;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-grafana-flights-'));
    const secretFile = join(directory, 'secret');
    await writeFile(secretFile, SECRET);
    broker = await startKafkaBroker();
    await broker.createTopic('predictions', 2);
    await broker.createTopic('labels', 1);
    receiver = await startWebhookReceiver(SECRET);
    // Gone for the first event, which is given up; a fault for the second, which is sent again.
    receiver.answerNext({ status: 410 }, { status: 500 });
    const dataDir = join(directory, 'data');
    app = await createApp(
      parseConfig({
        store: { dataDir },
        http: { port: 0 },
        kafka: { brokers: [broker.address], predictions: ['predictions'], labels: ['labels'] },
        clock: 'data',
        jobs: { cron: '* * * * * *' },
        log: { level: 'error' },
        webhooks: { allow: ['127.0.0.1'] },
        defaults: { window: { length: '24h', step: '24h' }, retrain: { url: receiver.url, secretFile } },
      }),
    );
    const { url } = await app.start();
    const client = createServiceClient({ url });
    await client.putFile(
      `/v1/models/${FLIGHTS_MODEL}/versions/1/reference`,
      FLIGHTS_REFERENCE,
      'application/vnd.apache.parquet',
    );
    stack = await startPrometheusStack({
      scrapePorts: [Number(new URL(url).port)],
      slackUrl: 'http://127.0.0.1:9/',
      watchdogUrl: 'http://127.0.0.1:9/',
    });
    engine = await createStoreClient({ kind: 'embedded', dataDir });

    const flights = firstFlights(Number.POSITIVE_INFINITY);
    const predictions = flights.predictions
      .filter((line) => DAYS.includes(dayOf(line)))
      .map((line, i) => line.replace('"tags"', `"latency_ms":${1 + (i % 40)},"tags"`));
    const ids = new Set(predictions.map(idOf));
    const labels = flights.labels.filter((line) => ids.has(idOf(line)));
    const [first, ...rest] = DAYS.map((day) => predictions.filter((line) => dayOf(line) === day));
    // Once all is scraped, so that rates have something to grow from.
    await client.postLines('/v1/ingest', [...(first ?? []), '{"prediction_id":"x"}']);
    await client.postLines('/v1/ingest', first ?? []);
    await client.postLines('/v1/labels', labels.slice(0, 100));
    await broker.produce('predictions', rest.flat());
    await broker.produce('labels', labels.slice(100));
    await eventually(
      'all is stored and judged',
      async () => {
        const { predictions: rows, labelsMatched } = await app.store.totals();
        await app.settle();
        // what an operator does with an endpoint that was gone and is back
        for (const hold of await app.store.listHolds()) await app.store.saveHold({ ...hold, held: false });
        return rows === predictions.length && labelsMatched === labels.length;
      },
      { timeoutMs: 240_000 },
    );
  }, 300_000);
  afterAll(async () => {
    await stack?.stop();
    await engine?.close();
    await app?.stop();
    await receiver?.close();
    await broker?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it.each(inLanguage('sql'))('%s returns rows from the engine', async (_name, text) => {
    expect((await engine.query(expandQuery(text, context))).length).toBeGreaterThan(0);
  });

  it.each(inLanguage('promql'))('%s returns numbers from Prometheus', async (_name, text) => {
    const expr = expandQuery(text, context);
    if (NOTHING_TO_SHOW.test(expr)) {
      expect(await stack.query(expr)).toEqual([]);
      return;
    }
    await eventually(
      expr,
      async () => (await stack.query(expr)).some(({ value }) => Number.isFinite(value)),
      { timeoutMs: 60_000, tail: stack.tail },
    );
  });

  it('show what happened', async () => {
    const value = async (expr: string) => (await stack.query(expr))[0]?.value;
    expect(await value('sum(plumbline_episode_open{category="drift"})')).toBe(1);
    expect(await value('sum(plumbline_rejected_total)')).toBe(1);
    expect(await value('sum(plumbline_kafka_lag)')).toBe(0);
    expect(await value('sum(plumbline_webhook_deliveries_total{outcome="failed"})')).toBe(1);
    expect(await value('min(plumbline_detector_last_success_timestamp_seconds)')).toBeGreaterThan(
      Date.now() / 1_000 - 600,
    );
  });
});
