import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createStoreClient } from '../../src/store/client.js';
import { openBackend, type StoreBackend } from '../support/store-backends.js';

describe('queries of operators on a server', () => {
  let backend: StoreBackend;
  let directory = '';
  const path = (name: string) => join(directory, name);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-query-'));
    backend = await openBackend('http');
    const admin = await createStoreClient(backend.location);
    await admin.command(
      'CREATE TABLE warehouse (age Int32, plan String, at DateTime) ENGINE = MergeTree ORDER BY age',
    );
    await admin.command(
      "INSERT INTO warehouse SELECT number % 90, if(number % 3 = 0, 'it''s', 'free'), toDateTime(number * 3600) FROM numbers(1000)",
    );
    await admin.close();
  });
  afterAll(async () => {
    await backend.close();
    await rm(directory, { recursive: true, force: true });
  });

  test('are answered as a Parquet file that is read like any', async () => {
    const file = path('answer.parquet');
    await backend.store.exportQuery(
      "SELECT age, plan, at AS timestamp, age > 40 AS prediction FROM warehouse WHERE plan != 'x;y' -- all ; of them",
      file,
    );
    expect(readFileSync(file).subarray(0, 4).toString()).toBe('PAR1');
    // The bridge's engine is in this process, so it sees the file.
    const admin = await createStoreClient(backend.location);
    const columns = await admin.query<{ name: string }>("DESCRIBE TABLE file({file:String}, 'Parquet')", {
      file,
    });
    expect(columns.map(({ name }) => name)).toEqual(['age', 'plan', 'timestamp', 'prediction']);
    const rows = await admin.query(
      "SELECT count() AS n, sum(age) AS ages, uniqExact(plan) AS plans, sum(prediction) AS above FROM file({file:String}, 'Parquet')",
      { file },
    );
    await admin.close();
    // 11 whole runs of 0 … 89 and 0 … 9.
    expect(rows).toEqual([{ n: 1_000, ages: 11 * 4_005 + 45, plans: 2, above: 11 * 49 }]);
    await backend.store.exportQuery('SELECT 1 AS prediction ; \n', path('one.parquet'));
    expect(existsSync(path('one.parquet'))).toBe(true);
  });

  test('are sent as read-only, with limits, and with the status at the end', async () => {
    await backend.store.exportQuery('SELECT 7', path('limits.parquet'));
    const sent = backend.bridge?.statements.findLast(({ sql }) => sql.startsWith('SELECT 7'));
    expect(sent?.settings.get('readonly')).toBe('1');
    expect(sent?.settings.get('max_result_rows')).toBe('50000000');
    expect(sent?.settings.get('result_overflow_mode')).toBe('throw');
    expect(sent?.settings.get('max_execution_time')).toBe('600');
  });

  test.each([
    ["INSERT INTO warehouse VALUES (1, 'x', 0)", 'may read tables'],
    ['DROP TABLE warehouse', 'may read tables'],
    ['TRUNCATE TABLE warehouse', 'may read tables'],
    ["SELECT * FROM file('/etc/passwd', 'LineAsString')", 'may read tables'],
    ["SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", 'may read tables'],
    ["SELECT * FROM remote('127.0.0.1:1', system.one)", 'may read tables'],
    ['SELECT 1 SETTINGS max_result_rows = 0', 'may read tables'],
    ['SELECT 1; DROP TABLE warehouse', ''],
    ['SELECT no_such_column FROM warehouse', 'no_such_column'],
    ['SELECT 1 FORMAT CSV', 'the query fails'],
    ['SELECT', 'the query fails'],
    ['SELECT * FROM numbers(60000000)', 'ask for a sample'],
  ])('%s is refused', async (sql, words) => {
    const attempt = backend.store.exportQuery(sql, path('refused.parquet'));
    await expect(attempt).rejects.toMatchObject({
      code: expect.stringMatching(/^(invalid_request|payload_too_large)$/),
      message: expect.stringContaining(words),
    });
    const admin = await createStoreClient(backend.location);
    const [left] = await admin.query<{ n: number }>('SELECT count() AS n FROM warehouse');
    await admin.close();
    expect(left?.n).toBe(1_000);
  });
});

test('the embedded store takes no query', async () => {
  const backend = await openBackend('embedded');
  const file = join(tmpdir(), 'never-written.parquet');
  await expect(backend.store.exportQuery('SELECT 1', file)).rejects.toMatchObject({
    code: 'invalid_request',
  });
  expect(existsSync(file)).toBe(false);
  await backend.close();
});
