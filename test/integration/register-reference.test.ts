import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Store } from '../../src/domain/ports.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createReferenceRegistrar, type RegisterReferenceDeps } from '../../src/jobs/register-reference.js';
import { createStore } from '../../src/store/store.js';
import { createSilentLogger } from '../support/silent-logger.js';

/** Days of 24 hourly rows; half a day at either end. */
const rows = Array.from({ length: 24 * 4 }, (_, hour) => {
  const at = new Date(Date.UTC(2026, 0, 1, 12) + hour * 3_600_000).toISOString();
  return {
    timestamp: at,
    age: 20 + (hour % 7),
    plan: hour % 3 === 0 ? 'pro' : 'basic',
    prediction: hour % 2,
  };
});
const ndjson = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

describe('registering a reference', () => {
  let directory = '';
  let store: Store;
  const seen: { pieces: number; sample: number; times: number }[] = [];

  const registrar = (overrides: Partial<RegisterReferenceDeps> = {}) =>
    createReferenceRegistrar({
      store,
      wallClock: { now: () => 1_000, observe: () => undefined },
      logger: createSilentLogger(),
      fitNullModel: ({ pieces, pieceMs }) => {
        seen.push({ pieces: pieces.length, sample: 0, times: 0 });
        return { kind: pieces.length > 0 ? 'temporal' : 'iid', pieceMs, spreads: [] };
      },
      fitForest: async (_columns, sample, { time }) => {
        Object.assign(seen.at(-1) ?? {}, { sample: sample.length, times: time?.timestampsMs.length ?? 0 });
        return `forest of ${sample.length}`;
      },
      windowMs: () => DAY_MS,
      ...overrides,
    });
  const register = (path: string, modelVersion = '1', overrides: Partial<RegisterReferenceDeps> = {}) =>
    registrar(overrides)({ path, model: 'churn', modelVersion, provenance: 'test' });
  const write = async (name: string, lines: readonly object[]) => {
    const path = join(directory, name);
    await writeFile(path, ndjson(lines));
    return path;
  };
  const merged = (modelVersion: string, hash: string) =>
    store.pieceProfiles({ model: 'churn', modelVersion, scope: `reference:${hash}` }, DAY_MS);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-register-'));
    const dataDir = join(directory, 'data');
    store = await createStore({ kind: 'embedded', dataDir, logger: createSilentLogger() });
    await store.migrate();
  });
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('leaves no model behind when it fails half-way', async () => {
    const path = await write('v1.ndjson', rows);
    const failing = async () => {
      throw new Error('no forest');
    };
    await expect(register(path, '1', { fitForest: failing })).rejects.toThrow('no forest');
    expect(await store.listModels()).toEqual([]);
  });

  it('keeps the schema, the grids, the counts, the null model and the forest', async () => {
    const { model, reference } = await register(join(directory, 'v1.ndjson'));
    expect(model.schema).toEqual({
      task: 'binary',
      probability: false,
      features: [
        { name: 'age', kind: 'numeric' },
        { name: 'plan', kind: 'categorical' },
      ],
    });
    expect(reference).toMatchObject({
      rows: 96,
      period: { startMs: Date.UTC(2026, 0, 1, 12), endMs: Date.UTC(2026, 0, 5, 11) + 1 },
      nullModel: { kind: 'temporal', pieceMs: DAY_MS },
      forest: 'forest of 96',
    });
    expect(reference.hash).toMatch(/^[0-9a-f]{64}$/);
    // Three whole days; the half ones do not count as windows.
    expect(seen.at(-1)).toEqual({ pieces: 3, sample: 96, times: 96 });
    expect(await store.listModels()).toEqual([model]);
    expect(await store.currentReference(model)).toEqual(reference);
    expect(await store.listReferenceChanges(model)).toEqual([
      {
        model: 'churn',
        modelVersion: '1',
        kind: 'registered',
        hash: reference.hash,
        previousHash: null,
        atMs: 1_000,
        by: 'local',
        reason: '',
      },
    ]);
    expect((await store.listGrids('churn')).map(({ feature }) => feature)).toEqual([
      'age',
      'latency_ms',
      'plan',
      'prediction',
    ]);
  });

  it('changes nothing when the same file is registered again', async () => {
    const before = await register(join(directory, 'v1.ndjson'));
    const counts = await merged('1', before.reference.hash);
    const grids = await store.listGrids('churn');
    expect(await register(join(directory, 'v1.ndjson'))).toEqual(before);
    expect(await merged('1', before.reference.hash)).toEqual(counts);
    expect(await store.listGrids('churn')).toEqual(grids);
    expect(await store.listReferenceChanges(before.model)).toHaveLength(1);
  });

  it('is another reference where its forest is grown in another way', async () => {
    const path = join(directory, 'v1.ndjson');
    const before = await register(path);
    let grown: object = {};
    const { reference } = await registrar({
      forestSettings: () => ({ trees: 30, sampleSize: 64 }),
      fitForest: async (_columns, _rows, { trees, subsample }) => {
        grown = { trees, subsample };
        return 'another forest';
      },
    })({ path, model: 'churn', modelVersion: '1', provenance: 'test', outliers: { trees: 200 } });
    expect(grown).toEqual({ trees: 200, subsample: 64 });
    expect(reference.hash).not.toBe(before.reference.hash);
    expect(await merged('1', reference.hash)).toEqual(await merged('1', before.reference.hash));
    expect(await store.currentReference(before.model)).toEqual(reference);
    expect((await register(path)).reference.hash).toBe(before.reference.hash);
  });

  it('counts another version on the grids of the first, and makes grids for its new columns only', async () => {
    const grids = await store.listGrids('churn');
    const path = await write(
      'v2.ndjson',
      rows.map((row) => ({ ...row, age: row.age + 0.5, visits: 3 })),
    );
    const { reference } = await register(path, '2');
    const now = await store.listGrids('churn');
    expect(now.filter(({ feature }) => feature !== 'visits')).toEqual(grids);
    expect(now.find(({ feature }) => feature === 'visits')).toMatchObject({ cutPoints: [3] });
    const [day] = await merged('2', reference.hash);
    const age = day?.profiles.find(({ feature }) => feature === 'age');
    // Every value lies between two cut points of the first version.
    expect(age?.counts.filter((_, cell) => cell % 2 === 1).every((count) => count === 0)).toBe(true);
    expect(age?.counts.reduce((sum, count) => sum + count, 0)).toBe(12);
  });

  it('refuses a column that was of another kind', async () => {
    const path = await write(
      'v3.ndjson',
      rows.map((row) => ({ ...row, age: `${row.age} years` })),
    );
    await expect(register(path, '3')).rejects.toThrow(/age is categorical in test but numeric in earlier/);
    expect((await store.listModels()).map(({ modelVersion }) => modelVersion)).toEqual(['1', '2']);
  });

  it('names a file that is not there', async () => {
    await expect(register(join(directory, 'none.csv'))).rejects.toMatchObject({ code: 'file_unreadable' });
  });
});
