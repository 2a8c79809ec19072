import { randomUUID } from 'node:crypto';
import { AppError } from '../errors.js';
import type { StoreClient } from './client.js';
import { readMigrations } from './migrate.js';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Below this much free space the store is reported as unwell: merges need room for a copy of what they merge. */
const LEAST_FREE_BYTES = 1024 ** 3;

/** Engine version, migrations, deduplication windows and free disk, for `doctor`. Throws store_unavailable when there is no answer. */
export async function checkStore(client: StoreClient): Promise<{ engine: string; checks: Check[] }> {
  const [version] = await client.query<{ version: string }>('SELECT version() AS version');
  return {
    engine: `ClickHouse ${version?.version ?? 'unknown'} (${client.kind})`,
    checks: [await checkMigrations(client), await checkWindows(client), await checkDisk(client)],
  };
}

/**
 * Refuses a store in which a repeated insert would be stored twice: by its tables' settings, and by trying, since a server's own settings
 * (`deduplicate_insert`) can switch it off, too. Throws store_misconfigured.
 */
export async function assertDedup(client: StoreClient): Promise<void> {
  const { ok, detail } = await checkWindows(client);
  if (!ok) throw new AppError('store_misconfigured', `${detail}: repeated inserts would be stored twice`);
  const token = randomUUID();
  for (let time = 0; time < 2; time += 1) await client.insert('insert_probe', [{ token }], token);
  const [found] = await client.query<{ rows: number }>(
    'SELECT count() AS rows FROM insert_probe WHERE token = {token:String}',
    { token },
  );
  if (found?.rows !== 1)
    throw new AppError(
      'store_misconfigured',
      `an insert sent twice was stored ${found?.rows ?? 0} times: set deduplicate_insert and insert_deduplicate to their defaults in the profile of the store's user`,
    );
}

async function checkMigrations(client: StoreClient): Promise<Check> {
  const name = 'migrations';
  const names = readMigrations().map((migration) => migration.name);
  const [ledger] = await client.query<{ tables: number }>(
    `SELECT count() AS tables FROM system.tables WHERE database = {database:String} AND name = 'schema_migrations'`,
    { database: client.database },
  );
  const rows =
    ledger?.tables === 1
      ? await client.query<{ name: string }>('SELECT DISTINCT name FROM schema_migrations')
      : [];
  const applied = new Set(rows.map((row) => row.name));
  const pending = names.filter((migration) => !applied.has(migration));
  return pending.length === 0
    ? { name, ok: true, detail: `${names.length} applied` }
    : { name, ok: false, detail: `not applied: ${pending.join(', ')}; run plumbline migrate` };
}

async function checkWindows(client: StoreClient): Promise<Check> {
  const name = 'deduplication';
  const tables = await client.query<{ name: string; engine: string; create_table_query: string }>(
    `SELECT name, engine, create_table_query FROM system.tables
     WHERE database = {database:String} AND engine LIKE '%MergeTree' ORDER BY name`,
    { database: client.database },
  );
  const unsafe = tables.filter((table) => dedupWindow(table.engine, table.create_table_query) === 0);
  return unsafe.length === 0
    ? { name, ok: true, detail: `${tables.length} tables drop repeated inserts` }
    : {
        name,
        ok: false,
        detail: `no deduplication window on ${unsafe.map((table) => table.name).join(', ')}; run ALTER TABLE … MODIFY SETTING non_replicated_deduplication_window = 10000 on each`,
      };
}

/** Inserts that a table remembers. Plain MergeTree remembers none unless told, replicated ones do unless told not to. */
function dedupWindow(engine: string, createQuery: string): number {
  const plain = /\bnon_replicated_deduplication_window = (\d+)/.exec(createQuery)?.[1];
  const replicated = /\breplicated_deduplication_window = (\d+)/.exec(createQuery)?.[1];
  return /^(Replicated|Shared)/.test(engine) ? Number(replicated ?? 10_000) : Number(plain ?? 0);
}

async function checkDisk(client: StoreClient): Promise<Check> {
  const name = 'disk';
  const disks = await client.query<{ name: string; path: string; free: number }>(
    'SELECT name, path, toFloat64(free_space) AS free FROM system.disks ORDER BY name',
  );
  const gigabytes = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  return {
    name,
    ok: disks.every((disk) => disk.free >= LEAST_FREE_BYTES),
    detail: disks.map((disk) => `${gigabytes(disk.free)} free on ${disk.path || disk.name}`).join(', '),
  };
}
