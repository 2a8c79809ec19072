import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { dateTime64 } from '../../src/store/encoding.js';
import { migrate, readMigrations } from '../../src/store/migrate.js';

let dataDir: string;
let client: StoreClient;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'plumbline-client-'));
  client = await createStoreClient({ kind: 'embedded', dataDir });
});

afterAll(async () => {
  await client.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('the embedded client', () => {
  test('migrates once', async () => {
    const names = readMigrations().map((migration) => migration.name);
    expect(await migrate(client)).toEqual({ applied: names });
    expect(await migrate(client)).toEqual({ applied: [] });
  });

  test('carries parameters that look like SQL, and numbers that JSON has no word for', async () => {
    const nasty = [
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
      '{x:String}',
    ];
    for (const value of nasty)
      expect(await client.query('SELECT {value:String} AS value', { value })).toEqual([{ value }]);
    expect(await client.query('SELECT {values:Array(String)} AS values', { values: nasty })).toEqual([
      { values: nasty },
    ]);
    expect(
      await client.query("SELECT {x:Float64} AS x, {t:DateTime64(3, 'UTC')} AS t", {
        x: Number.POSITIVE_INFINITY,
        t: dateTime64(-1),
      }),
    ).toEqual([{ x: 'inf', t: '1969-12-31 23:59:59.999' }]);
  });

  test('inserts a token once, and without a token always', async () => {
    const table = 'models';
    const rows = [{ model: 'm', version: '1', body: '{}', revision: 1 }];
    const count = async () =>
      (await client.query<{ rows: number }>('SELECT count() AS rows FROM models'))[0]?.rows;
    await client.insert(table, rows, 'once');
    await client.insert(table, rows, 'once');
    expect(await count()).toBe(1);
    await client.insert(table, rows);
    await client.insert(table, rows);
    expect(await count()).toBe(3);
  });
});
