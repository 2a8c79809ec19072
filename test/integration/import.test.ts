import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { importFiles } from '../../src/cli/import.js';
import { createServiceClient } from '../../src/cli/service-client.js';
import { tail } from '../../src/cli/tail.js';
import { parseConfig } from '../../src/config.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { writeRowsAsLines } from '../../src/store/file-rows.js';
import { FORMAT_MODELS, registerFormatModels } from '../support/format-models.js';

const capture = (index: number) =>
  JSON.stringify({
    captureData: {
      endpointInput: {
        observedContentType: 'text/csv',
        mode: 'INPUT',
        data: '6.8,2.8,4.8,1.4',
        encoding: 'CSV',
      },
      endpointOutput: {
        observedContentType: 'text/csv',
        mode: 'OUTPUT',
        data: `${index % 3}`,
        encoding: 'CSV',
      },
    },
    eventMetadata: { eventId: `sm-${index}`, inferenceTime: '2026-01-01T00:00:00Z' },
    eventVersion: '0',
  });

describe('files of other systems', () => {
  let directory: string;
  let app: App;
  let url: string;
  let engine: StoreClient;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-import-test-'));
    app = await createApp(
      parseConfig({
        store: { dataDir: join(directory, 'data') },
        http: { port: 0 },
        log: { level: 'silent' },
        models: FORMAT_MODELS,
      }),
    );
    url = (await app.start()).url;
    await registerFormatModels(url);
    engine = await createStoreClient({ kind: 'embedded', dataDir: join(directory, 'data') });
  });
  afterAll(async () => {
    await engine.close();
    await app.stop();
    await rm(directory, { recursive: true, force: true });
  });
  const bring = (file: string, over: object = {}) =>
    importFiles({
      client: createServiceClient({ url }),
      files: [join(directory, file)],
      kind: 'predictions',
      // The service is in this process, which has one engine.
      readTable: async (path, work) => {
        const lines = join(directory, `${randomUUID()}.ndjson`);
        await writeRowsAsLines(engine, path, lines);
        return work(lines);
      },
      ...over,
    });

  it('come from SageMaker as lines, once', async () => {
    const lines = Array.from({ length: 6_000 }, (_, index) => capture(index));
    await writeFile(join(directory, 'capture.jsonl.gz'), gzipSync(`${lines.join('\n')}\n`));
    const scope = { model: 'iris', version: '1' };
    expect((await bring('capture.jsonl.gz', scope)).predictions).toEqual({
      received: 6_000,
      accepted: 6_000,
      duplicate: 0,
      rejected: 0,
    });
    expect((await bring('capture.jsonl.gz', scope)).predictions).toMatchObject({
      accepted: 0,
      duplicate: 6_000,
    });
  });

  it('come as CSV and Parquet: columns with a role, and features; labels beside them', async () => {
    const csv = [
      'id,datetime,age,plan,y_pred,y_pred_proba,target',
      'c1,2026-01-01T00:00:00Z,31,pro,1,0.83,0',
      'c2,2026-01-01 00:00:01,,"a, b",0,0.2,',
    ];
    await writeFile(join(directory, 'table.csv'), `${csv.join('\n')}\n`);
    const scope = { model: 'churn', version: '3' };
    expect(await bring('table.csv', scope)).toMatchObject({
      predictions: { received: 2, accepted: 2 },
      labels: { received: 1, accepted: 1 },
    });
    await engine.command(
      `INSERT INTO FUNCTION file('${join(directory, 'table.parquet')}', 'Parquet')
         SELECT toDateTime64('2026-01-01 00:00:00.123', 3, 'UTC') AS timestamp, number::Float64 / if(number = 1, 0, 1) AS age,
                'pro' AS plan, toInt64(number % 2) AS prediction, 'churn' AS model, '3' AS model_version
         FROM numbers(3)`,
    );
    expect((await bring('table.parquet')).predictions).toMatchObject({ received: 3, accepted: 3 });
    expect((await bring('table.parquet')).predictions).toMatchObject({ received: 3, duplicate: 3 });
    expect(
      await engine.query(
        `SELECT replaceRegexpOne(prediction_id, '-[0-9a-f]{12}$', '-HASH') AS id, toString(ts) AS ts, num, cat, prediction_num AS prediction, proba
           FROM predictions WHERE model = 'churn' ORDER BY id`,
      ),
    ).toEqual([
      {
        id: 'c1',
        ts: '2026-01-01 00:00:00.000',
        num: { age: 31 },
        cat: { plan: 'pro' },
        prediction: 1,
        proba: 0.83,
      },
      {
        id: 'c2',
        ts: '2026-01-01 00:00:01.000',
        num: {},
        cat: { plan: 'a, b' },
        prediction: 0,
        proba: 0.2,
      },
      {
        id: 'table.parquet#0-HASH',
        ts: '2026-01-01 00:00:00.123',
        num: { age: 0 },
        cat: { plan: 'pro' },
        prediction: 0,
        proba: null,
      },
      {
        id: 'table.parquet#1-HASH',
        ts: '2026-01-01 00:00:00.123',
        num: {},
        cat: { plan: 'pro' },
        prediction: 1,
        proba: null,
      },
      {
        id: 'table.parquet#2-HASH',
        ts: '2026-01-01 00:00:00.123',
        num: { age: 2 },
        cat: { plan: 'pro' },
        prediction: 0,
        proba: null,
      },
    ]);
  });

  it('whose lines are no JSON are kept as rejected, and what follows is imported', async () => {
    const bad = Array.from({ length: 5_000 }, (_, index) => `no JSON ${index}`);
    await writeFile(join(directory, 'bad.ndjson'), `${[...bad, capture(70_000)].join('\n')}\n`);
    expect((await bring('bad.ndjson', { model: 'iris', version: '1' })).predictions).toEqual({
      received: 5_001,
      accepted: 1,
      duplicate: 0,
      rejected: 5_000,
    });
  });

  it('follows a log that has such lines, and sends each of them once', async () => {
    const path = join(directory, 'followed.ndjson');
    const bad = Array.from({ length: 5_000 }, (_, index) => `cut ${index}`);
    await writeFile(path, `${[...bad, capture(71_000)].join('\n')}\n`);
    const stop = new AbortController();
    const client = createServiceClient({ url });
    let answered = 0;
    const work = tail({
      client: {
        postLines: async (endpoint, lines) => {
          const answer = await client.postLines(endpoint, lines);
          answered += lines.length;
          if (answered >= 5_001) stop.abort();
          return answer;
        },
      },
      path,
      stateFile: `${path}.plumbline`,
      endpoint: '/v1/ingest?model=iris&version=1',
      output: { stderr: new PassThrough() },
      signal: stop.signal,
      pollMs: 5,
      retryMs: 5,
    });
    await expect(work).resolves.toEqual({ sent: 5_001, rejected: 5_000 });
  });

  it('of one name in different folders are different rows, each of them once', async () => {
    const files = ['monday', 'tuesday'].map((day) => join(day, 'part.csv'));
    for (const [index, file] of files.entries()) {
      await mkdir(join(directory, dirname(file)));
      const rows = [0, 1].map((row) => `2026-01-01T00:00:0${row}Z,${40 + 2 * index + row},pro,1`);
      await writeFile(join(directory, file), `timestamp,age,plan,prediction\n${rows.join('\n')}\n`);
    }
    const scope = {
      model: 'churn',
      version: '3',
      files: files.map((file) => join(directory, file)),
    };
    expect((await bring('', scope)).predictions).toMatchObject({ accepted: 4, duplicate: 0 });
    expect((await bring('', scope)).predictions).toMatchObject({ accepted: 0, duplicate: 4 });
  });

  it('have ids that differ in their zeros alone', async () => {
    const csv =
      'id,timestamp,age,plan,prediction\n7,2026-01-01T00:00:00Z,31,01,1\n007,2026-01-01T00:00:01Z,32,1,0\n';
    await writeFile(join(directory, 'zeros.csv'), csv);
    expect((await bring('zeros.csv', { model: 'churn', version: '3' })).predictions).toMatchObject({
      accepted: 2,
      duplicate: 0,
    });
    expect(
      await engine.query(
        `SELECT prediction_id AS id, num, cat, prediction_num AS prediction FROM predictions
         WHERE model = 'churn' AND prediction_id IN ('7', '007') ORDER BY id`,
      ),
    ).toEqual([
      { id: '007', num: { age: 32 }, cat: { plan: '1' }, prediction: 0 },
      { id: '7', num: { age: 31 }, cat: { plan: '01' }, prediction: 1 },
    ]);
  });

  it('that cannot be read are named, with the reason', async () => {
    await writeFile(join(directory, 'broken.parquet'), 'this is no parquet');
    await expect(bring('broken.parquet')).rejects.toMatchObject({ code: 'file_unreadable' });
    await expect(bring('none.csv')).rejects.toMatchObject({ code: 'file_unreadable' });
  });
});
