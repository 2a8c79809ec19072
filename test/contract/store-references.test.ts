import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ModelVersion, monitoredColumns } from '../../src/domain/model.js';
import { PRODUCTION } from '../../src/domain/ports.js';
import type { PredictionRow } from '../../src/domain/prediction.js';
import type { Profile } from '../../src/domain/profile.js';
import type { Reference, ReferenceChange } from '../../src/domain/reference.js';
import type { EpisodeCategory, WindowOutcome } from '../../src/domain/verdict.js';
import { DAY_MS, HOUR_MS, tile } from '../../src/domain/window.js';
import { createStoreClient } from '../../src/store/client.js';
import { named, predictionRow } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

async function listed<T>(series: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of series) found.push(one);
  return found;
}

const MODEL: ModelVersion = {
  model: 'churn',
  modelVersion: '3',
  schema: {
    task: 'binary',
    features: [
      { name: 'age', kind: 'numeric' },
      { name: 'plan', kind: 'categorical' },
    ],
  },
  registeredAtMs: 0,
};
const START_MS = Date.UTC(2026, 0, 5);
const PERIOD = { startMs: START_MS + 6 * HOUR_MS, endMs: START_MS + 2 * DAY_MS };

/** Two rows an hour for three days; every seventh lacks its age, one is infinite. */
const ROWS: PredictionRow[] = Array.from({ length: 3 * 48 }, (_, index) =>
  predictionRow(`r${index}`, {
    timestampMs: START_MS + index * (HOUR_MS / 2),
    numeric: named(index % 7 === 0 ? [] : [['age', index === 50 ? Number.POSITIVE_INFINITY : index % 60]]),
    categorical: named([['plan', index % 3 === 0 ? 'pro' : 'free']]),
  }),
);

/** Some profiles have their counts from getters. */
const plain = ({
  feature,
  kind,
  rows,
  missing,
  nonFinite,
  mistyped,
  counts,
  offsets,
  min,
  max,
}: Profile) => ({
  feature,
  kind,
  rows,
  missing,
  nonFinite,
  mistyped,
  counts,
  offsets,
  min,
  max,
});

describe.each(BACKENDS)('references in the %s store', (kind) => {
  let backend: StoreBackend;
  const insert = (rows: readonly PredictionRow[], token: string) =>
    backend.store.insertRows({ predictions: rows, labels: [], rejected: [], token });
  const count = async () => {
    for (const dirty of await backend.store.dirtyBuckets(START_MS + 100 * DAY_MS))
      await backend.store.profileHours(MODEL, dirty.hourStartsMs);
  };

  beforeAll(async () => {
    backend = await openBackend(kind);
    await backend.store.saveModel(MODEL);
    await backend.store.saveGrids('churn', [
      { kind: 'numeric', feature: 'age', cutPoints: [10, 20, 30, 40], quantum: 2 ** -20 },
      { kind: 'numeric', feature: 'prediction_proba', cutPoints: [0.5, 0.83], quantum: 2 ** -26 },
      { kind: 'categorical', feature: 'plan', categories: ['free', 'pro'], headSize: 2 },
      { kind: 'categorical', feature: 'prediction', categories: ['0', '1'], headSize: 2 },
    ]);
    await insert(ROWS, 'first');
    await count();
  });
  afterAll(() => backend.close());

  test('a frozen period is the merge of its production hours, in hours and in days', async () => {
    const { store } = backend;
    const { hash, rows } = await store.freezePeriod(MODEL, PERIOD);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(rows).toBe(84);
    const key = { model: 'churn', modelVersion: '3' };
    const production = await store.mergedProfiles({ ...key, scope: PRODUCTION }, tile(PERIOD));
    const scope = `reference:${hash}`;
    expect(production).toHaveLength(4);
    expect(await store.mergedProfiles({ ...key, scope }, tile(PERIOD))).toEqual(production);
    // The first day is not whole: as a day it holds the hours of the period only.
    const days = await store.pieceProfiles({ ...key, scope }, DAY_MS);
    expect(days.map(({ window }) => window.startMs)).toEqual([START_MS, START_MS + DAY_MS]);
    expect(days.map(({ profiles }) => profiles[0]?.rows)).toEqual([36, 48]);
  });

  test('counts that come later change the hash of the period, not the reference', async () => {
    const { store } = backend;
    const key = { model: 'churn', modelVersion: '3' };
    const first = await store.freezePeriod(MODEL, PERIOD);
    expect(await store.freezePeriod(MODEL, PERIOD)).toEqual(first);
    const salted = await store.freezePeriod(MODEL, PERIOD, (counts) => `of ${counts}`);
    expect(salted).toEqual({ hash: `of ${first.hash}`, rows: first.rows });
    const scope = (hash: string) => ({ ...MODEL, scope: `reference:${hash}` });
    expect(await store.pieceProfiles(scope(salted.hash), DAY_MS)).toEqual(
      await store.pieceProfiles(scope(first.hash), DAY_MS),
    );
    const before = await store.mergedProfiles({ ...key, scope: `reference:${first.hash}` }, tile(PERIOD));
    await insert([predictionRow('late', { timestampMs: PERIOD.startMs + 5 })], 'second');
    await count();
    const second = await store.freezePeriod(MODEL, PERIOD);
    expect(second.rows).toBe(85);
    expect(second.hash).not.toBe(first.hash);
    expect(await store.mergedProfiles({ ...key, scope: `reference:${first.hash}` }, tile(PERIOD))).toEqual(
      before,
    );
  });

  test('a period without rows has none, and leaves nothing behind', async () => {
    const later = { startMs: START_MS + 30 * DAY_MS, endMs: START_MS + 31 * DAY_MS };
    expect((await backend.store.freezePeriod(MODEL, later)).rows).toBe(0);
    const admin = await createStoreClient(backend.location);
    const [found] = await admin.query<{ n: number }>(
      "SELECT count() AS n FROM profiles WHERE scope LIKE 'reference:%' AND bucket >= {from:DateTime64(3, 'UTC')}",
      { from: '2026-02-01 00:00:00' },
    );
    await admin.close();
    expect(found?.n).toBe(0);
  });

  test('the sample of raw rows holds each row once, the same each time', async () => {
    const { store } = backend;
    const columns = monitoredColumns(MODEL.schema);
    const all = await store.sampleRows(MODEL, columns, PERIOD, 1_000);
    expect(all.stored).toBe(85);
    expect(all.rows).toHaveLength(85);
    const at = (index: number) => all.rows.find((row) => row.timestampMs === ROWS[index]?.timestampMs);
    expect(at(51)?.values).toEqual([51, 'pro', '1', 0.83]);
    expect(at(50)?.values[0]).toBe(Number.POSITIVE_INFINITY);
    expect(at(49)?.values[0]).toBeNull();
    const some = await store.sampleRows(MODEL, columns, PERIOD, 10);
    expect(await store.someRows(MODEL, columns, PERIOD, 10)).toEqual(some.rows);
    expect(some.stored).toBe(85);
    expect(some.rows).toEqual(all.rows.slice(0, 10));
  });

  test('profiles of chosen windows are those of each window alone', async () => {
    const { store } = backend;
    const query = { model: 'churn', modelVersion: '3', scope: PRODUCTION };
    const hours = (from: number, to: number) => ({
      startMs: START_MS + from * HOUR_MS,
      endMs: START_MS + to * HOUR_MS,
    });
    for (const windows of [
      [hours(1, 4), hours(24, 48), hours(48, 49), hours(900, 901)],
      [hours(0, 24), hours(48, 72), hours(240, 264)],
    ]) {
      const found = await store.windowProfiles(query, windows);
      expect(found.map(({ window }) => window)).toEqual(windows.slice(0, -1));
      for (const { window, profiles } of found)
        expect(profiles).toEqual(await store.mergedProfiles(query, tile(window)));
    }
    expect(await store.windowProfiles(query, [])).toEqual([]);
    const [age] = await store.windowProfiles({ ...query, features: ['age'] }, [hours(0, 24)]);
    expect(age?.profiles.map(({ feature }) => feature)).toEqual(['age']);
    const half = { startMs: START_MS + HOUR_MS / 2, endMs: START_MS + HOUR_MS };
    await expect(store.windowProfiles(query, [half])).rejects.toThrow(RangeError);
  });

  test('a series of pieces is each piece alone, without offsets', async () => {
    const { store } = backend;
    const query = { model: 'churn', modelVersion: '3', scope: PRODUCTION };
    for (const pieceMs of [HOUR_MS, 6 * HOUR_MS, DAY_MS]) {
      const from = Math.ceil(START_MS / DAY_MS) * DAY_MS;
      const period = { startMs: from, endMs: from + 3 * DAY_MS };
      const series = await listed(store.profileSeries(query, period, pieceMs));
      expect(series.length).toBeGreaterThan(1);
      for (const { window, profiles } of series) {
        expect(window.endMs - window.startMs).toBe(pieceMs);
        const alone = await store.mergedProfiles(query, tile(window));
        for (const { filled, counts } of profiles)
          if (filled !== undefined)
            expect(counts.flatMap((count, cell) => (count > 0 ? [[cell, count]] : []))).toEqual(
              Array.from(filled.cells, (cell, k) => [cell, filled.counts[k]]),
            );
        if (pieceMs !== 6 * HOUR_MS)
          expect(profiles.filter(({ filled }) => filled === undefined)).toEqual([]);
        const byName = (a: { feature: string }, b: { feature: string }) => (a.feature < b.feature ? -1 : 1);
        expect(profiles.map(plain).toSorted(byName)).toEqual(
          alone.map((profile) => ({ ...profile, offsets: [] })).toSorted(byName),
        );
      }
    }
    const period = { startMs: 0, endMs: DAY_MS };
    expect(await listed(store.profileSeries(query, period, DAY_MS))).toEqual([]);
    await expect(listed(store.profileSeries(query, period, HOUR_MS / 2))).rejects.toThrow(RangeError);
    await expect(listed(store.profileSeries(query, { startMs: 1, endMs: DAY_MS }, HOUR_MS))).rejects.toThrow(
      RangeError,
    );
    // Beyond one slice: a quarter of a million pieces, of which a few hold rows.
    const decade = { startMs: START_MS - 10_000 * DAY_MS, endMs: START_MS + 1_000 * DAY_MS };
    const daily = { startMs: Math.floor(decade.startMs / DAY_MS) * DAY_MS, endMs: decade.endMs };
    const long = await listed(store.profileSeries(query, daily, HOUR_MS));
    expect(long.map(({ window }) => window.startMs)).toEqual(
      long.map(({ window }) => window.startMs).toSorted((a, b) => a - b),
    );
    expect(long.length).toBeGreaterThan(50);
    for await (const { profiles } of store.profileSeries(query, daily, HOUR_MS)) {
      expect(profiles.length).toBeGreaterThan(0);
      break;
    }
  });

  test('windows in breach are those judged drifted, as they were judged last, in what a reference is made of', async () => {
    const { store } = backend;
    const key = { model: 'churn', modelVersion: 'b' };
    const window = (day: number) => ({
      startMs: START_MS + day * DAY_MS,
      endMs: START_MS + (day + 1) * DAY_MS,
    });
    const outcome = (day: number, state: WindowOutcome['state'], category: EpisodeCategory = 'drift') => ({
      ...key,
      category,
      window: window(day),
      state,
      drivers: [],
    });
    await store.saveOutcomes([
      outcome(0, 'drifted'),
      outcome(0, 'drifted', 'dataQuality'),
      outcome(1, 'clean'),
      outcome(2, 'drifted', 'dataQuality'),
      outcome(3, 'drifted', 'outliers'),
      outcome(4, 'drifted'),
      outcome(5, 'undecided'),
      outcome(6, 'drifted'),
    ]);
    await store.saveOutcomes([outcome(4, 'clean')]);
    const all = { startMs: 0, endMs: START_MS + 100 * DAY_MS };
    expect(await store.breachedWindows(key, all)).toEqual([0, 2, 6].map(window));
    const part = { startMs: START_MS + DAY_MS, endMs: START_MS + 6 * DAY_MS + HOUR_MS };
    expect(await store.breachedWindows(key, part)).toEqual([2, 6].map(window));
    expect(await store.breachedWindows({ ...key, modelVersion: 'c' }, all)).toEqual([]);
  });

  test('references are listed, the current one first, and found by their hash', async () => {
    const { store } = backend;
    const key = { model: 'churn', modelVersion: '9' };
    const reference = (hash: string): Reference => ({
      ...key,
      hash,
      rows: 5,
      period: null,
      provenance: `file ${hash}`,
      createdAtMs: 7,
      nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
      forest: `forest of ${hash}`,
    });
    expect(await store.listReferences(key)).toEqual([]);
    for (const hash of ['a', 'b', 'c', 'a']) await store.saveReference(reference(hash));
    const listed = await store.listReferences(key);
    expect(listed.map(({ hash, current }) => [hash, current])).toEqual([
      ['a', true],
      ['c', false],
      ['b', false],
    ]);
    expect(listed[0]).not.toHaveProperty('forest');
    expect(await store.findReference({ ...key, hash: 'b' })).toEqual(reference('b'));
    expect(await store.findReference({ ...key, hash: 'z' })).toBeNull();
    expect(await store.currentReference(key)).toEqual(reference('a'));
  });

  test('a reference from before forests had a column keeps its forest', async () => {
    const { store } = backend;
    const key = { model: 'churn', modelVersion: 'old' };
    const body = JSON.stringify({ ...key, hash: 'h', rows: 1, forest: 'a tree' });
    const admin = await createStoreClient(backend.location);
    await admin.insert('references', [
      { model: 'churn', version: 'old', hash: 'h', rows: 1, body, revision: 1 },
    ]);
    await admin.close();
    expect(await store.currentReference(key)).toMatchObject({ hash: 'h', forest: 'a tree' });
    expect((await store.listReferences(key))[0]).not.toHaveProperty('forest');
  });

  test('changes of the current reference read back newest first', async () => {
    const { store } = backend;
    const change = (hash: string, atMs: number): ReferenceChange => ({
      model: 'churn',
      modelVersion: '3',
      kind: 'rebaselined',
      hash,
      previousHash: null,
      atMs,
      by: 'a1b2c3d4',
      reason: 'prices "rose"',
    });
    await store.saveReferenceChange(change('x', 5));
    await store.saveReferenceChange(change('y', 5));
    expect(await store.listReferenceChanges({ model: 'churn', modelVersion: '3' })).toEqual([
      change('y', 5),
      change('x', 5),
    ]);
    expect(await store.listReferenceChanges({ model: 'churn', modelVersion: '4' })).toEqual([]);
  });
});
