import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { BackupManifest } from '../domain/backup.js';
import { AppError, messageOf } from '../errors.js';
import { createStoreClient, type StoreClient } from './client.js';
import { assertFinished, markUnfinished } from './data-dir.js';
import { assertNotNewer, LEDGER } from './migrate.js';
import { MANIFEST, quoted } from './snapshots.js';

const count = z.int().min(0);
/** Of a folder: no separators, nothing hidden. */
const name = z.string().regex(/^[\w-]+$/);
const schema = z.object({
  format: z.literal(1),
  plumbline: z.string(),
  engine: z.string(),
  createdAt: z.string(),
  database: z.string(),
  tables: z.array(z.object({ name, ddl: z.string(), rows: count, bytes: count, parts: z.array(name) })),
});

/** Throws file_unreadable when the folder is no backup, or one that was not finished. */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const path = join(folder, MANIFEST);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError(
      'file_unreadable',
      `${folder} is no backup, or one that was not finished: ${messageOf(cause)}`,
      { cause },
    );
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('file_unreadable', `${path} is damaged, or of another release`, { cause });
  }
}

/**
 * Puts a backup's tables into an embedded store that has none; the store is as it was then, to be migrated as after an update. Every part is
 * checked by the engine, every table by its rows. Until all are there, no service opens the directory. Throws invalid_request when there are
 * tables, migration_failed when the backup is a newer release's, file_unreadable when parts are damaged.
 */
export async function restoreBackup(options: {
  readonly folder: string;
  readonly manifest: BackupManifest;
  readonly dataDir: string;
  readonly onProgress: (bytes: number, table: string) => void;
}): Promise<void> {
  const { folder, manifest, dataDir, onProgress } = options;
  assertFinished(dataDir);
  const client = await createStoreClient({ kind: 'embedded', dataDir, database: manifest.database });
  try {
    const [there] = await client.query<{ tables: number }>(
      'SELECT count() AS tables FROM system.tables WHERE database = {database:String}',
      { database: manifest.database },
    );
    if (there?.tables !== 0)
      throw new AppError(
        'invalid_request',
        `${dataDir} holds a store already: restore into an empty directory, then let the service use that one`,
      );
    const finished = markUnfinished(dataDir);
    let bytes = 0;
    for (const table of ledgerFirst(manifest.tables)) {
      onProgress(bytes, table.name);
      await client.command(table.ddl);
      // What has expired since must not be merged away before it is counted.
      await client.command(`SYSTEM STOP MERGES ${quoted(table.name)}`);
      try {
        await attach(client, join(folder, table.name), table.name, table.parts);
        await check(client, table.name, table.rows);
        await client.command(`SYSTEM START MERGES ${quoted(table.name)}`);
      } catch (cause) {
        throw new AppError(
          'file_unreadable',
          `the backup's table ${table.name} cannot be restored: ${messageOf(cause)}; remove ${dataDir} before you try another backup`,
          { cause },
        );
      }
      if (table.name === LEDGER) await assertNotNewer(client);
      bytes += table.bytes;
    }
    finished();
    onProgress(bytes, 'done');
  } finally {
    await client.close();
  }
}

/** Whether this release can read the backup is known before anything large is copied. */
const ledgerFirst = (tables: BackupManifest['tables']) => [
  ...tables.filter(({ name: table }) => table === LEDGER),
  ...tables.filter(({ name: table }) => table !== LEDGER),
];

async function attach(
  client: StoreClient,
  folder: string,
  table: string,
  parts: readonly string[],
): Promise<void> {
  if (parts.length === 0) return;
  const [found] = await client.query<{ path: string }>(
    'SELECT data_paths[1] AS path FROM system.tables WHERE database = {database:String} AND name = {table:String}',
    { database: client.database, table },
  );
  if (found === undefined) throw new TypeError(`the table ${table} was not made`);
  for (const part of parts) {
    await cp(join(folder, part), join(found.path, 'detached', part), {
      recursive: true,
      errorOnExist: true,
      force: false,
    });
    await client.command(`ALTER TABLE ${quoted(table)} ATTACH PART '${part}'`);
  }
}

/** By the checksums that the engine keeps with each part, and by the number of rows. */
async function check(client: StoreClient, table: string, rows: number): Promise<void> {
  const parts = await client.query<{ part_path: string; is_passed: number; message: string }>(
    `CHECK TABLE ${quoted(table)} SETTINGS check_query_single_value_result = 0`,
  );
  const damaged = parts.find(({ is_passed }) => is_passed !== 1);
  if (damaged !== undefined) throw new Error(`part ${damaged.part_path} is damaged: ${damaged.message}`);
  const [found] = await client.query<{ rows: number }>(`SELECT count() AS rows FROM ${quoted(table)}`);
  if (found?.rows !== rows) throw new Error(`it has ${found?.rows ?? 0} rows, not ${rows}`);
}
