import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';
import { tablesWith } from '../support/stored-text.js';

const KEY_ENV = 'PLUMBLINE_ERASURE_TEST_KEY';
const TIME = '2026-01-05T00:00:00Z';

describe('erasure of what models call otherwise, through the service', () => {
  let directory = '';
  let app: App;
  let url = '';

  const send = async (method: string, path: string, body: unknown, type = 'application/json') => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': type },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  const eraseSubject = (model: string, value: string) =>
    send('POST', `/v1/models/${model}/erasures`, { subject: { tag: 'customer', value }, reason: '' });

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-erasure-'));
    process.env[KEY_ENV] = 'a key for tests, of no worth';
    app = await createApp(
      parseConfig({
        store: { dataDir: join(directory, 'data') },
        http: { port: 0 },
        jobs: { cron: '0 0 0 1 1 *' },
        log: { level: 'silent' },
        privacy: { keyEnv: KEY_ENV },
        models: {
          mapped: { mapping: { version: '1', predictionId: 'key', tags: { customer: 'meta.cust' } } },
          secret: { mapping: { version: '1' }, privacy: { tags: { customer: 'keep' } } },
        },
      }),
    );
    ({ url } = await app.start());
    const features = [{ name: 'age', kind: 'numeric' }];
    for (const model of ['mapped', 'secret'])
      await send('PUT', `/v1/models/${model}/versions/1`, { task: 'binary', features });
  });
  afterAll(async () => {
    await app?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('removes rejected messages by mapped names and from log records, and refuses them from then on', async () => {
    const event = { model: 'mapped', key: 'forget-1', meta: { cust: 'forget-me' }, timestamp: 'yesterday' };
    const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
    const attributes = [text('ml.model.name', 'mapped'), text('ml.tag.customer', 'forget-me')];
    const logs = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes }] }] }] };
    expect(await send('POST', '/v1/ingest', event)).toMatchObject({ rejected: 1 });
    await send('POST', '/v1/logs', logs);
    expect(await app.store.totals()).toMatchObject({ rejected: 2 });
    expect(await eraseSubject('mapped', 'forget-me')).toMatchObject({ erased: { rejected: 2 } });
    expect(await send('POST', '/v1/ingest', event)).toMatchObject({ rejected: 0, erased: 1 });
    await send('POST', '/v1/logs', logs);
    expect(await app.store.totals()).toMatchObject({ rejected: 0 });
  });

  it('removes the sides of calls that wait for a prediction of the subject, although they are sealed', async () => {
    const event = { model: 'secret', prediction_id: 'forget-2', timestamp: TIME, features: { age: 1 } };
    const tags = { customer: 'forget-me' };
    expect(await send('POST', '/v1/ingest', { ...event, prediction: 1, tags })).toMatchObject({
      accepted: 1,
    });
    const half = {
      specversion: '1.0',
      type: 'org.kubeflow.serving.inference.request',
      source: 'http://kserve',
      id: 'forget-2',
      inferenceservicename: 'secret',
      data: { instances: [{ age: 1 }] },
    };
    await send('POST', '/v1/cloudevents', half, 'application/cloudevents+json');
    expect(await eraseSubject('secret', 'forget-me')).toMatchObject({
      erased: { predictions: 1, call_halves: 1 },
    });
    await send('POST', '/v1/cloudevents', half, 'application/cloudevents+json');
  });

  it('refuses a label whose prediction was refused as its subject was erased', async () => {
    const event = { model: 'secret', prediction_id: 'forget-3', timestamp: TIME, features: { age: 1 } };
    const tags = { customer: 'forget-me' };
    expect(await send('POST', '/v1/ingest', { ...event, prediction: 1, tags })).toMatchObject({ erased: 1 });
    const label = { model: 'secret', prediction_id: 'forget-3', timestamp: TIME, label: 1 };
    expect(await send('POST', '/v1/labels', label)).toMatchObject({ accepted: 0, erased: 1 });
  });

  it('left nothing in any table', async () => {
    await app.stop();
    for (const text of ['forget-', 'http://kserve', 'inferenceservicename'])
      expect(await tablesWith(join(directory, 'data'), text)).toEqual([]);
  });
});
