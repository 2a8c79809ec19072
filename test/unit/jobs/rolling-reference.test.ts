import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { Profile } from '../../../src/domain/profile.js';
import type { Reference } from '../../../src/domain/reference.js';
import { type Bucket, DAY_MS, HOUR_MS, type Window } from '../../../src/domain/window.js';
import { createRollingReferences, type RollingSetting } from '../../../src/jobs/rolling-reference.js';

const MODEL: ModelVersion = {
  model: 'm',
  modelVersion: '1',
  schema: { task: 'regression', features: [{ name: 'x', kind: 'numeric' }] },
  registeredAtMs: 0,
};
const TRAINING: Reference = {
  model: 'm',
  modelVersion: '1',
  hash: 'training',
  rows: 9,
  period: null,
  provenance: 'a file',
  createdAtMs: 5,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  forest: 'trees',
};
const day = (index: number, length = 1): Window => ({
  startMs: index * DAY_MS,
  endMs: (index + length) * DAY_MS,
});
const hour = (index: number): Window => ({ startMs: index * HOUR_MS, endMs: (index + 1) * HOUR_MS });
const TRAILING: RollingSetting = { kind: 'trailing', days: 14 };
const SEASONAL: RollingSetting = { kind: 'seasonal', days: 28 };

describe('rolling references', () => {
  /** Rows of an hour, by its start. */
  let rowsAt: (startMs: number) => number;
  let breaches: Window[];
  let calls: { merged: Bucket[][]; fitted: { windows: Window[]; phases: number }[] };

  const sum = (window: Window) => {
    let rows = 0;
    for (let ms = window.startMs; ms < window.endMs; ms += HOUR_MS) rows += rowsAt(ms);
    return rows;
  };
  const profile = (rows: number): Profile => ({
    feature: 'x',
    kind: 'numeric',
    rows,
    missing: 0,
    nonFinite: 0,
    mistyped: 0,
    counts: [rows],
    offsets: [0],
    min: 0,
    max: 0,
  });
  const rolling = () =>
    createRollingReferences({
      store: {
        listGrids: async () => [],
        mergedProfiles: async (query, buckets) => {
          expect(query).toEqual({ model: 'm', modelVersion: '1', scope: 'production' });
          calls.merged.push([...buckets]);
          return [profile(buckets.reduce((rows, bucket) => rows + sum(bucket), 0))];
        },
        windowProfiles: async (_query, windows) =>
          windows.map((window) => ({ window, profiles: [profile(sum(window))] })),
        profiledRows: async (_key, windows) => windows.map(sum),
        breachedWindows: async (_key, period) =>
          breaches.filter((window) => window.endMs > period.startMs && window.startMs < period.endMs),
      },
      fitNullModel: ({ pieces, pieceMs, phaseOf }) => {
        const phases = new Set(pieces.map(({ window }) => phaseOf?.(window) ?? 0));
        calls.fitted.push({ windows: pieces.map(({ window }) => window), phases: phases.size });
        return { kind: pieces.length >= 10 ? 'temporal' : 'iid', pieceMs, spreads: [] };
      },
    });

  beforeEach(() => {
    rowsAt = () => 1;
    breaches = [];
    calls = { merged: [], fitted: [] };
  });

  it('trailing: the days before the window, without those in breach', async () => {
    breaches = [day(95), { startMs: 97 * DAY_MS + HOUR_MS, endMs: 98 * DAY_MS + HOUR_MS }];
    const { reference, profiles, parameters } = await rolling().baselineOf(
      MODEL,
      TRAINING,
      day(100),
      TRAILING,
    );
    // Fourteen days, less the 95th, and the 97th and 98th, which a window in breach overlaps.
    expect(calls.merged[0]?.map(({ startMs }) => startMs / DAY_MS)).toEqual([
      86, 87, 88, 89, 90, 91, 92, 93, 94, 96, 99,
    ]);
    expect(profiles[0]?.rows).toBe(11 * 24);
    expect(calls.fitted[0]?.windows).toHaveLength(11);
    expect(reference).toMatchObject({
      rows: 11 * 24,
      period: { startMs: 86 * DAY_MS, endMs: 100 * DAY_MS },
      nullModel: { kind: 'temporal' },
      forest: 'trees',
    });
    expect(reference.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(parameters).toEqual({
      reference: 'trailing',
      referenceDays: 14,
      referenceWindows: 11,
      referenceWindowsInBreach: 3,
    });
  });

  it('trailing: stays the same for a day, is learned once, and never holds the window itself', async () => {
    const { baselineOf } = rolling();
    const hashes: string[] = [];
    for (const at of [0, 1, 23])
      hashes.push(
        (await baselineOf(MODEL, TRAINING, hour(2_400 + at), { kind: 'trailing', days: 2 })).reference.hash,
      );
    expect(new Set(hashes).size).toBe(1);
    expect([calls.fitted.length, calls.merged.length]).toEqual([1, 1]);
    expect(calls.merged[0]?.at(-1)?.endMs).toBe(100 * DAY_MS);
    await baselineOf(MODEL, TRAINING, hour(2_424), { kind: 'trailing', days: 2 });
    expect([calls.fitted.length, calls.merged.length]).toEqual([2, 2]);
  });

  it('trailing: holds at most a hundred pieces at once, and all rows count', async () => {
    const { profiles } = await rolling().baselineOf(MODEL, TRAINING, hour(2_400), TRAILING);
    const { windows } = calls.fitted[0] ?? { windows: [] };
    expect(windows).toHaveLength(100);
    expect([windows[0], windows.at(-1)]).toEqual([hour(2_400 - 336), hour(2_399)]);
    expect(profiles[0]?.rows).toBe(336);
  });

  it.each([TRAILING, SEASONAL])('%j: nothing to compare with while there is too little', async (setting) => {
    rowsAt = (startMs) => (startMs >= 95 * DAY_MS ? 1 : 0);
    const { reference, profiles } = await rolling().baselineOf(MODEL, TRAINING, day(100), setting);
    expect(profiles).toEqual([]);
    expect(reference.rows).toBe(0);
    rowsAt = () => 0;
    expect((await rolling().baselineOf(MODEL, TRAINING, day(100), setting)).reference.period).toBeNull();
  });

  it('seasonal: the same hours of the weeks before, without those in breach', async () => {
    const window = { startMs: 100 * DAY_MS + 6 * HOUR_MS, endMs: 100 * DAY_MS + 12 * HOUR_MS };
    breaches = [{ startMs: 93 * DAY_MS + 11 * HOUR_MS, endMs: 93 * DAY_MS + 12 * HOUR_MS }];
    const { reference, profiles, parameters } = await rolling().baselineOf(MODEL, TRAINING, window, SEASONAL);
    const starts = new Set(calls.merged[0]?.map(({ startMs }) => Math.floor(startMs / DAY_MS)));
    expect([...starts]).toEqual([72, 79, 86]);
    expect(calls.merged[0]).toHaveLength(18);
    expect(profiles[0]?.rows).toBe(18);
    expect(reference.period).toEqual({
      startMs: window.startMs - 28 * DAY_MS,
      endMs: window.endMs - 14 * DAY_MS,
    });
    expect(parameters).toMatchObject({ referenceWindows: 3, referenceWindowsInBreach: 1 });
    // Whole phases: 25 of the week's 28 six-hour phases in four weeks, one of them in three.
    expect(calls.fitted[0]?.phases).toBe(25);
    breaches.push({ startMs: 86 * DAY_MS + 6 * HOUR_MS, endMs: 86 * DAY_MS + 7 * HOUR_MS });
    const two = await rolling().baselineOf(MODEL, TRAINING, window, SEASONAL);
    expect(two.profiles).toEqual([]);
  });

  it('the hash is that of what the reference was made of', async () => {
    const hash = async (setting: RollingSetting = TRAILING, window = day(100)) =>
      (await rolling().baselineOf(MODEL, TRAINING, window, setting)).reference.hash;
    const first = await hash();
    expect(await hash()).toBe(first);
    expect(await hash({ kind: 'trailing', days: 15 })).not.toBe(first);
    expect(await hash(TRAILING, day(101))).not.toBe(first);
    rowsAt = (startMs) => (startMs === 90 * DAY_MS ? 2 : 1);
    expect(await hash()).not.toBe(first);
  });

  it('learns anew when rows came late', async () => {
    const { baselineOf } = rolling();
    const before = await baselineOf(MODEL, TRAINING, day(100), TRAILING);
    rowsAt = (startMs) => (startMs === 90 * DAY_MS ? 2 : 1);
    const after = await baselineOf(MODEL, TRAINING, day(100), TRAILING);
    expect(calls.fitted).toHaveLength(2);
    expect([before.reference.rows, after.reference.rows]).toEqual([336, 337]);
  });
});
