import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackedUpTable, BackupManifest, SnapshotStore } from '../domain/backup.js';
import { AppError, messageOf, whereMissing } from '../errors.js';
import { packageVersion } from '../version.js';
import type { StoreClient } from './client.js';
import type { WriteGate } from './write-gate.js';

export const MANIFEST = 'manifest.json';

/** Folder of snapshots in the data directory: on the same file system, so that taking one copies nothing. */
const FOLDER = 'snapshots';
/** What earlier releases called it. */
const FOLDERS = [FOLDER, 'backups'];
/** Whoever copies one shows in this time that it still does. */
const ABANDONED_MS = 3_600_000;
/** No dashes: the engine writes them otherwise in names of files. */
const ID = /^[0-9a-f]{32}$/;

interface TableRow {
  readonly name: string;
  readonly uuid: string;
  readonly ddl: string;
  readonly parts: number;
}

/**
 * Snapshots of an embedded store: every part of every table as hard links, at one moment between two writes, which is what a crash at that
 * moment would have left. `client` is not gated. For a store on a server, which has backups of its own, `dataDir` is null.
 */
export function createSnapshotStore(
  client: StoreClient,
  gate: WriteGate,
  dataDir: string | null,
): SnapshotStore {
  async function freeze(directory: string, id: string): Promise<TableRow[]> {
    const tables = await client.query<TableRow>(
      `SELECT t.name AS name, toString(t.uuid) AS uuid, t.create_table_query AS ddl, p.parts AS parts
       FROM system.tables AS t
       LEFT JOIN (SELECT table, count() AS parts FROM system.parts WHERE active AND database = {database:String} GROUP BY table) AS p
         ON p.table = t.name
       WHERE t.database = {database:String} AND t.engine LIKE '%MergeTree' ORDER BY name`,
      { database: client.database },
    );
    for (const { name } of tables)
      await client.command(`ALTER TABLE ${quoted(name)} FREEZE WITH NAME '${id}'`);
    const shadow = join(directory, 'shadow', id);
    const target = join(directory, FOLDER, id);
    await mkdir(target, { recursive: true, mode: 0o700 });
    for (const { name, uuid, parts } of tables) {
      if (parts === 0) await mkdir(join(target, name));
      else await rename(join(shadow, 'store', uuid.slice(0, 3), uuid), join(target, name));
    }
    await rm(shadow, { recursive: true, force: true });
    return tables;
  }

  return {
    async takeSnapshot() {
      if (dataDir === null)
        throw new AppError(
          'invalid_request',
          "the store is on a ClickHouse server: use the server's BACKUP statement",
        );
      const id = randomUUID().replaceAll('-', '');
      const path = join(dataDir, FOLDER, id);
      try {
        const tables = await gate.alone(() => freeze(dataDir, id));
        const [engine] = await client.query<{ version: string }>('SELECT version() AS version');
        const manifest: BackupManifest = {
          format: 1,
          plumbline: packageVersion(),
          engine: engine?.version ?? 'unknown',
          createdAt: new Date().toISOString(),
          database: client.database,
          tables: await Promise.all(
            tables.map(async ({ name, ddl }) => ({ name, ddl, ...(await contentsOf(join(path, name))) })),
          ),
        };
        await writeFile(join(path, MANIFEST), JSON.stringify(manifest, null, 2));
        return { id, path, manifest };
      } catch (error) {
        await rm(path, { recursive: true, force: true });
        await rm(join(dataDir, 'shadow', id), { recursive: true, force: true });
        throw error;
      }
    },

    async removeSnapshot(id) {
      if (dataDir === null || !ID.test(id)) return false;
      const path = join(dataDir, FOLDER, id);
      if ((await stat(path).catch(whereMissing(null))) === null) return false; // nothing there
      await rm(path, { recursive: true });
      return true;
    },
  };
}

/**
 * Snapshots that nobody copies: all of them when `olderThanMs` is 0 and the process that took them is gone, else those whose copying has not
 * gone on for as long. They hold rows that may be erased meanwhile. Nothing else in their folders is touched. Throws data_dir_unusable.
 */
export async function removeAbandoned(dataDir: string, olderThanMs = ABANDONED_MS): Promise<void> {
  try {
    await removeUntouched(dataDir, olderThanMs);
  } catch (cause) {
    throw new AppError(
      'data_dir_unusable',
      `cannot remove the snapshots of a backup that was cut short: ${messageOf(cause)}: the data directory ${dataDir} has to be the service's own`,
      { cause },
    );
  }
}

async function removeUntouched(dataDir: string, olderThanMs: number): Promise<void> {
  for (const folder of FOLDERS) {
    const names = await readdir(join(dataDir, folder)).catch(whereMissing<string[]>([]));
    for (const name of names.filter((found) => ID.test(found))) {
      const path = join(dataDir, folder, name);
      const touched = await stat(path).catch(whereMissing(null)); // another one has removed it
      // By either sign: the clock may have been set back.
      if (olderThanMs === 0 || (touched !== null && Math.abs(Date.now() - touched.mtimeMs) >= olderThanMs))
        await rm(path, { recursive: true, force: true });
    }
  }
}

export const quoted = (name: string) => `\`${name.replace(/[\\`]/g, '\\$&')}\``;

/** Parts of a table's folder, with the rows and bytes of all. */
async function contentsOf(folder: string): Promise<Pick<BackedUpTable, 'rows' | 'bytes' | 'parts'>> {
  const parts = (await readdir(folder)).sort();
  let rows = 0;
  let bytes = 0;
  for (const part of parts) {
    rows += Number(await readFile(join(folder, part, 'count.txt'), 'utf8'));
    for (const entry of await readdir(join(folder, part), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return { rows, bytes, parts };
}
