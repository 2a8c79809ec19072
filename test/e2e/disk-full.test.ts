import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createStoreClient } from '../../src/store/client.js';
import { freePort } from '../support/free-port.js';
import type { GuardedProcess } from '../support/guarded-process.js';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { startService, until } from '../support/service-process.js';
import { createSmallDisk, type SmallDisk } from '../support/small-disk.js';

const GROUP = 'disk';
const TOPIC = 'predictions';

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

describe('the service on a disk that is full', () => {
  let directory = '';
  let disk: SmallDisk;
  let broker: KafkaBroker;
  let service: GuardedProcess | null = null;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'plumbline-full-'));
    disk = await createSmallDisk(256);
    broker = await startKafkaBroker();
    await broker.createTopic(TOPIC, 2);
  });
  afterAll(async () => {
    await service?.kill();
    await broker?.stop();
    await disk?.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  it('says so, takes nothing that it cannot keep, loses nothing it took, and goes on when there is room', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const configFile = join(directory, 'plumbline.yaml');
    writeFileSync(
      configFile,
      JSON.stringify({
        store: { dataDir: join(disk.directory, 'data') },
        http: { port },
        kafka: { brokers: [broker.address], group: GROUP, predictions: [TOPIC] },
        log: { level: 'warn' },
      }),
    );
    const logFile = join(directory, 'service.log');
    service = await startService({ configFile, url, logFile, through: disk.inside });
    const registered = await fetch(`${url}/v1/models/churn/versions/3`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ task: 'binary', features: [{ name: 'age', kind: 'numeric' }] }),
    });
    expect([registered.status, await registered.text()]).toEqual([201, expect.any(String)]);

    const send = async (prefix: string) => {
      const response = await fetch(`${url}/v1/ingest`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: events(prefix, 1_000).join('\n'),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const readiness = async () => {
      const response = await fetch(`${url}/readyz`);
      const { reason } = (await response.json()) as { reason?: string };
      return { status: response.status, reason };
    };
    let last = '';
    const becomes = (status: number, reason: RegExp) =>
      until(`readiness ${status}`, 180_000, async () => {
        const now = await readiness();
        last = JSON.stringify(now);
        return now.status === status && reason.test(now.reason ?? '') ? now : null;
      }).catch((cause) => {
        throw new Error(`the last answer was ${last}`, { cause });
      });
    const committed = async () =>
      (await broker.committed(GROUP, TOPIC)).reduce((sum, { offset }) => sum + Math.max(0, offset), 0);

    expect(await send('before-')).toMatchObject({ status: 200, body: { accepted: 1_000 } });
    await broker.produce(TOPIC, events('kafka-before-', 2_000));
    await until('what came by Kafka is committed', 180_000, async () =>
      (await committed()) === 2_000 ? true : null,
    );
    await becomes(200, /^$/);

    disk.fill();
    const { reason } = await becomes(503, /only 0 MiB are free/);
    expect(reason).toMatch(/free some, or enlarge it/);
    await broker.produce(TOPIC, events('kafka-meanwhile-', 2_000));
    const refused = await send('meanwhile-');
    expect(refused).toMatchObject({ status: 503, body: { code: 'store_unavailable' } });
    expect(refused.body.detail).toMatch(/its disk is full, free some of it or enlarge it/);
    await becomes(503, /only 0 MiB are free.*kafka/);
    expect(await committed()).toBe(2_000);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);

    disk.free();
    await becomes(200, /^$/);
    await until('what waited in Kafka is committed', 180_000, async () =>
      (await committed()) === 4_000 ? true : null,
    );
    // Nobody knows of what was refused whether it was stored: sent again it is there once.
    const again = await send('meanwhile-');
    expect(again).toMatchObject({ status: 200, body: { received: 1_000, rejected: 0 } });

    service.signal('SIGTERM');
    await service.exited;
    expect(service.exitCode()).toBe(0);
    const copy = join(directory, 'copy');
    cpSync(join(disk.outside, 'data'), copy, { recursive: true, verbatimSymlinks: true });
    const client = await createStoreClient({ kind: 'embedded', dataDir: copy });
    try {
      expect(
        await client.query(
          `SELECT replaceRegexpOne(prediction_id, '[0-9]+$', '') AS sent, toUInt32(count()) AS rows,
             toUInt32(uniqExact(prediction_id)) AS ids FROM predictions GROUP BY sent ORDER BY sent`,
        ),
      ).toEqual([
        { sent: 'before-', rows: 1_000, ids: 1_000 },
        { sent: 'kafka-before-', rows: 2_000, ids: 2_000 },
        { sent: 'kafka-meanwhile-', rows: 2_000, ids: 2_000 },
        { sent: 'meanwhile-', rows: 1_000, ids: 1_000 },
      ]);
      expect(await client.query('SELECT count() AS rows FROM rejected')).toEqual([{ rows: 0 }]);
    } finally {
      await client.close();
    }
  }, 400_000);
});
