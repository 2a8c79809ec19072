import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { predictionRow } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const NASTY = [
  "a'b",
  'a\\',
  "\\'; DROP",
  'x;\n\ny',
  'tab\tq',
  'é😀\u2028',
  '\0nul',
  '\\N',
  '',
  '--',
  '$& {x:String}',
  '{n:UInt32}',
];

describe.each(BACKENDS)('parameters longer than a field of a form, in the %s store', (kind) => {
  let backend: StoreBackend;
  let client: StoreClient;
  beforeAll(async () => {
    backend = await openBackend(kind);
    client = await createStoreClient(backend.location);
  });
  afterAll(async () => {
    await client.close();
    await backend.close();
  });

  test.each([5_000, 70_000, 300_000])('arrive as they are: %i characters', async (length) => {
    const filler = 'é'.repeat(length);
    const values = [...NASTY, filler];
    const params = { values, nested: [values, []], x: 'short', n: 7 };
    const sql = `SELECT {values:Array(String)} AS values, {nested:Array(Array(String))} AS nested, {x:String} AS x, {n:UInt32} AS n,
      length({values:Array(String)}) AS again`;
    expect(await client.query(sql, params)).toEqual([{ ...params, again: values.length }]);
    const text = `${NASTY.join('|')}${filler}`;
    expect(await client.query('SELECT {text:String} AS text, {n:UInt32} AS n', { text, n: 7 })).toEqual([
      { text, n: 7 },
    ]);
    await client.command('CREATE OR REPLACE TABLE taken (value String) ENGINE = Memory');
    await client.command('INSERT INTO taken SELECT arrayJoin({values:Array(String)})', { values });
    expect(
      await client.query('SELECT value FROM taken WHERE value IN {values:Array(String)}', { values }),
    ).toEqual(values.map((value) => ({ value })));
    await client.command('DROP TABLE taken');
    expect(
      (await client.queryNative('SELECT {values:Array(String)} AS values', { values })).byteLength,
    ).toBeGreaterThan(length);
  });

  test('20,000 rows that come twice are known again', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => predictionRow(`long ${i}`));
    await backend.store.insertRows({ predictions: rows, labels: [], rejected: [], halves: [], token: 't' });
    expect((await backend.store.findDuplicatePredictions(rows)).size).toBe(20_000);
  });
});
