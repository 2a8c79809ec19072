import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RowBatch } from '../../src/domain/ports.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { float64 } from '../../src/store/encoding.js';
import { HTTP_SOURCE, labelRow, named, predictionRow, rejectedRow } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const batch = (token: string, parts: Partial<RowBatch>): RowBatch => ({
  predictions: [],
  labels: [],
  rejected: [],
  token,
  ...parts,
});

describe.each(BACKENDS)('rows in the %s store', (kind) => {
  let backend: StoreBackend;
  let reader: StoreClient;
  let nowMs = Date.now();

  beforeAll(async () => {
    backend = await openBackend(kind, () => nowMs);
    reader = await createStoreClient(backend.location);
  });
  afterAll(async () => {
    await reader.close();
    await backend.close();
  });
  beforeEach(async () => {
    for (const table of ['predictions', 'labels', 'rejected'])
      await reader.command(`TRUNCATE TABLE ${table}`);
  });

  const count = async (table: string) =>
    (await reader.query<{ rows: number }>(`SELECT count() AS rows FROM ${table}`))[0]?.rows;
  const stored = async () =>
    (await reader.query<Record<string, unknown>>('SELECT * FROM predictions ORDER BY prediction_id'))[0];

  test('keeps every field of a prediction, a label and a rejected row', async () => {
    const source = { kind: 'kafka', topic: 'predictions', partition: 3, offset: 9_007_199_254_740_991 };
    await backend.store.insertRows(
      batch('fields', {
        predictions: [predictionRow('r1', { rowIndex: 7, source })],
        labels: [labelRow('r1', { label: 'yes' })],
        rejected: [rejectedRow({ model: 'churn', rowIndex: 2, source })],
      }),
    );
    expect(await stored()).toMatchObject({
      model: 'churn',
      version: '3',
      prediction_id: 'r1',
      row_index: 7,
      ts: '2026-01-01 12:30:00.123',
      num: { age: 31 },
      cat: { plan: 'pro' },
      prediction_num: null,
      prediction_cat: '1',
      proba: 0.83,
      probas: {},
      latency_ms: 12.5,
      tags: { region: 'eu' },
      source_kind: 'kafka',
      source_topic: 'predictions',
      source_partition: 3,
      source_offset: 9_007_199_254_740_991,
    });
    expect(await reader.query('SELECT label_num, label_cat, toString(ts) AS ts FROM labels')).toEqual([
      { label_num: null, label_cat: 'yes', ts: '2026-01-02 00:00:00.000' },
    ]);
    expect(
      await reader.query(
        'SELECT kind, reason, detail, payload, model, row_index, source_partition FROM rejected',
      ),
    ).toEqual([
      {
        kind: 'prediction',
        reason: 'malformed_json',
        detail: 'not JSON: send one object per line',
        payload: '{"model":',
        model: 'churn',
        row_index: 2,
        source_partition: 3,
      },
    ]);
  });

  test('never turns a null into a number, and keeps infinities, NaN and doubles to the last bit', async () => {
    const numeric = named([
      ['inf', Number.POSITIVE_INFINITY],
      ['minus', Number.NEGATIVE_INFINITY],
      ['nan', Number.NaN],
      ['tiny', 5e-324],
      ['tenth', 0.1 + 0.2],
      ['big', 2 ** 60 + 2 ** 10],
    ]);
    await backend.store.insertRows(
      batch('numbers', {
        predictions: [
          predictionRow('r1', { numeric, prediction: null, proba: null, latencyMs: null }),
          predictionRow('r2', { prediction: Number.POSITIVE_INFINITY, probas: named([['a', 0.25]]) }),
        ],
      }),
    );
    const [first, second] = await reader.query<{
      num: Record<string, number | string>;
      prediction_num: string | null;
      prediction_cat: string | null;
      proba: number | null;
      latency_ms: number | null;
      probas: Record<string, number>;
    }>('SELECT * FROM predictions ORDER BY prediction_id');
    expect(first).toMatchObject({
      prediction_num: null,
      prediction_cat: null,
      proba: null,
      latency_ms: null,
    });
    expect(named(Object.entries(first?.num ?? {}).map(([name, value]) => [name, float64(value)]))).toEqual(
      numeric,
    );
    expect(second).toMatchObject({ prediction_num: 'inf', prediction_cat: null, probas: { a: 0.25 } });
  });

  test('keeps names and texts that look like code, markup or prototypes', async () => {
    const texts = [
      '__proto__',
      'constructor',
      '<b>&"\'</b>',
      "'; DROP TABLE predictions; --",
      'a\\ud800b',
      '日本 😀',
      '',
      'x\n\ny;\0',
    ];
    const categorical = named(texts.map((text) => [text, text]));
    await backend.store.insertRows(
      batch("to'ken;", {
        predictions: [
          predictionRow(texts.join('|'), {
            categorical,
            numeric: named([['__proto__', 1]]),
            tags: categorical,
            prediction: texts.join(),
          }),
        ],
      }),
    );
    const row = await stored();
    expect(named(Object.entries(row?.cat as Record<string, string>))).toEqual(categorical);
    expect(Object.entries(row?.num as Record<string, number>)).toEqual([['__proto__', 1]]);
    expect(row).toMatchObject({ prediction_id: texts.join('|'), prediction_cat: texts.join() });
  });

  test('replaces half a surrogate pair instead of losing the batch, and knows the row again', async () => {
    const row = predictionRow('half \ud800 pair', { categorical: named([['plan', '\udfff']]) });
    await backend.store.insertRows(batch('half', { predictions: [row, predictionRow('whole')] }));
    expect(await stored()).toMatchObject({ prediction_id: 'half \ufffd pair', cat: { plan: '\ufffd' } });
    expect(await backend.store.findDuplicatePredictions([row])).toEqual(new Set([0]));
  });

  test('inserts a token once, also after the store was opened again', async () => {
    const rows = batch('once', {
      predictions: [predictionRow('r1')],
      labels: [labelRow('r1')],
      rejected: [rejectedRow()],
    });
    await backend.store.insertRows(rows);
    await backend.store.insertRows(rows);
    await backend.reopen();
    await backend.store.insertRows(rows);
    expect(await Promise.all(['predictions', 'labels', 'rejected'].map(count))).toEqual([1, 1, 1]);
    await backend.store.insertRows({ ...rows, token: 'twice' });
    expect(await count('predictions')).toBe(2);
  });

  test('has an empty batch change nothing', async () => {
    await backend.store.insertRows(batch('empty', {}));
    expect(await backend.store.findDuplicatePredictions([])).toEqual(new Set());
    expect(await backend.store.findDuplicateLabels([])).toEqual(new Set());
    expect(await count('predictions')).toBe(0);
  });

  test('finds stored predictions by their whole identity', async () => {
    await backend.store.insertRows(
      batch('first', { predictions: [predictionRow('r1'), predictionRow('r2')] }),
    );
    const asked = [
      predictionRow('r2', { timestampMs: 0, prediction: 'other' }),
      predictionRow('r3'),
      predictionRow('r1', { rowIndex: 1 }),
      predictionRow('r1', { model: 'other' }),
      predictionRow('r1', { modelVersion: '4' }),
      predictionRow('r1'),
    ];
    expect(await backend.store.findDuplicatePredictions(asked)).toEqual(new Set([0, 5]));
  });

  test('finds stored labels by value and time, so that a correction is new', async () => {
    await backend.store.insertRows(
      batch('labels', {
        labels: [labelRow('r1'), labelRow('r2', { label: '0' }), labelRow('r3', { label: Infinity })],
      }),
    );
    const asked = [
      labelRow('r1'),
      labelRow('r1', { label: 1 }),
      labelRow('r1', { timestampMs: 1 }),
      labelRow('r2', { label: '0' }),
      labelRow('r2', { label: 0 }),
      labelRow('r3', { label: Infinity }),
    ];
    expect(await backend.store.findDuplicateLabels(asked)).toEqual(new Set([0, 3, 5]));
  });

  test('takes 20,000 rows and names every one of them as stored', async () => {
    const predictions = Array.from({ length: 20_000 }, (_, index) =>
      predictionRow(`r${index}`, { timestampMs: Date.UTC(1999, 0, 1) + (index * 86_400_000) / 100 }),
    );
    await backend.store.insertRows(batch('many', { predictions }));
    expect(await count('predictions')).toBe(20_000);
    const again = [...predictions.slice(0, 9_999), predictionRow('new')];
    expect((await backend.store.findDuplicatePredictions(again)).size).toBe(9_999);
  });

  test('takes a row of 10,000 features', async () => {
    const numeric = named(
      Array.from({ length: 10_000 }, (_, index) => [`feature ${index}`, index / 7] as const),
    );
    await backend.store.insertRows(batch('wide', { predictions: [predictionRow('wide', { numeric })] }));
    expect(
      await reader.query("SELECT length(num) AS features, num['feature 9999'] AS last FROM predictions"),
    ).toEqual([{ features: 10_000, last: 9_999 / 7 }]);
  });

  test('stores lists that were joined in one insert, once', async () => {
    const { store } = backend;
    const joined = () =>
      store.joinPredictions(
        ['a', 'b', 'c'].map((name) => {
          const list = store.newPredictions();
          for (let id = 0; id < 100; id += 1)
            list.push(predictionRow(`${name}-${id}`, { categorical: named([['plan', `${name}-plan`]]) }));
          return list;
        }),
      );
    for (let time = 0; time < 2; time += 1)
      await store.insertRows(batch('joined', { predictions: joined() }));
    const found = await reader.query(
      `SELECT uniqExact(_part) AS parts, count() AS rows, uniqExact(prediction_id) AS ids,
              uniqExact(cat['plan']) AS plans FROM predictions`,
    );
    expect(found).toEqual([{ parts: 1, rows: 300, ids: 300, plans: 3 }]);
  });

  test('takes batches at the same time, each once', async () => {
    const batches = Array.from({ length: 8 }, (_, index) =>
      batch(`lane ${index % 4}`, { predictions: [predictionRow(`r${index % 4}`)] }),
    );
    await Promise.all(batches.map((rows) => backend.store.insertRows(rows)));
    expect(await count('predictions')).toBe(4);
  });

  test('takes the columns of a source that starts at offset 0', async () => {
    await backend.store.insertRows(
      batch('zero', { predictions: [predictionRow('r', { source: { ...HTTP_SOURCE, offset: 0 } })] }),
    );
    expect(await stored()).toMatchObject({ source_offset: 0 });
  });

  test('keeps the day of ingestion of a batch that failed before midnight', async () => {
    nowMs = Date.UTC(2026, 10, 24, 23, 59, 59, 900);
    const rows = batch('midnight', { predictions: [predictionRow('r1')], rejected: [rejectedRow()] });
    await reader.command('RENAME TABLE predictions TO predictions_away');
    await expect(backend.store.insertRows(rows)).rejects.toMatchObject({
      code: 'store_unavailable',
      retryable: true,
    });
    await reader.command('RENAME TABLE predictions_away TO predictions');
    nowMs = Date.UTC(2026, 10, 25, 0, 0, 10);
    await backend.store.insertRows(rows);
    expect(await count('rejected')).toBe(1);
    expect(await reader.query('SELECT toString(ingested_at) AS at FROM predictions')).toEqual([
      { at: '2026-11-24 23:59:59.900' },
    ]);
    nowMs = Date.now();
  });
});
