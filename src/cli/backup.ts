import { access, cp, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { openStore } from '../app.js';
import type { BackupManifest } from '../domain/backup.js';
import { AppError, messageOf } from '../errors.js';
import { readManifest, restoreBackup } from '../store/restore.js';
import { MANIFEST } from '../store/snapshots.js';
import { answer, createProgress, type Output, say } from './output.js';
import { configFor, type ServeOptions } from './serve.js';
import { createServiceClient } from './service-client.js';

const taken = z.object({ id: z.string(), path: z.string() });
const mebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
const sizeOf = ({ tables }: BackupManifest) => tables.reduce((sum, { bytes }) => sum + bytes, 0);
const rowsOf = ({ tables }: BackupManifest) => tables.reduce((sum, { rows }) => sum + rows, 0);

/** Of the running service, which goes on meanwhile: it takes a snapshot, whose files are copied from here. */
export async function backupService(
  given: { url: string; key?: string },
  folder: string,
  output: Output,
  interruption: Promise<never>,
): Promise<void> {
  const client = createServiceClient(given);
  await prepare(folder);
  const { id, path } = taken.parse(await client.postJson('/v1/backups', {}));
  try {
    await access(join(path, MANIFEST)).catch((cause) => {
      throw new AppError(
        'file_unreadable',
        `the service's data directory cannot be read from here (${messageOf(cause)}): run the backup where the service runs, as its user`,
        { cause },
      );
    });
    await Promise.race([copy(path, folder, output), interruption]);
  } finally {
    await client.delete(`/v1/backups/${id}`);
  }
}

/** Of a data directory that nothing uses. */
export async function backupDirectory(
  options: ServeOptions,
  folder: string,
  output: Output,
  interruption: Promise<never>,
): Promise<void> {
  await prepare(folder);
  const store = await openStore(configFor(options));
  try {
    const { id, path } = await store.takeSnapshot();
    try {
      await Promise.race([copy(path, folder, output), interruption]);
    } finally {
      await store.removeSnapshot(id);
    }
  } finally {
    await store.close();
  }
}

async function prepare(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if ((await readdir(folder)).length === 0) return;
  } catch (cause) {
    throw new AppError('file_unreadable', `cannot write to ${folder}: ${messageOf(cause)}`, { cause });
  }
  throw new AppError('invalid_request', `${folder} is not empty: name a new folder for each backup`);
}

const TOUCH_MS = 60_000;

/** Shows the service that its snapshot is still copied: one that nobody copies goes. Gives what ends that. */
function keepTouched(snapshot: string): () => void {
  const timer = setInterval(() => {
    const now = new Date();
    // Of a directory that can be read only: the copy is done in time, or says that a file is gone.
    utimes(snapshot, now, now).catch(() => undefined);
  }, TOUCH_MS);
  return () => clearInterval(timer);
}

async function copy(from: string, folder: string, output: Output): Promise<void> {
  const manifest = await readManifest(from);
  const progress = createProgress(output, 'Backup');
  const total = sizeOf(manifest);
  const untouch = keepTouched(from);
  let done = 0;
  try {
    for (const table of manifest.tables) {
      await mkdir(join(folder, table.name));
      for (const part of table.parts)
        await cp(join(from, table.name, part), join(folder, table.name, part), { recursive: true });
      done += table.bytes;
      progress.update(done, total, table.name);
    }
  } finally {
    untouch();
    progress.stop();
  }
  // Last: a folder without it is no backup.
  await writeFile(join(folder, MANIFEST), JSON.stringify(manifest, null, 2));
  say(
    output,
    `Backed up ${rowsOf(manifest)} rows of ${manifest.tables.length} tables (${mebibytes(total)}) to ${folder}.`,
  );
  answer(output, { folder, ...manifest });
}

/** Puts a backup into an empty data directory, and brings its tables up to date. */
export async function restore(options: ServeOptions, folder: string, output: Output): Promise<void> {
  const config = configFor(options);
  if (!('dataDir' in config.store))
    throw new AppError(
      'config_invalid',
      "the store is on a ClickHouse server: use the server's RESTORE statement",
    );
  const manifest = await readManifest(folder);
  const progress = createProgress(output, 'Restore');
  const total = sizeOf(manifest);
  try {
    await restoreBackup({
      folder,
      manifest,
      dataDir: config.store.dataDir,
      onProgress: (bytes, table) => progress.update(bytes, total, table),
    });
  } finally {
    progress.stop();
  }
  const store = await openStore(config);
  try {
    const { applied } = await store.migrate();
    say(
      output,
      `Restored ${rowsOf(manifest)} rows of ${manifest.tables.length} tables, as they were at ${manifest.createdAt}, to ${config.store.dataDir}.${
        applied.length === 0 ? '' : ` Applied ${applied.join(', ')}.`
      }`,
    );
    answer(output, {
      dataDir: config.store.dataDir,
      createdAt: manifest.createdAt,
      rows: rowsOf(manifest),
      applied,
    });
  } finally {
    await store.close();
  }
}
