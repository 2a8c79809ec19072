import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { erase, listErasures } from '../../src/cli/erase.js';
import { createServiceClient } from '../../src/cli/service-client.js';
import { parseConfig } from '../../src/config.js';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { until } from '../support/kafka-collect.js';
import { tablesWith } from '../support/stored-text.js';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5);
const EVENTS = 480;

/** Every tenth event is of the subject; the first of all is erased by its id. */
const isSubject = (index: number) => index % 10 === 5;
const usualAt = (index: number) => ({
  age: 40 + 9 * Math.sin(index),
  income: 3_000 + 500 * Math.sin(1.7 * index),
  visits: 10 + 4 * Math.sin(2.3 * index),
  balance: 100 + 30 * Math.sin(3.1 * index),
});
/** Outliers, which reports name. */
const UNUSUAL = { age: 9_000, income: -90_000, visits: 4_000, balance: -7_000 };
const eventAt = (index: number) => ({
  prediction_id: index === 0 ? 'forget-id' : isSubject(index) ? `forget-${index}` : `keep-${index}`,
  model: 'churn',
  model_version: '1',
  timestamp: new Date(START + index * (HOUR / 20)).toISOString(),
  features: isSubject(index) ? UNUSUAL : usualAt(index),
  prediction: index % 2,
  prediction_proba: index % 2 === 0 ? 0.2 : 0.8,
  tags: { customer: isSubject(index) ? 'forget-me' : `customer-${index % 7}` },
});
const SUBJECT_EVENTS = Array.from({ length: EVENTS }, (_, index) => index).filter(isSubject).length;

describe('erasure, through the service', () => {
  let directory = '';
  let broker: KafkaBroker;
  let app: App;
  let url = '';
  const events = Array.from({ length: EVENTS }, (_, index) => eventAt(index));

  async function start(group: string): Promise<void> {
    app = await createApp(
      parseConfig({
        store: { dataDir: join(directory, 'data') },
        http: { port: 0 },
        clock: 'data',
        jobs: { cron: '0 0 0 1 1 *' },
        log: { level: 'silent' },
        kafka: { brokers: [broker.address], group },
        models: {
          churn: {
            window: { length: '24h', step: '24h' },
            segments: { by: ['tags.customer'], top: 20 },
          },
        },
      }),
    );
    ({ url } = await app.start());
  }
  const post = async (path: string, body: string, type = 'application/x-ndjson') => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    return (await response.json()) as Record<string, unknown>;
  };
  const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
  const output = () => ({ json: false, stdout: new PassThrough(), stderr: new PassThrough() });
  const metric = async (pattern: RegExp) =>
    Number(pattern.exec(await (await fetch(`${url}/metrics`)).text())?.[1] ?? 0);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-erasure-'));
    broker = await startKafkaBroker();
    await broker.createTopic('predictions', 1);
    await start('first');
    const reference = events
      .filter((_, index) => index > 0 && !isSubject(index))
      .map(({ features, prediction, prediction_proba }, index) => ({
        ...features,
        prediction,
        prediction_proba,
        label: prediction,
        timestamp: new Date(START - 24 * HOUR + index * (HOUR / 20)).toISOString(),
      }));
    const registered = await fetch(`${url}/v1/models/churn/versions/1/reference`, {
      method: 'PUT',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines(reference),
    });
    expect(registered.status).toBe(201);
    await broker.produce(
      'predictions',
      events.map((event) => JSON.stringify(event)),
    );
    await broker.produce('predictions', [
      JSON.stringify({ ...eventAt(5), prediction_id: 'forget-bad', prediction: null }),
      '{"prediction_id":"forget-id", broken',
    ]);
    const label = { model: 'churn', model_version: '1', timestamp: '2026-01-06T00:00:00Z', label: 1 };
    await post('/v1/labels', lines(events.map(({ prediction_id }) => ({ ...label, prediction_id }))));
    await until('all stored', async () => {
      const { predictions, labels, rejected } = await app.store.totals();
      return predictions === EVENTS && labels === EVENTS && rejected === 2;
    });
    // The next day begins: the first is complete.
    await post(
      '/v1/ingest',
      lines([{ ...eventAt(1), prediction_id: 'keep-next', timestamp: '2026-01-06T03:00:00Z' }]),
    );
    await app.settle();
    await app.buildReport('churn', '1');
  });
  afterAll(async () => {
    await app?.stop();
    await broker?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('removes one prediction from every table', async () => {
    const answer = await post(
      '/v1/models/churn/erasures',
      JSON.stringify({ predictionId: 'forget-id', reason: 'ticket 7' }),
      'application/json',
    );
    expect(answer).toMatchObject({
      model: 'churn',
      by: 'local',
      erased: { predictions: 1, labels: 1, outlier_scores: 1, performance_rows: 1, rejected: 1 },
      predictionIds: 1,
    });
  });

  it('removes a subject, its segment and the reports that name it, told by the command line', async () => {
    expect(await readdir(join(directory, 'data', 'reports'))).toHaveLength(1);
    const told = output();
    const client = createServiceClient({ url });
    await erase(client, { model: 'churn', subject: 'customer=forget-me', reason: '' }, told);
    const said = String(told.stdout.read() ?? '') + String(told.stderr.read() ?? '');
    expect(said).toContain(`predictions ${SUBJECT_EVENTS}`);
    expect(said).toContain('segment_verdicts');
    expect(said).toContain('reports 1');
    expect(await readdir(join(directory, 'data', 'reports'))).toEqual([]);
    expect(await app.store.totals()).toMatchObject({
      predictions: EVENTS + 1 - 1 - SUBJECT_EVENTS,
      labels: EVENTS - 1 - SUBJECT_EVENTS,
      rejected: 0,
    });
    const list = output();
    await listErasures(client, 'churn', list);
    expect(String(list.stdout.read() ?? '') + String(list.stderr.read() ?? '')).toMatch(
      /subject.*\n.*ticket 7/,
    );
  });

  it('refuses what was erased when it is sent again, and takes all others for what they are', async () => {
    const gone = SUBJECT_EVENTS + 1;
    expect(await post('/v1/ingest', lines(events))).toEqual({
      received: EVENTS,
      accepted: 0,
      duplicate: EVENTS - gone,
      rejected: 0,
      erased: gone,
      errors: [],
    });
    const label = { model: 'churn', model_version: '1', timestamp: '2026-02-01T00:00:00Z', label: 0 };
    const [first, second] = events;
    expect(
      await post(
        '/v1/labels',
        lines([first, second].map((event) => ({ ...label, prediction_id: event?.prediction_id }))),
      ),
    ).toMatchObject({ received: 2, accepted: 1, erased: 1 });
    expect(await post('/v1/ingest', '{"prediction_id":"forget-id", broken')).toMatchObject({
      received: 1,
      rejected: 0,
      erased: 1,
    });
  });

  it('says that an unknown model has nothing to erase', async () => {
    expect(
      await post('/v1/models/chrun/erasures', JSON.stringify({ predictionId: 'x' }), 'application/json'),
    ).toMatchObject({ code: 'unknown_model' });
  });

  it('stays erased when the topic is read again from its start, after a restart', async () => {
    const before = await app.store.totals();
    await app.stop();
    await start('second');
    await until(
      'the topic is read again',
      async () => (await metric(/plumbline_kafka_records_total\{topic="predictions"\} (\d+)/)) === EVENTS + 2,
    );
    // Both bad records are of those that were erased.
    expect(await metric(/plumbline_erased_total\{kind="prediction"\} (\d+)/)).toBe(SUBJECT_EVENTS + 3);
    expect(await metric(/plumbline_duplicates_total\{kind="prediction"\} (\d+)/)).toBe(
      EVENTS - SUBJECT_EVENTS - 1,
    );
    expect(await app.store.totals()).toEqual(before);
  });

  it('takes the subject again for what it does later, under another id', async () => {
    const later = { ...eventAt(5), prediction_id: 'came-back', timestamp: new Date().toISOString() };
    expect(await post('/v1/ingest', lines([later]))).toMatchObject({ received: 1, accepted: 1 });
    await post(
      '/v1/models/churn/erasures',
      JSON.stringify({ subject: { tag: 'customer', value: 'forget-me' } }),
      'application/json',
    );
    await app.settle();
  });

  it('left nothing in any table', async () => {
    await app.stop();
    expect(await tablesWith(join(directory, 'data'), 'forget-')).toEqual([]);
    expect(await tablesWith(join(directory, 'data'), 'came-back')).toEqual([]);
    expect(await tablesWith(join(directory, 'data'), 'keep-1')).not.toEqual([]);
    // The engine writes mutations down beside the tables.
    const files = await readdir(join(directory, 'data'), { recursive: true });
    for (const file of files.filter((name) => basename(name).startsWith('mutation_')))
      expect(await readFile(join(directory, 'data', file), 'utf8')).not.toMatch(/forget-|came-back/);
  });
});
