import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { type ConfigInput, parseConfig } from '../../src/config.js';
import type { Store } from '../../src/domain/ports.js';
import { type BridgeProcess, startBridgeProcess } from '../support/clickhouse-bridge-process.js';
import { freePort } from '../support/free-port.js';
import { type KafkaBroker, SASL_USER, startKafkaBroker } from '../support/kafka-broker.js';
import { until } from '../support/service-process.js';

const events = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      prediction_id: `${prefix}${i}`,
      model: 'churn',
      model_version: '3',
      timestamp: '2026-01-01T00:00:00Z',
      features: { age: i % 90 },
      prediction: i % 2,
      prediction_proba: 0.5,
    }),
  );

async function saveModel(store: Store): Promise<void> {
  await store.saveModel({
    model: 'churn',
    modelVersion: '3',
    schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
    registeredAtMs: 0,
  });
}

describe('the service, when what it runs with fails', () => {
  let directory = '';
  let broker: KafkaBroker;
  let running: App | null = null;
  let bridge: BridgeProcess | null = null;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-faults-'));
    broker = await startKafkaBroker();
  });
  afterEach(async () => {
    await running?.stop();
    running = null;
    await bridge?.kill();
    bridge = null;
  });
  afterAll(async () => {
    await broker?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** The model is there before anything is read: a service without it would reject its rows. */
  async function start(input: ConfigInput): Promise<{ app: App; url: string }> {
    const common = { http: { port: 0 }, log: { level: 'silent' } } as const;
    const registrar = await createApp(parseConfig({ ...common, ...input, kafka: undefined, roles: ['api'] }));
    await saveModel(registrar.store);
    await registrar.stop();
    const app = await createApp(parseConfig({ ...common, ...input }));
    running = app;
    const { url } = await app.start();
    return { app, url };
  }
  const readiness = async (url: string) => {
    const response = await fetch(`${url}/readyz`);
    const { reason } = (await response.json()) as { reason?: string };
    return { status: response.status, reason };
  };
  async function becomes(url: string, status: number, reason: RegExp) {
    let now: Awaited<ReturnType<typeof readiness>> | null = null;
    try {
      return await until(`readiness ${status} ${reason}`, 120_000, async () => {
        now = await readiness(url);
        return now.status === status && reason.test(now.reason ?? '') ? now : null;
      });
    } catch (cause) {
      throw new Error(`the last answer was ${JSON.stringify(now)}`, { cause });
    }
  }
  const send = (url: string, lines: readonly string[]) =>
    fetch(`${url}/v1/ingest`, {
      method: 'POST',
      body: lines.join('\n'),
      headers: { 'content-type': 'application/x-ndjson' },
    });

  it('brokers die while it reads: it says so, takes rows over HTTP meanwhile, and misses none when they are back', async () => {
    await broker.createTopic('dying', 2);
    const { app, url } = await start({
      store: { dataDir: join(directory, 'dying') },
      kafka: { brokers: [broker.address], predictions: ['dying'] },
    });
    await becomes(url, 200, /^$/);
    await broker.produce('dying', events('before', 2_000));
    await until('some are stored', 120_000, async () =>
      (await app.store.totals()).predictions > 0 ? true : null,
    );
    await broker.kill();
    await becomes(url, 503, /kafka/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await (await send(url, events('http', 10))).json()).toMatchObject({ accepted: 10 });

    await broker.restart();
    await broker.produce('dying', events('after', 1_000));
    await until('all are stored', 180_000, async () =>
      (await app.store.totals()).predictions >= 3_010 ? true : null,
    );
    expect(await app.store.totals()).toMatchObject({ predictions: 3_010, rejected: 0 });
    await becomes(url, 200, /^$/);
  }, 240_000);

  it('the store dies while it reads: it says so, and each record is stored once when the store is back', async () => {
    await broker.createTopic('storeless', 1);
    const server = { dataDir: join(directory, 'engine'), port: await freePort() };
    bridge = await startBridgeProcess(server);
    const { app, url } = await start({
      roles: ['collector'],
      store: { url: bridge.url },
      kafka: { brokers: [broker.address], group: 'storeless', predictions: ['storeless'] },
    });
    await broker.produce('storeless', events('first', 500));
    await until('the first are stored', 120_000, async () =>
      (await app.store.totals()).predictions === 500 ? true : null,
    );
    await bridge.kill();
    await broker.produce('storeless', ['poison', ...events('second', 500)]);
    await becomes(url, 503, new RegExp(`${server.port}`));
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    bridge = await startBridgeProcess(server);
    await becomes(url, 200, /^$/);
    await until('all are stored', 180_000, async () =>
      (await app.store.totals()).predictions >= 1_000 ? true : null,
    );
    expect(await app.store.totals()).toMatchObject({ predictions: 1_000, rejected: 1 });
  }, 240_000);

  it.each([
    [
      'nobody answers',
      { brokers: ['127.0.0.1:1'] },
      /no kafka broker answers at 127\.0\.0\.1:1: check kafka\.brokers/,
    ],
    ['the topic is missing', { predictions: ['nowhere'] }, /nowhere/],
  ])('%s: it lives, is not ready, and says why', async (name, kafka, reason) => {
    const { url } = await start({
      store: { dataDir: join(directory, name) },
      kafka: { brokers: [broker.address], ...kafka },
    });
    await becomes(url, 503, reason);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('wrong credentials: it names the user, never the password', async () => {
    process.env.FAULTS_TEST_PASSWORD = 'not-the-password';
    const { url } = await start({
      store: { dataDir: join(directory, 'credentials') },
      kafka: {
        brokers: [broker.saslAddress],
        sasl: { username: SASL_USER.username, passwordEnv: 'FAULTS_TEST_PASSWORD' },
      },
    });
    const { reason } = await becomes(url, 503, /refused the credentials/);
    expect(reason).toContain(`user ${SASL_USER.username}`);
    expect(reason).not.toContain('not-the-password');
  });

  it('stopped under scrapes and rows: every answer is whole, and every row answered for is stored', async () => {
    const dataDir = join(directory, 'stopping');
    const { app, url } = await start({ store: { dataDir } });
    let stopped = false;
    let accepted = 0;
    const scrapes: { status: number; whole: boolean }[] = [];
    let cutOff = 0;
    /** Asks again and again until the service is gone; a connection that is refused or closed between answers is no answer. */
    async function keepAsking(ask: (n: number) => Promise<void>): Promise<void> {
      for (let n = 0; !stopped; n += 1) {
        try {
          await ask(n);
        } catch (error) {
          // By its name: fetch throws the outer realm's TypeError.
          if (!(error as Error).message.includes('fetch failed')) throw error;
          cutOff += 1;
          await delay(5);
        }
      }
    }
    const scraping = Array.from({ length: 3 }, () =>
      keepAsking(async () => {
        const response = await fetch(`${url}/metrics`);
        const text = await response.text();
        scrapes.push({
          status: response.status,
          whole: text.endsWith('\n') && text.includes('plumbline_kafka_restarts_total'),
        });
      }),
    );
    const sending = keepAsking(async (n) => {
      const response = await send(url, events(`n${n}-`, 20));
      if (response.status === 200) accepted += ((await response.json()) as { accepted: number }).accepted;
      else await response.arrayBuffer();
    });
    await until('both are under way', 120_000, async () =>
      accepted > 100 && scrapes.length > 20 ? true : null,
    );
    await app.stop();
    // The sooner it is gone, the less they notice while it goes.
    await until('they find it gone', 60_000, async () => (cutOff > 0 ? true : null));
    stopped = true;
    await Promise.all([...scraping, sending]);
    expect(scrapes.filter(({ status, whole }) => status !== 200 || !whole)).toEqual([]);

    const after = await createApp(
      parseConfig({ roles: ['api'], store: { dataDir }, http: { port: 0 }, log: { level: 'silent' } }),
    );
    running = after;
    // A row may be stored whose answer was cut off; never the other way round.
    const { predictions } = await after.store.totals();
    expect(predictions).toBeGreaterThanOrEqual(accepted);
    expect(predictions).toBeLessThanOrEqual(accepted + 20);
  });
});
