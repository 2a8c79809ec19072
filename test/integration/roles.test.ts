import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { registerModel } from '../../src/cli/model.js';
import { createServiceClient } from '../../src/cli/service-client.js';
import { type ConfigInput, parseConfig } from '../../src/config.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { startClickHouseBridge } from '../support/clickhouse-bridge.js';
import { type BridgeProcess, startBridgeProcess } from '../support/clickhouse-bridge-process.js';
import { until } from '../support/service-process.js';

const START_MS = Date.UTC(2025, 0, 1);
const QUIET = {
  json: false,
  stdout: { write: () => true },
  stderr: { write: () => true, isTTY: false },
} as unknown as Parameters<typeof registerModel>[2];

/** Rows every quarter of an hour: `size` runs evenly through 0 … 99. */
function rows(fromMs: number, days: number, shift = 0) {
  return Array.from({ length: days * 96 }, (_, i) => ({
    prediction_id: `r${fromMs}-${i}`,
    model: 'sizes',
    model_version: '1',
    timestamp: new Date(fromMs + (i * HOUR_MS) / 4).toISOString(),
    features: { size: ((i * 37) % 100) + shift },
    prediction: i % 2,
  }));
}

describe('collector, detector and api as three processes over one store', () => {
  let directory = '';
  let bridge: BridgeProcess;
  const apps: App[] = [];
  const urls: Record<string, string> = {};

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-roles-'));
    // In a process of its own: the api reads reference files with an engine of its own, and a process holds one directory.
    bridge = await startBridgeProcess({ dataDir: join(directory, 'data') });
    for (const role of ['collector', 'detector', 'api'] as const) {
      const input: ConfigInput = {
        roles: [role],
        store: { url: bridge.url },
        http: { port: 0 },
        clock: 'data',
        jobs: { cron: '* * * * * *' },
        log: { level: 'silent' },
        reports: { dir: join(directory, 'reports') },
        defaults: { window: { length: '24h', step: '24h' } },
      };
      const app = await createApp(parseConfig(input));
      apps.push(app);
      urls[role] = (await app.start()).url;
    }
  });
  afterAll(async () => {
    for (const app of apps) await app.stop();
    await bridge.kill();
    await rm(directory, { recursive: true, force: true });
  });

  const status = async (role: string, path: string, init?: RequestInit) =>
    (await fetch(`${urls[role]}${path}`, init)).status;

  it('each answers for its own role only', async () => {
    const ingest = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
    const answers: Record<string, number[]> = {};
    for (const role of ['collector', 'detector', 'api'])
      answers[role] = [
        await status(role, '/v1/ingest', ingest),
        await status(role, '/v1/models'),
        await status(role, '/'),
      ];
    expect(answers).toEqual({
      collector: [200, 404, 404],
      detector: [404, 404, 404],
      api: [404, 200, 200],
    });
  });

  it('each is alive, tells what it needs to be ready, and has metrics', async () => {
    for (const role of ['collector', 'detector', 'api']) {
      expect(await status(role, '/healthz')).toBe(200);
      expect(await status(role, '/metrics')).toBe(200);
      const ready = (await (await fetch(`${urls[role]}/readyz`)).json()) as {
        status: string;
        checks?: { name: string; ok: boolean }[];
      };
      expect(ready.status).toBe('ready');
      expect((ready.checks ?? []).map((check) => check.name)).toEqual(
        role === 'detector' ? ['detection'] : [],
      );
    }
  });

  it('what one registers the second takes rows for, and the third judges at the time of the data', async () => {
    const reference = join(directory, 'reference.ndjson');
    const lines = rows(START_MS, 20).map(({ features, prediction, timestamp }) =>
      JSON.stringify({ ...features, prediction, timestamp }),
    );
    await writeFile(reference, lines.join('\n'));
    const client = createServiceClient({ url: urls.api ?? '' });
    await registerModel(client, { model: 'sizes', version: '1', reference }, QUIET);

    const collector = createServiceClient({ url: urls.collector ?? '' });
    const [probe, ...rest] = rows(START_MS + 20 * DAY_MS, 3, 60).map((row) => JSON.stringify(row));
    // The collector learns of the model within its refresh interval.
    await until('the collector knows the model', 120_000, async () => {
      const counts = (await collector.postLines('/v1/ingest', [probe ?? ''])) as { accepted: number };
      return counts.accepted === 1 ? true : null;
    });
    expect(await collector.postLines('/v1/ingest', rest)).toMatchObject({ accepted: 287, rejected: 0 });

    const verdicts = await until('two days are judged', 120_000, async () => {
      const body = (await client.get('/v1/models/sizes/verdicts?version=1&detector=ks&feature=size')) as {
        verdicts: { status: string; currentRows: number }[];
      };
      return body.verdicts.length >= 2 ? body.verdicts : null;
    });
    expect(verdicts.map(({ status, currentRows }) => [status, currentRows])).toEqual([
      ['drifted', 96],
      ['drifted', 96],
    ]);
    const gauges = await Promise.all(
      ['collector', 'detector', 'api'].map(async (role) => [
        role,
        /plumbline_drift_status\{[^}]*feature="size",detector="neyman"\} 1/.test(
          await (await fetch(`${urls[role]}/metrics`)).text(),
        ),
      ]),
    );
    expect(Object.fromEntries(gauges)).toEqual({ collector: false, detector: true, api: false });
    // The pages' time is the data's too, though this process has taken no row.
    await until('the page tells the time of the newest event', 120_000, async () => {
      const page = await (await fetch(`${urls.api}/models/sizes/versions/1`)).text();
      return /Generated [^<]*23:45 UTC/.test(page) ? true : null;
    });
    expect(await client.postJson('/v1/reports', { model: 'sizes', modelVersion: '1' })).toMatchObject({
      path: expect.stringContaining(join(directory, 'reports')),
    });
  });
});

describe('a process that lacks its store', () => {
  it('is alive and not ready', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'plumbline-roles-'));
    const bridge = await startClickHouseBridge({ dataDir: directory });
    const app = await createApp(
      parseConfig({
        roles: ['collector'],
        store: { url: bridge.url },
        http: { port: 0 },
        log: { level: 'silent' },
      }),
    );
    try {
      const { url } = await app.start();
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      await bridge.stop();
      const response = await fetch(`${url}/readyz`);
      expect(response.status).toBe(503);
      expect((await response.json()) as object).toMatchObject({
        status: 'not ready',
        reason: expect.stringContaining(new URL(bridge.url).host),
      });
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
    } finally {
      await app.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
