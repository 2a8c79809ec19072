import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { listRejected, redriveRejected } from '../../src/cli/rejected.js';
import { createServiceClient } from '../../src/cli/service-client.js';
import { type ConfigInput, parseConfig } from '../../src/config.js';
import { createStoreClient } from '../../src/store/client.js';
import { FORMAT_MODELS, registerFormatModels } from '../support/format-models.js';

const EVENT = {
  model: 'churn',
  model_version: '3',
  timestamp: '2026-01-01T00:00:00Z',
  features: { age: 31 },
  prediction: 1,
};
const CALL = {
  prediction_id: 'call',
  model: 'sklearn-iris',
  timestamp: '2026-01-01T00:00:00Z',
  request: { instances: [[1, 2, 3, 4], [5, 6, 7, 8], [9]] },
  response: { predictions: [0, 1, 2] },
};

describe('rows that were rejected', () => {
  let directory: string;
  let app: App | null = null;
  let url = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-redrive-'));
  });
  afterEach(async () => {
    await app?.stop();
    app = null;
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function start(models: ConfigInput['models']): Promise<void> {
    const config = {
      store: { dataDir: directory },
      http: { port: 0 },
      log: { level: 'silent' as const },
      models,
    };
    app = await createApp(parseConfig(config));
    url = (await app.start()).url;
  }
  const send = async (events: readonly unknown[]) => {
    const lines = events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)));
    return createServiceClient({ url }).postLines('/v1/ingest', lines);
  };
  const run = async <T>(
    command: (output: { json: boolean; stdout: PassThrough; stderr: PassThrough }) => Promise<T>,
  ) => {
    const stdout = new PassThrough();
    await command({ json: true, stdout, stderr: new PassThrough() });
    return JSON.parse(String(stdout.read())) as Record<string, unknown>;
  };
  const redrive = (scope: object = {}) =>
    run((output) => redriveRejected(createServiceClient({ url }), { model: undefined, ...scope }, output));
  const list = (model?: string) =>
    run((output) => listRejected(createServiceClient({ url }), { model, limit: '10' }, output));

  it('are kept with their reason while nothing is known of their models', async () => {
    await start({});
    const events = Array.from({ length: 12_000 }, (_, index) => ({ ...EVENT, prediction_id: `e${index}` }));
    const bad = [
      '{"cut',
      { ...EVENT, model: 'none', prediction_id: 'x' },
      { ...EVENT, prediction_id: undefined },
    ];
    expect(await send([...events, ...bad, CALL])).toMatchObject({ received: 12_006, rejected: 12_006 });
    expect((await list()).counts).toEqual([
      { model: 'churn', kind: 'prediction', reason: 'unknown_model', rows: 12_001 },
      { model: 'sklearn-iris', kind: 'prediction', reason: 'unmapped', rows: 3 },
      { model: '', kind: 'prediction', reason: 'malformed_json', rows: 1 },
      { model: 'none', kind: 'prediction', reason: 'unknown_model', rows: 1 },
    ]);
    expect((await list('none')).rows).toMatchObject([{ payload: JSON.stringify(bad[1]), model: 'none' }]);
    expect(await redrive()).toEqual({
      tried: 12_006,
      mended: 0,
      left: { unknown_model: 12_002, malformed_json: 1, unmapped: 3 },
    });
  });

  it('become rows after the fix, once, and what is still wrong stays', async () => {
    await start(FORMAT_MODELS);
    await registerFormatModels(url);
    // One of them came again in the meantime.
    expect(await send([{ ...EVENT, prediction_id: 'e7' }])).toMatchObject({ accepted: 1 });
    expect(await redrive({ model: 'churn', reason: 'unknown_model' })).toEqual({
      tried: 12_001,
      mended: 12_000,
      left: { missing_id: 1 },
    });
    const { counts, rows } = await list('churn');
    expect(counts).toEqual([{ model: 'churn', kind: 'prediction', reason: 'missing_id', rows: 1 }]);
    expect(rows).toMatchObject([
      { reason: 'missing_id', detail: expect.stringMatching(/^prediction_id is missing/) },
    ]);
    expect(await app?.store.totals()).toMatchObject({ predictions: 12_000, rejected: 6 });
    expect(await redrive()).toEqual({
      tried: 6,
      mended: 2,
      left: { missing_id: 1, malformed_json: 1, unknown_model: 1, unmapped: 1 },
    });
    // Of the call two rows are stored, and the third stays, by itself.
    expect(await app?.store.totals()).toMatchObject({ predictions: 12_002, rejected: 4 });
    expect((await list('sklearn-iris')).counts).toEqual([
      { model: 'sklearn-iris', kind: 'prediction', reason: 'unmapped', rows: 1 },
    ]);
    expect(await redrive()).toMatchObject({ tried: 4, mended: 0 });
    expect(await app?.store.totals()).toMatchObject({ predictions: 12_002, rejected: 4 });
  });

  it('become the first of those with one id, on every page', async () => {
    await start(FORMAT_MODELS);
    // Each id twice in one body, of more than a page.
    const ids = Array.from({ length: 2_600 }, (_, index) => `twice${index}`);
    const events = [1, 2].flatMap((age) =>
      ids.map((id) => ({ ...EVENT, model_version: '9', prediction_id: id, features: { age } })),
    );
    expect(await send(events)).toMatchObject({ received: 5_200, rejected: 5_200 });
    const response = await fetch(`${url}/v1/models/churn/versions/9`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ task: 'binary', features: [{ name: 'age', kind: 'numeric' }] }),
    });
    expect(response.status).toBe(201);
    expect(await redrive({ model: 'churn', reason: 'unknown_model' })).toEqual({
      tried: 5_200,
      mended: 5_200,
      left: {},
    });
    const client = await createStoreClient({ kind: 'embedded', dataDir: directory });
    expect(
      await client.query(
        `SELECT num['age'] AS age, count() AS rows FROM predictions
         WHERE model = 'churn' AND version = '9' GROUP BY age`,
      ),
    ).toEqual([{ age: 1, rows: 2_600 }]);
    await client.close();
  });
});
