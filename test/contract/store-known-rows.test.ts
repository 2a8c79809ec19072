import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Logger } from '../../src/domain/ports.js';
import { createStore } from '../../src/store/store.js';
import { labelRow, predictionRow } from '../support/rows.js';

/** Opens the embedded store, and tells when it has read the identities of a table. */
async function open(dataDir: string) {
  const waiting = new Map<string, () => void>();
  const reads = new Map(
    ['predictions', 'labels'].map((table) => [
      table,
      new Promise<void>((resolve) => {
        waiting.set(table, resolve);
      }),
    ]),
  );
  const logger: Logger = {
    debug: (fields) => waiting.get(String((fields as { table?: string }).table))?.(),
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
    child: () => logger,
  };
  const store = await createStore({ kind: 'embedded', dataDir, logger });
  await store.migrate();
  return { store, known: () => Promise.all(reads.values()) };
}

describe('the embedded store, of which rows it knows from memory that they are new', () => {
  let dataDir: string;
  let opened: Awaited<ReturnType<typeof open>>;
  const ids = Array.from({ length: 3_000 }, (_, index) => `r${index}`);

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'plumbline-known-'));
    const { store } = await open(dataDir);
    for (const [at, token] of ['a', 'b', 'c'].entries()) {
      const own = ids.slice(1_000 * at, 1_000 * (at + 1));
      await store.insertRows({
        predictions: own.map((id) => predictionRow(id)),
        labels: own.map((id) => labelRow(id, { label: 'yes' })),
        rejected: [],
        token,
      });
    }
    await store.close();
    opened = await open(dataDir);
  });
  afterAll(async () => {
    await opened.store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Which of the stored and two new rows are found, and whether the engine had to be asked. */
  async function ask(name: string, stored: readonly string[]) {
    let looks = 0;
    const settled = async () => {
      looks += 1;
    };
    const rows = [`${name} 1`, ...stored, `${name} 2`];
    const predictions = await opened.store.findDuplicatePredictions(
      rows.map((id) => predictionRow(id)),
      settled,
    );
    const labels = await opened.store.findDuplicateLabels(
      rows.map((id) => labelRow(id, { label: 'yes' })),
      settled,
    );
    return { predictions: [...predictions], labels: [...labels], looks };
  }

  test('gives the same answers before and after what is stored was read at a start', async () => {
    const positions = ids.map((_, index) => index + 1);
    const before = await ask('before', ids);
    expect(before).toEqual({ predictions: positions, labels: positions, looks: 2 });
    await opened.known();
    expect(await ask('after', ids)).toEqual(before);
    expect(await ask('nothing', [])).toEqual({ predictions: [], labels: [], looks: 0 });
    // Asked about, but never stored.
    expect(await ask('nothing', [])).toEqual({ predictions: [], labels: [], looks: 2 });
  });

  test('takes a row as new whose insert failed', async () => {
    const rows = [predictionRow('lost', { rowIndex: -1 })];
    expect(await opened.store.findDuplicatePredictions(rows)).toEqual(new Set());
    await expect(
      opened.store.insertRows({ predictions: rows, labels: [], rejected: [], token: 'lost' }),
    ).rejects.toThrow('UInt32');
    expect(await opened.store.findDuplicatePredictions(rows)).toEqual(new Set());
  });

  test('finds a row that was stored since, by its names', async () => {
    const rows = [predictionRow('fresh'), predictionRow('fresh', { modelVersion: '4' })];
    expect(await opened.store.findDuplicatePredictions([rows[0] as (typeof rows)[0]])).toEqual(new Set());
    await opened.store.insertRows({
      predictions: rows.slice(0, 1),
      labels: [],
      rejected: [],
      token: 'fresh',
    });
    expect(await opened.store.findDuplicatePredictions([...rows, ...rows])).toEqual(new Set([0, 2, 3]));
  });
});
