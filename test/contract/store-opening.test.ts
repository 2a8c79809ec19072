import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { assertDedup } from '../../src/store/check-store.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { migrate, readMigrations } from '../../src/store/migrate.js';
import { createStore } from '../../src/store/store.js';
import { startBridgeProcess } from '../support/clickhouse-bridge-process.js';
import { openBackend, SILENT } from '../support/store-backends.js';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'plumbline-open-'));
});
afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

const open = () => createStore({ kind: 'embedded', dataDir, logger: SILENT });

describe('a data directory', () => {
  test('of another process is refused with its pid, at once, and free when that process was killed', async () => {
    const holder = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { createChdbConnection } from 'chdb/connection';
         const connection = createChdbConnection({ path: process.argv[1] });
         await connection.chdb.queryAsync('SELECT 1');
         console.log('open');
         setInterval(() => connection, 1000);`,
        dataDir,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      await once(holder.stdout, 'data');
      const startedMs = performance.now();
      await expect(open()).rejects.toMatchObject({
        code: 'data_dir_in_use',
        message: expect.stringContaining(`in use by process ${holder.pid}`),
      });
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
    const store = await open();
    await store.migrate();
    await store.close();
  });

  test('that cannot be made or written is named', async () => {
    writeFileSync(join(dataDir, 'file'), '');
    const path = join(dataDir, 'file', 'data');
    await expect(createStore({ kind: 'embedded', dataDir: path, logger: SILENT })).rejects.toMatchObject({
      code: 'data_dir_unusable',
      message: expect.stringContaining(path),
    });
  });

  test('that is read-only is named and left as it was', async () => {
    await expect(
      createStore({ kind: 'embedded', dataDir: '/proc/self', logger: SILENT }),
    ).rejects.toMatchObject({
      code: 'data_dir_unusable',
      message: expect.stringMatching(/cannot write in the data directory \/proc\/self: .*--data-dir/),
    });
    expect(readdirSync('/proc/self')).not.toContain('store');
  });

  test('whose status file is stale opens', async () => {
    writeFileSync(join(dataDir, 'status'), 'PID: 1\nStarted at: 2013-01-01 00:00:00\nRevision: 1\n');
    const store = await open();
    await store.ping();
    await store.close();
  });

  test('serves again after it was closed, and another one, too', async () => {
    for (const path of [dataDir, join(dataDir, 'other'), dataDir]) {
      const store = await createStore({ kind: 'embedded', dataDir: path, logger: SILENT });
      await store.ping();
      await store.close();
    }
  });
});

describe('migrations', () => {
  let client: StoreClient;
  beforeEach(async () => {
    client = await createStoreClient({ kind: 'embedded', dataDir });
  });
  afterEach(() => client.close());

  test('start again where a crash cut one short', async () => {
    const [first, ...others] = readMigrations();
    for (const statement of first?.statements.slice(0, 3) ?? []) await client.command(statement);
    expect((await migrate(client)).applied).toEqual([first, ...others].map((migration) => migration?.name));
    expect((await migrate(client)).applied).toEqual([]);
  });

  test('repeat the statement that failed', async () => {
    const [first] = readMigrations();
    const broken = {
      name: '9999_broken',
      statements: ['CREATE TABLE IF NOT EXISTS x (a Nonsense)'],
      checksum: '1',
    };
    await expect(migrate(client, first === undefined ? [] : [first, broken])).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('statement 1 of the migration 9999_broken'),
    });
    const mended = { ...broken, statements: ['CREATE TABLE IF NOT EXISTS x (a UInt8) ENGINE = Memory'] };
    expect(await migrate(client, first === undefined ? [] : [first, mended])).toEqual({
      applied: ['9999_broken'],
    });
  });

  test('that changed, or that a newer release applied, are refused', async () => {
    const [first, ...others] = readMigrations();
    if (first === undefined) throw new Error('no migrations');
    await migrate(client);
    await expect(migrate(client, [{ ...first, checksum: 'other' }, ...others])).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('has changed since'),
    });
    await expect(migrate(client, others)).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining(`newer release (${first.name})`),
    });
  });

  test('leave a store that is refused when it keeps a repeated insert', async () => {
    await migrate(client);
    await assertDedup(client);
    const forgetful: StoreClient = { ...client, insert: (table, rows) => client.insert(table, rows) };
    await expect(assertDedup(forgetful)).rejects.toMatchObject({
      code: 'store_misconfigured',
      message: expect.stringContaining('stored 2 times'),
    });
  });

  test('are all repeatable', () => {
    for (const { name, statements } of readMigrations())
      for (const statement of statements)
        expect({ name, statement }).toMatchObject({
          statement: expect.stringMatching(
            /^(CREATE (TABLE|MATERIALIZED VIEW) IF NOT EXISTS|ALTER TABLE .* (IF (NOT )?EXISTS|MODIFY (SETTING|TTL)))/s,
          ),
        });
  });
});

describe.each(['embedded', 'http'] as const)('the check of the %s store', (kind) => {
  test('names engine, migrations, windows and disk, and a store without a window is refused', async () => {
    const backend = await openBackend(kind);
    const client = await createStoreClient(backend.location);
    try {
      const healthy = await backend.store.check();
      expect(healthy.engine).toMatch(/^ClickHouse \d+\.\d+/);
      expect(healthy.checks.map(({ name, ok }) => [name, ok])).toEqual([
        ['migrations', true],
        ['deduplication', true],
        ['disk', true],
      ]);
      await client.command('ALTER TABLE labels MODIFY SETTING non_replicated_deduplication_window = 0');
      await client.command(
        "ALTER TABLE schema_migrations DELETE WHERE name LIKE '0001%' SETTINGS mutations_sync = 1",
      );
      const { checks } = await backend.store.check();
      expect(checks.filter(({ ok }) => !ok)).toEqual([
        { name: 'migrations', ok: false, detail: 'not applied: 0001_store; run plumbline migrate' },
        {
          name: 'deduplication',
          ok: false,
          detail: expect.stringContaining('no deduplication window on labels;'),
        },
      ]);
      await expect(backend.store.migrate()).rejects.toMatchObject({
        code: 'store_misconfigured',
        message: expect.stringContaining('labels'),
      });
    } finally {
      await client.close();
      await backend.close();
    }
  });
});

describe('a server', () => {
  const location = (url: string, password: string) =>
    ({ kind: 'http', url, database: 'plumbline', username: 'default', password, logger: SILENT }) as const;

  test('that cannot be reached, or that knows another password, is a retryable store_unavailable', async () => {
    const bridge = await startBridgeProcess({ dataDir, password: 'right' });
    const store = await createStore(location(bridge.url, 'wrong'));
    await expect(store.ping()).rejects.toMatchObject({
      code: 'store_unavailable',
      retryable: true,
      message: expect.stringContaining('516'),
    });
    await bridge.kill();
    await expect(store.ping()).rejects.toMatchObject({ code: 'store_unavailable', retryable: true });
    await store.close();
  });

  test('that was killed keeps rows and tokens', async () => {
    const rows = { predictions: [], labels: [], rejected: [], token: 'kept' };
    const first = await startBridgeProcess({ dataDir });
    const store = await createStore(location(first.url, ''));
    await store.migrate();
    const { predictionRow } = await import('../support/rows.js');
    await store.insertRows({ ...rows, predictions: [predictionRow('r1')] });
    await first.kill();
    await store.close();
    const second = await startBridgeProcess({ dataDir });
    const again = await createStore(location(second.url, ''));
    await again.insertRows({ ...rows, predictions: [predictionRow('r1')] });
    expect(await again.totals()).toEqual({ predictions: 1, labels: 0, labelsMatched: 0, rejected: 0 });
    await again.close();
    await second.kill();
  });
});
