import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';

const run = promisify(execFile);
const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);

/** A baseline of twelve days, a row every ten minutes. */
function baseline(): string {
  const rows = ['age,plan,prediction,prediction_proba,timestamp'];
  for (let index = 0; index < 12 * 144; index += 1) {
    const share = ((index * 7) % 100) / 100;
    const time = new Date(START + index * 600_000).toISOString();
    rows.push([20 + (index % 50), index % 3 === 0 ? 'pro' : 'free', share > 0.5 ? 1 : 0, share, time].join());
  }
  return `${rows.join('\n')}\n`;
}
const event = (id: string, age: number, atMs: number) => ({
  prediction_id: id,
  model: 'churn',
  model_version: '3',
  timestamp: new Date(atMs).toISOString(),
  features: { age, plan: 'pro' },
  prediction: 1,
  prediction_proba: 0.83,
});

describe('the HTTP interface of the whole service', () => {
  let directory: string;
  let app: App;
  let url: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-api-'));
    app = await createApp(
      parseConfig({
        store: { dataDir: directory },
        http: { port: 0 },
        clock: 'data',
        log: { level: 'silent' },
        models: { churn: { window: { length: '24h', step: '24h' } } },
      }),
    );
    url = (await app.start()).url;
  });
  afterAll(async () => {
    await app.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function call(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>, headers = {}) {
    const response = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, never> };
  }

  it('takes events as soon as a schema is registered', async () => {
    const first = JSON.stringify(event('before', 30, START));
    expect((await call('POST', '/v1/ingest', first)).body).toMatchObject({
      rejected: 1,
      errors: [{ code: 'unknown_model' }],
    });
    const schema = {
      task: 'binary',
      features: [
        { name: 'age', kind: 'numeric' },
        { name: 'plan', kind: 'categorical' },
      ],
    };
    expect((await call('PUT', '/v1/models/churn/versions/3', JSON.stringify(schema))).status).toBe(201);
    expect((await call('POST', '/v1/ingest', first)).body).toMatchObject({ accepted: 1 });
    expect((await call('POST', '/v1/ingest', first)).body).toMatchObject({ duplicate: 1 });
  });

  it.each([
    ['text/csv', 'no column here is a prediction\n1\n'],
    ['application/vnd.apache.parquet', 'this is no parquet file'],
    ['application/x-ndjson', '{"a":'],
  ])('says that a reference (%s) is of no use: %j', async (type, content) => {
    const answer = await call('PUT', '/v1/models/churn/versions/9/reference', content, {
      'content-type': type,
    });
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_reference' } });
  });

  it('takes a compressed reference, judges a day against it, and shows what it knows', async () => {
    const put = await call(
      'PUT',
      '/v1/models/churn/versions/3/reference',
      new Uint8Array(gzipSync(baseline())),
      {
        'content-type': 'text/csv',
        'content-encoding': 'gzip',
      },
    );
    expect(put).toMatchObject({
      status: 201,
      body: { model: { schema: { task: 'binary' } }, reference: { rows: 1728 } },
    });
    const day = START + 20 * DAY;
    const old = Array.from({ length: 500 }, (_, index) => event(`o${index}`, 90, day + index * 60_000));
    const next = [event('next', 30, day + DAY + 3_600_000)];
    expect((await call('POST', '/v1/ingest', JSON.stringify([...old, ...next]))).body).toMatchObject({
      accepted: 501,
    });
    await app.settle();

    const query = 'version=3&from=2026-01-21&to=2026-01-22';
    const { body } = await call('GET', `/v1/models/churn/verdicts?${query}&feature=age&detector=ks`);
    expect(body.verdicts).toMatchObject([
      { feature: 'age', detector: 'ks', status: 'drifted', statistic: 1 },
    ]);

    const production = await call('GET', `/v1/models/churn/profiles?${query}&feature=age`);
    expect(production.body.profiles).toMatchObject([
      { feature: 'age', rows: 500, missing: 0, min: 90, max: 90 },
    ]);
    const reference = await call('GET', '/v1/models/churn/profiles?version=3&scope=reference&feature=plan');
    expect(reference.body.profiles).toMatchObject([
      { feature: 'plan', rows: 1728, counts: [1152, 576, 0, 0] },
    ]);
    expect(reference.body.grids).toMatchObject([{ categories: ['free', 'pro'] }]);
    expect((await call('GET', '/v1/models/churn/episodes')).status).toBe(200);
    expect((await call('GET', '/v1/models/churn/versions/3/outliers')).status).toBe(200);
  });

  it('keeps its schema once there is a reference', async () => {
    const schema = { task: 'binary', features: [{ name: 'age', kind: 'categorical' }] };
    expect(await call('PUT', '/v1/models/churn/versions/3', JSON.stringify(schema))).toMatchObject({
      status: 422,
      body: { code: 'invalid_schema' },
    });
  });

  it.each([
    ['python3', 'examples/send_prediction.py'],
    [process.execPath, 'examples/send-prediction.mjs'],
  ])('is reached by %s %s', async (program, script) => {
    const { stdout } = await run(program, [new URL(`../../${script}`, import.meta.url).pathname, url]);
    // The example's event is of now: the second script finds the first one's row.
    expect(stdout).toMatch(/"received":1,"accepted":[01],"duplicate":[01],"rejected":0/);
  });
});
