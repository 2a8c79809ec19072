import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { type ConfigInput, parseConfig } from '../../src/config.js';
import { createStoreClient } from '../../src/store/client.js';
import { startForwarder } from '../support/forwarders.js';
import type { GuardedProcess } from '../support/guarded-process.js';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { until } from '../support/kafka-collect.js';

const EVENTS = 100_000;
const HALF = EVENTS / 2;

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) =>
    JSON.stringify({
      prediction_id: `e${from + i}`,
      model: 'churn',
      model_version: '3',
      timestamp: '2026-01-01T00:00:00Z',
      features: { age: (from + i) % 90, plan: i % 3 === 0 ? 'pro' : 'größer "frei"\\' },
      prediction: i % 2,
      prediction_proba: 0.5,
    }),
  );

/** A line of a writer that died in the middle of it. */
const CUT = '{"prediction_id":"cut","model":"churn","features":{"age":';

/** A balancer before the service, that answers by itself while it `refuses`, and loses the answer to each request for which `loses` says so. */
async function startFront(target: string) {
  const front = { url: '', refuses: false, refused: 0, rows: 0, requests: 0, lost: 0, loses: () => false };
  const server: Server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    front.requests += 1;
    if (front.refuses) {
      front.refused += 1;
      response.writeHead(503, { 'content-type': 'text/plain' }).end('no server is available\n');
      return;
    }
    const loses = front.loses();
    const answer = await fetch(`${target}${request.url}`, {
      method: request.method ?? 'POST',
      headers: { 'content-type': request.headers['content-type'] ?? '' },
      body: Buffer.concat(parts),
    });
    const text = await answer.text();
    if (answer.ok) front.rows += (JSON.parse(text) as { received: number }).received;
    if (loses) front.lost += 1;
    response.writeHead(loses ? 504 : answer.status, { 'content-type': 'application/json' }).end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  front.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(front, {
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  });
}

describe('real log forwarders, with the configurations of examples/forwarders', () => {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-forwarders-'));
  let broker: KafkaBroker;
  let app: App | null = null;
  let forwarder: GuardedProcess | null = null;
  beforeAll(async () => {
    broker = await startKafkaBroker();
  }, 240_000);
  afterEach(async () => {
    await forwarder?.kill();
    forwarder = null;
    await app?.stop();
    app = null;
  });
  afterAll(async () => {
    await broker?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** The service with the model registered, and half of the events in a file. */
  async function prepare(name: string, kafka?: ConfigInput['kafka']) {
    const dataDir = join(directory, name, 'data');
    const common = { store: { dataDir }, http: { port: 0 }, log: { level: 'silent' } } as const;
    const registrar = await createApp(parseConfig({ ...common, roles: ['api'] }));
    await registrar.store.saveModel({
      model: 'churn',
      modelVersion: '3',
      schema: {
        task: 'binary',
        features: [
          { name: 'age', kind: 'numeric' },
          { name: 'plan', kind: 'categorical' },
        ],
      },
      registeredAtMs: 0,
    });
    await registrar.stop();
    const service = await createApp(parseConfig({ ...common, kafka }));
    app = service;
    const { url } = await service.start();
    const file = join(directory, name, 'predictions.ndjson');
    writeFileSync(file, `${lines(0, HALF).join('\n')}\n`);
    return {
      service,
      url,
      dataDir,
      file,
      work: join(directory, name, 'forwarder'),
      appendRest: () => appendFileSync(file, `${CUT}\n${lines(HALF, EVENTS).join('\n')}\n`),
    };
  }
  const forwards = () => {
    if (forwarder?.exitCode() !== null) throw new Error(`the forwarder has ended:\n${forwarder?.tail()}`);
    return true;
  };
  const stored = async (service: App) => (await service.store.totals()).predictions;

  async function expectAllOnce(service: App, dataDir: string): Promise<void> {
    await until('all are stored', async () => forwards() && (await stored(service)) >= EVENTS, 240_000, 200);
    expect(await service.store.totals()).toMatchObject({ predictions: EVENTS, rejected: 1 });
    await service.stop();
    app = null;
    const client = await createStoreClient({ kind: 'embedded', dataDir });
    try {
      const [found] = await client.query<object>(
        `SELECT uniqExact(prediction_id) AS ids, sum(toUInt64(substring(prediction_id, 2))) AS numbers,
           countIf(num['age'] != toUInt64(substring(prediction_id, 2)) % 90) AS wrong,
           arraySort(groupUniqArray(cat['plan'])) AS plans FROM predictions`,
      );
      expect(found).toMatchObject({
        ids: EVENTS,
        numbers: (EVENTS * (EVENTS - 1)) / 2,
        wrong: 0,
        plans: ['größer "frei"\\', 'pro'],
      });
    } finally {
      await client.close();
    }
  }

  it('syslog-ng sends JSON arrays by HTTP: each event arrives once, also when it is answered 503 for a while and answers are lost', async () => {
    const { service, url, dataDir, file, work, appendRest } = await prepare('http');
    const front = await startFront(url);
    try {
      front.loses = () => front.rows > 10_000 && front.lost < 2;
      forwarder = startForwarder({
        example: 'syslog-ng-http.conf',
        directory: work,
        changes: {
          '/var/log/model/predictions.ndjson': file,
          'http://plumbline:8080': front.url,
          'time-reopen(2)': 'time-reopen(1)',
        },
      });
      await until('some are there', () => forwards() && front.rows >= 20_000, 120_000);
      front.refuses = true;
      appendRest();
      // More often than its own three tries, after which it would throw a batch away.
      await until('it is refused again and again', () => forwards() && front.refused >= 10, 120_000);
      const before = await stored(service);
      expect(before).toBeLessThan(EVENTS);
      front.refuses = false;
      await expectAllOnce(service, dataDir);
      expect(front.lost).toBe(2);
      // What was stored and not answered for came again, and was known.
      expect(front.rows).toBeGreaterThan(EVENTS);
    } finally {
      await front.stop();
    }
  }, 480_000);

  it.each([
    ['syslog-ng', 'syslog-ng-kafka.conf', {}],
    ['rsyslog', 'rsyslog-kafka.conf', { '/var/spool/rsyslog': 'WORK' }],
  ] as const)(
    '%s sends to Kafka: each event arrives once, also when the broker dies meanwhile',
    async (name, example, changes) => {
      await broker.createTopic(name, 2);
      const { service, dataDir, file, work, appendRest } = await prepare(`${name}-kafka`, {
        brokers: [broker.address],
        group: name,
        predictions: [name],
      });
      forwarder = startForwarder({
        example,
        directory: work,
        changes: {
          ...Object.fromEntries(Object.keys(changes).map((from) => [from, work])),
          '/var/log/model/predictions.ndjson': file,
          'kafka:9092': broker.address,
          [example.startsWith('rsyslog') ? 'topic="predictions"' : 'topic("predictions")']:
            example.startsWith('rsyslog') ? `topic="${name}"` : `topic("${name}")`,
        },
      });
      await until('some are stored', async () => forwards() && (await stored(service)) >= 10_000, 120_000);
      await broker.kill();
      appendRest();
      await broker.restart();
      await expectAllOnce(service, dataDir);
      const sent = (await broker.endOffsets(name)).reduce((sum, end) => sum + end, 0);
      expect(sent).toBeGreaterThanOrEqual(EVENTS);
    },
    480_000,
  );
});
