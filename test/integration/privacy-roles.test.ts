import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { type ConfigInput, parseConfig } from '../../src/config.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { type BridgeProcess, startBridgeProcess } from '../support/clickhouse-bridge-process.js';
import { until } from '../support/kafka-collect.js';
import { storedText } from '../support/stored-text.js';

const KEY_ENV = 'PLUMBLINE_PRIVACY_ROLES_KEY';
const START = Date.UTC(2026, 0, 5);
const eventAt = (index: number) => ({
  prediction_id: `secret-id-${index}`,
  model: 'churn',
  model_version: '1',
  timestamp: new Date(START + index * 60_000).toISOString(),
  features: { age: 20 + (index % 40), email: `secret-${index}@example.org`, zip: `secret-zip-${index % 3}` },
  prediction: index % 2,
  tags: { customer: `secret-customer-${index % 4}` },
});

describe('collector and api as two processes over one store, with a privacy policy', () => {
  let directory = '';
  let bridge: BridgeProcess;
  let client: StoreClient;
  const apps: App[] = [];
  const urls: Record<string, string> = {};

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-privacy-roles-'));
    process.env[KEY_ENV] = 'a key for tests, of no worth';
    bridge = await startBridgeProcess({ dataDir: join(directory, 'data') });
    for (const role of ['collector', 'api'] as const) {
      const input: ConfigInput = {
        roles: [role],
        store: { url: bridge.url },
        http: { port: 0 },
        log: { level: 'silent' },
        reports: { dir: join(directory, 'reports') },
        privacy: { keyEnv: KEY_ENV },
        models: {
          churn: {
            privacy: {
              features: { email: 'drop', zip: 'hash' },
              tags: { customer: 'hash' },
              predictionId: 'hash',
            },
          },
        },
      };
      const app = await createApp(parseConfig(input));
      apps.push(app);
      urls[role] = (await app.start()).url;
    }
    client = await createStoreClient({
      kind: 'http',
      url: bridge.url,
      database: 'plumbline',
      username: 'default',
      password: '',
    });
  });
  afterAll(async () => {
    await client?.close();
    for (const app of apps) await app.stop();
    await bridge?.kill();
    await rm(directory, { recursive: true, force: true });
  });

  const send = async (role: string, method: string, path: string, body: string, type: string) => {
    const response = await fetch(`${urls[role]}${path}`, { method, body, headers: { 'content-type': type } });
    return (await response.json()) as Record<string, unknown>;
  };
  const ingest = (events: readonly object[]) =>
    send(
      'collector',
      'POST',
      '/v1/ingest',
      events.map((event) => JSON.stringify(event)).join('\n'),
      'application/x-ndjson',
    );
  const erase = (target: object) =>
    send('api', 'POST', '/v1/models/churn/erasures', JSON.stringify(target), 'application/json');

  it('registers with one, and takes treated rows with the other', async () => {
    const reference = Array.from({ length: 200 }, (_, index) => {
      const { features, prediction, timestamp } = eventAt(index);
      return JSON.stringify({ ...features, prediction, timestamp });
    }).join('\n');
    const registered = await send(
      'api',
      'PUT',
      '/v1/models/churn/versions/1/reference',
      reference,
      'application/x-ndjson',
    );
    expect(registered).toHaveProperty('reference');
    // The collector learns of it within its refresh interval; what comes before is kept, treated.
    await until('the collector takes rows', async () => (await ingest([eventAt(0)])).accepted === 1);
    expect(await ingest(Array.from({ length: 20 }, (_, index) => eventAt(index)))).toMatchObject({
      accepted: 19,
      duplicate: 1,
    });
    const label = { prediction_id: 'secret-id-1', model: 'churn', model_version: '1', label: 1 };
    await send(
      'collector',
      'POST',
      '/v1/labels',
      JSON.stringify({ ...label, timestamp: '2026-01-06T00:00:00Z' }),
      'application/json',
    );
    const [matched] = await client.query<{ n: number }>(
      'SELECT count() AS n FROM labels WHERE identity IN (SELECT identity FROM predictions)',
    );
    expect(matched).toEqual({ n: 1 });
    const stored = await storedText(client);
    expect(Object.keys(stored).filter((table) => stored[table]?.includes('secret-'))).toEqual([]);
  });

  // Erasures wait until every collector knows of them.
  it('erases by what was sent, and the collector refuses it from then on', async () => {
    expect(await erase({ predictionId: 'secret-id-1' })).toMatchObject({
      erased: { predictions: 1, labels: 1 },
    });
    expect(await erase({ subject: { tag: 'customer', value: 'secret-customer-2' } })).toMatchObject({
      erased: { predictions: 5 },
    });
    expect(await ingest(Array.from({ length: 20 }, (_, index) => eventAt(index)))).toEqual({
      received: 20,
      accepted: 0,
      duplicate: 14,
      rejected: 0,
      erased: 6,
      errors: [],
    });
  });
});
