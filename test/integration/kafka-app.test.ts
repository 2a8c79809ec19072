import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';
import { createStore } from '../../src/store/store.js';
import { type KafkaBroker, SASL_USER, startKafkaBroker } from '../support/kafka-broker.js';
import { until } from '../support/kafka-collect.js';
import { createSilentLogger } from '../support/silent-logger.js';

describe('the service with a kafka section', () => {
  let broker: KafkaBroker;
  let running: App | null = null;
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-kafka-app-'));
  beforeAll(async () => {
    broker = await startKafkaBroker();
  });
  afterEach(async () => {
    await running?.stop();
    running = null;
  });
  afterAll(async () => {
    await broker.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function startApp(dataDir: string, kafka: unknown): Promise<{ app: App; url: string }> {
    const app = await createApp(
      parseConfig({
        store: { dataDir: join(directory, dataDir) },
        http: { port: 0 },
        log: { level: 'silent' },
        kafka,
      }),
    );
    running = app;
    const { url } = await app.start();
    return { app, url };
  }
  const readiness = async (url: string) => {
    const response = await fetch(`${url}/readyz`);
    return { status: response.status, body: await response.text() };
  };

  it('stores predictions and labels of registered models, and shows lag and readiness', async () => {
    await broker.createTopic('predictions', 1);
    await broker.createTopic('labels', 1);
    const prepared = await createStore({
      kind: 'embedded',
      dataDir: join(directory, 'good'),
      logger: createSilentLogger(),
    });
    await prepared.migrate();
    await prepared.saveModel({
      model: 'churn',
      modelVersion: '3',
      schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
      registeredAtMs: 0,
    });
    await prepared.close();
    process.env.KAFKA_APP_TEST_PASSWORD = SASL_USER.password;
    const { app, url } = await startApp('good', {
      brokers: [broker.saslAddress],
      labels: ['labels'],
      sasl: { username: SASL_USER.username, passwordEnv: 'KAFKA_APP_TEST_PASSWORD' },
    });
    await until('ready', async () => (await readiness(url)).status === 200);
    const event = (over: object) =>
      JSON.stringify({
        model: 'churn',
        model_version: '3',
        timestamp: '2026-01-01T00:00:00Z',
        features: { age: 31 },
        prediction: 1,
        prediction_proba: 0.8,
        ...over,
      });
    await broker.produce('predictions', [
      event({ prediction_id: 'a' }),
      // Without an id, its place in the log is one.
      event({}),
      event({ prediction_id: 'a' }),
      event({ prediction_id: 'b', model: 'none' }),
    ]);
    const label = { prediction_id: 'a', model: 'churn', model_version: '3', label: 1 };
    await broker.produce('labels', [JSON.stringify({ ...label, timestamp: '2026-01-02T00:00:00Z' })]);
    await until('all stored', async () => {
      const { predictions, labels, rejected } = await app.store.totals();
      return predictions === 2 && labels === 1 && rejected === 1;
    });
    expect(await app.store.totals()).toMatchObject({ labelsMatched: 1 });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/plumbline_duplicates_total\{kind="prediction"\} 1/);
    await until('no lag', async () =>
      /plumbline_kafka_lag\{topic="predictions",partition="0"\} 0/.test(
        await (await fetch(`${url}/metrics`)).text(),
      ),
    );
  });

  it('lives, but is not ready, without a broker', async () => {
    const { url } = await startApp('bad', { brokers: ['127.0.0.1:1'] });
    await until('the reason is known', async () =>
      /no kafka broker answers/.test((await readiness(url)).body),
    );
    expect((await readiness(url)).status).toBe(503);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});
