import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createStoreClient } from '../../src/store/client.js';
import { readManifest, restoreBackup } from '../../src/store/restore.js';
import { removeAbandoned } from '../../src/store/snapshots.js';
import { createStore } from '../../src/store/store.js';
import { labelRow, predictionRow, rejectedRow } from '../support/rows.js';
import { openBackend, SILENT } from '../support/store-backends.js';
import { until } from '../support/until.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'plumbline-snapshots-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const open = (dataDir: string) => createStore({ kind: 'embedded', dataDir, logger: SILENT });
const batchOf = (index: number) => ({
  predictions: [predictionRow(`p${index}`), predictionRow(`q${index}`)],
  labels: [labelRow(`p${index}`)],
  rejected: [rejectedRow()],
  token: `batch-${index}`,
});
const restore = async (folder: string, dataDir: string) =>
  restoreBackup({ folder, manifest: await readManifest(folder), dataDir, onProgress: () => undefined });

describe('snapshots of an embedded store', () => {
  test('hold whole batches only, whatever is being written, and can be restored', async () => {
    let store = await open(join(directory, 'data'));
    await store.migrate();
    let index = 0;
    let writing = true;
    const writer = (async () => {
      for (; writing; index += 1) await store.insertRows(batchOf(index));
    })();
    const snapshots = [];
    try {
      await until(() => index >= 2);
      for (let time = 0; time < 3; time += 1) {
        const before = index;
        const snapshot = await store.takeSnapshot();
        snapshots.push({ ...snapshot, before, after: index });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } finally {
      writing = false;
      await writer;
    }
    expect(readdirSync(join(directory, 'data', 'shadow'))).toEqual(['increment.txt']);
    // One directory is open at a time.
    await store.close();

    for (const { id, path, manifest, before, after } of snapshots) {
      const rowsOf = (name: string) => manifest.tables.find((table) => table.name === name)?.rows ?? -1;
      expect(rowsOf('predictions') % 2).toBe(0);
      // One batch may have been between two of its inserts: rejected rows first, predictions last.
      const batches = rowsOf('predictions') / 2;
      expect(rowsOf('rejected') - batches).toBeGreaterThanOrEqual(0);
      expect(rowsOf('rejected') - batches).toBeLessThanOrEqual(1);
      expect(batches).toBeGreaterThanOrEqual(before - 1);
      expect(batches).toBeLessThanOrEqual(after + 1);

      const dataDir = join(directory, `restored-${id}`);
      await restore(path, dataDir);
      const restored = await open(dataDir);
      expect(await restored.migrate()).toEqual({ applied: [] });
      expect(await restored.totals()).toMatchObject({
        predictions: rowsOf('predictions'),
        labels: rowsOf('labels'),
        rejected: rowsOf('rejected'),
      });
      // It is a store like any other, which knows what it holds.
      expect(await restored.findDuplicatePredictions([predictionRow('p0'), predictionRow('new')])).toEqual(
        new Set([0]),
      );
      await restored.insertRows(batchOf(1_000_000));
      expect(await restored.totals()).toMatchObject({ predictions: rowsOf('predictions') + 2 });
      await restored.close();
    }
    // A process that begins anew leaves none behind; one that goes on removes them one by one.
    store = await open(join(directory, 'data'));
    expect(snapshots.map(({ path }) => existsSync(path))).toEqual([false, false, false]);
    const { id, path } = await store.takeSnapshot();
    expect(await store.removeSnapshot(id)).toBe(true);
    expect(existsSync(path)).toBe(false);
    expect(await store.removeSnapshot(id)).toBe(false);
    expect(await store.removeSnapshot('../data')).toBe(false);
    await store.close();
  });

  test('are restored into an empty directory only, and say what is wrong with a damaged one', async () => {
    const store = await open(join(directory, 'data'));
    await store.migrate();
    await store.insertRows(batchOf(0));
    const { path, manifest } = await store.takeSnapshot();
    await store.close();

    await expect(restore(path, join(directory, 'data'))).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('holds a store already'),
    });
    const [part = ''] = manifest.tables.find(({ name }) => name === 'predictions')?.parts ?? [];
    const file = join(path, 'predictions', part, 'data.bin');
    truncateSync(file, Math.floor(readFileSync(file).length / 2));
    await expect(restore(path, join(directory, 'damaged'))).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringContaining('predictions cannot be restored'),
    });
    // What is there has no tombstones, perhaps: nobody may take it for the store.
    for (const again of [
      () => open(join(directory, 'damaged')),
      () => restore(path, join(directory, 'damaged')),
    ])
      await expect(again()).rejects.toMatchObject({
        code: 'data_dir_unusable',
        message: expect.stringContaining('restore again'),
      });
    writeFileSync(join(path, 'manifest.json'), '{"format":1}');
    await expect(readManifest(path)).rejects.toMatchObject({
      message: expect.stringContaining('is damaged'),
    });
    rmSync(join(path, 'manifest.json'));
    await expect(readManifest(path)).rejects.toMatchObject({
      message: expect.stringContaining('no backup, or one that was not finished'),
    });
  });

  test('of a release with fewer tables are brought up to date', async () => {
    const dataDir = join(directory, 'data');
    const store = await open(dataDir);
    await store.migrate();
    await store.insertRows(batchOf(0));
    // As a release before its last migrations would have left it.
    const client = await createStoreClient({ kind: 'embedded', dataDir });
    await client.command('DROP TABLE erasures SYNC');
    await client.command(
      "ALTER TABLE schema_migrations DELETE WHERE name = '0070_erasures' SETTINGS mutations_sync = 2",
    );
    await client.close();
    const { path } = await store.takeSnapshot();
    await store.close();
    await restore(path, join(directory, 'restored'));
    const restored = await open(join(directory, 'restored'));
    expect((await restored.migrate()).applied).toEqual(['0070_erasures']);
    expect(await restored.totals()).toMatchObject({ predictions: 2, labels: 1 });
    expect(await restored.listErasures('churn')).toEqual([]);
    await restored.close();
  });

  test('of a newer release are refused before their rows are copied', async () => {
    const dataDir = join(directory, 'data');
    const store = await open(dataDir);
    await store.migrate();
    await store.insertRows(batchOf(0));
    const client = await createStoreClient({ kind: 'embedded', dataDir });
    await client.insert('schema_migrations', [{ name: '9999_next', checksum: '' }]);
    await client.close();
    const { path, manifest } = await store.takeSnapshot();
    await store.close();
    const restored: string[] = [];
    const onProgress = (_bytes: number, table: string) => restored.push(table);
    await expect(
      restoreBackup({ folder: path, manifest, dataDir: join(directory, 'restored'), onProgress }),
    ).rejects.toMatchObject({ code: 'migration_failed', message: expect.stringContaining('9999_next') });
    expect(restored).toEqual(['schema_migrations']);
  });

  test('are missed where they cannot be looked for: the store does not open', async () => {
    const dataDir = join(directory, 'data');
    mkdirSync(dataDir);
    symlinkSync('snapshots', join(dataDir, 'snapshots'));
    await expect(open(dataDir)).rejects.toMatchObject({ code: 'data_dir_unusable' });
    rmSync(join(dataDir, 'snapshots'));
    await (await open(dataDir)).close();
  });

  test('go when nobody copies them any more, and nothing else does', async () => {
    const dataDir = join(directory, 'data');
    const own = join(dataDir, 'backups', '2026-11-29');
    mkdirSync(own, { recursive: true });
    let store = await open(dataDir);
    await store.migrate();
    const [abandoned, copied] = [await store.takeSnapshot(), await store.takeSnapshot()];
    const hoursAgo = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(abandoned.path, hoursAgo, hoursAgo);
    await removeAbandoned(dataDir);
    expect([abandoned, copied].map(({ path }) => existsSync(path))).toEqual([false, true]);
    await store.close();
    store = await open(dataDir);
    expect([copied.path, own].map(existsSync)).toEqual([false, true]);
    await store.close();
  });

  test('are not taken of a store on a server', async () => {
    const backend = await openBackend('http');
    await expect(backend.store.takeSnapshot()).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('BACKUP'),
    });
    await backend.close();
  });
});
