import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { createStoreClient } from '../../src/store/client.js';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { until } from '../support/kafka-collect.js';
import { tablesWith } from '../support/stored-text.js';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5);
const POSTCODES = ['secret-3011', 'secret-3012', 'secret-4001', 'secret-8001'];
const KEY_ENV = 'PLUMBLINE_PRIVACY_TEST_KEY';

/** One event an hour; the same every day, so that nothing drifts but what the policy would make drift. */
function featuresAt(index: number) {
  return {
    email: `secret-${index}@example.org`,
    postcode: POSTCODES[index % POSTCODES.length],
    age: 20 + (index % 40),
    income: 1_000.25 + 13 * (index % 97),
    plan: index % 3 === 0 ? 'pro' : 'basic',
  };
}
const eventAt = (index: number, over: object = {}) => ({
  prediction_id: `p-${index}`,
  model: 'churn',
  model_version: '1',
  timestamp: new Date(START + index * (HOUR / 20)).toISOString(),
  features: featuresAt(index),
  prediction: index % 2,
  prediction_proba: index % 2 === 0 ? 0.2 : 0.8,
  tags: { customer: `secret-customer-${index % 5}`, region: 'eu' },
  ...over,
});

describe('a model with a privacy policy, through the service', () => {
  let directory = '';
  let broker: KafkaBroker;
  let app: App;
  let url = '';

  const post = async (path: string, body: string, type = 'application/x-ndjson') => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    return (await response.json()) as Record<string, number>;
  };
  const lines = (events: readonly object[]) => events.map((event) => JSON.stringify(event)).join('\n');

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-privacy-'));
    broker = await startKafkaBroker();
    await broker.createTopic('predictions', 1);
    process.env[KEY_ENV] = 'a key for tests, of no worth';
    app = await createApp(
      parseConfig({
        store: { dataDir: join(directory, 'data') },
        http: { port: 0 },
        clock: 'data',
        jobs: { cron: '0 0 0 1 1 *' },
        log: { level: 'silent' },
        kafka: { brokers: [broker.address] },
        privacy: { keyEnv: KEY_ENV },
        models: {
          churn: {
            window: { length: '24h', step: '24h' },
            privacy: {
              features: { email: 'drop', postcode: 'hash', age: { width: 10 }, income: 'bucket' },
              tags: { customer: 'hash' },
            },
          },
        },
      }),
    );
    ({ url } = await app.start());
    const reference = lines(
      Array.from({ length: 480 * 3 }, (_, index) => ({
        ...featuresAt(index),
        timestamp: new Date(START - 3 * 24 * HOUR + index * (HOUR / 20)).toISOString(),
        prediction: index % 2,
        prediction_proba: index % 2 === 0 ? 0.2 : 0.8,
      })),
    );
    const registered = await fetch(`${url}/v1/models/churn/versions/1/reference`, {
      method: 'PUT',
      headers: { 'content-type': 'application/x-ndjson' },
      body: reference,
    });
    expect(registered.status).toBe(201);
  });
  afterAll(async () => {
    await app?.stop();
    await broker?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('registers what is treated: kinds, rules and columns', async () => {
    const { models } = (await (await fetch(`${url}/v1/models`)).json()) as {
      models: { schema: { features: { name: string; kind: string; privacy?: { rule: string } }[] } }[];
    };
    const features = models[0]?.schema.features ?? [];
    expect(features.map(({ name, kind, privacy }) => [name, kind, privacy?.rule])).toEqual([
      ['postcode', 'categorical', 'hash'],
      ['age', 'numeric', 'bucket'],
      ['income', 'numeric', 'bucket'],
      ['plan', 'categorical', undefined],
    ]);
  });

  it('takes events from HTTP and Kafka, calls in two parts, labels and bad messages', async () => {
    const events = Array.from({ length: 480 }, (_, index) => eventAt(index));
    expect(await post('/v1/ingest', lines(events.slice(0, 240)))).toMatchObject({ accepted: 240 });
    await broker.produce(
      'predictions',
      events.slice(240).map((event) => JSON.stringify(event)),
    );
    await broker.produce('predictions', ['{"features":{"email":"secret-broken', JSON.stringify([1])]);
    const bad = [
      eventAt(900, { timestamp: 'yesterday' }),
      eventAt(901, { model_version: '2' }),
      eventAt(902, { model: 'unknown' }),
      eventAt(903, { prediction: { note: 1 } }),
    ];
    expect(await post('/v1/ingest', `${lines(bad)}\n{"email":"secret-`)).toMatchObject({ rejected: 5 });
    const call = (side: string, data: object) => ({
      specversion: '1.0',
      type: `org.kubeflow.serving.inference.${side}`,
      source: 'http://kserve',
      id: 'call-1',
      time: '2026-01-05T12:00:00Z',
      inferenceservicename: 'churn',
      data,
    });
    const { email, ...rest } = featuresAt(7);
    await post(
      '/v1/cloudevents',
      JSON.stringify([
        call('request', { instances: [{ email, ...rest }] }),
        call('response', { predictions: [1], model_version: '1' }),
        { ...call('request', { instances: [{ email }] }), id: 'call-2' },
      ]),
      'application/cloudevents-batch+json',
    );
    const label = { prediction_id: 'p-1', model: 'churn', model_version: '1', label: 1 };
    await post('/v1/labels', JSON.stringify({ ...label, timestamp: '2026-01-06T00:00:00Z' }));
    await until('all stored', async () => {
      const { predictions, rejected } = await app.store.totals();
      return predictions >= 480 && rejected >= 7;
    });
    // The next day begins: the first is complete.
    await post('/v1/ingest', lines([eventAt(520)]));
    await app.settle();
  });

  it('compares treated production with the treated reference: nothing unseen, nothing missing', async () => {
    const { verdicts } = (await (
      await fetch(`${url}/v1/models/churn/verdicts?version=1&limit=10000`)
    ).json()) as { verdicts: Verdict[] };
    const judged = verdicts.filter(({ detector }) =>
      ['unseen', 'missing', 'ks', 'chiSquare'].includes(detector),
    );
    expect(new Set(judged.map(({ feature }) => feature))).toEqual(
      new Set(['postcode', 'age', 'income', 'plan', 'prediction', 'prediction_proba']),
    );
    expect(judged.filter(({ status }) => status === 'drifted')).toEqual([]);
    for (const { statistic } of verdicts.filter(({ detector }) => detector === 'unseen'))
      expect(statistic).toBe(0);
  });

  it('keeps of rejected messages what may be kept, and drives that in again', async () => {
    const { rows } = (await (await fetch(`${url}/v1/rejected?limit=100`)).json()) as {
      rows: { payload: string; reason: string; detail: string }[];
    };
    for (const { payload, detail } of rows)
      if (payload === '') expect(detail).toContain('the message is not kept');
      else expect(payload).toMatch(/"postcode":"hmac:[0-9a-f]{16}"/);
    expect(rows.filter(({ payload }) => payload !== '').map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['unknown_model', 'invalid_timestamp', 'invalid_field']),
    );

    const features = ['postcode', 'age', 'income', 'plan'].map((name) => ({
      name,
      kind: ['age', 'income'].includes(name) ? 'numeric' : 'categorical',
    }));
    const registered = await fetch(`${url}/v1/models/churn/versions/2`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ task: 'binary', features }),
    });
    expect(registered.status).toBe(201);
    const redriven = await post(
      '/v1/rejected/redrive',
      JSON.stringify({ reason: 'unknown_model', model: 'churn' }),
      'application/json',
    );
    expect(redriven).toMatchObject({ tried: 1, mended: 1 });
  });

  it('has no raw value in any table', async () => {
    await app.stop();
    expect(await tablesWith(join(directory, 'data'), 'hmac:')).toEqual(
      expect.arrayContaining(['grids', 'predictions', 'rejected']),
    );
    expect(await tablesWith(join(directory, 'data'), 'secret-')).toEqual([]);
    // The redriven row has the hash that the others have.
    const client = await createStoreClient({ kind: 'embedded', dataDir: join(directory, 'data') });
    const hashes = await client.query<{ version: string; n: number }>(
      "SELECT version, uniqExact(cat['postcode']) AS n FROM predictions WHERE cat['postcode'] IN (SELECT cat['postcode'] FROM predictions WHERE version = '1') GROUP BY version ORDER BY version",
    );
    const [call] = await client.query<{ n: number }>(
      "SELECT count() AS n FROM predictions WHERE prediction_id = 'call-1'",
    );
    await client.close();
    expect(call).toEqual({ n: 1 });
    expect(hashes).toEqual([
      { version: '1', n: 4 },
      { version: '2', n: 1 },
    ]);
  });
});
