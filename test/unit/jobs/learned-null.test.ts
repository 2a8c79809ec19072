import { beforeEach, describe, expect, it } from '@jest/globals';
import { fitNullModel } from '../../../src/detectors/null-model.js';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { ProfileQuery, RunRecord } from '../../../src/domain/ports.js';
import type { NullModel, Reference } from '../../../src/domain/reference.js';
import { DAY_MS, HOUR_MS, type Window } from '../../../src/domain/window.js';
import { createNullLearner } from '../../../src/jobs/learned-null.js';
import { createLogger } from '../../../src/logger.js';
import { gridOf, profileOf } from '../../support/count-profiles.js';
import { normals } from '../../support/judge-fixture.js';

const MODEL: ModelVersion = {
  model: 'm',
  modelVersion: '1',
  schema: { task: 'regression', features: [{ name: 'x', kind: 'numeric' }] },
  registeredAtMs: 0,
};
const EU = { column: 'region', value: 'eu' };
const REFERENCE: Reference = {
  model: 'm',
  modelVersion: '1',
  hash: 'timeless',
  rows: 9,
  period: null,
  provenance: 'a file',
  createdAtMs: 5,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  segments: [{ segment: EU, rows: 3, nullModel: { kind: 'iid', pieceMs: 0, spreads: [] } }],
  forest: null,
};
const PROVISIONAL: NullModel = { kind: 'iid', pieceMs: 0, spreads: [], provisional: true };
const GRID = gridOf(
  'x',
  'numeric',
  Array.from({ length: 41 }, (_, i) => (i - 20) / 5),
);
/** The version's first window is that of this day. */
const FIRST = 100;
const day = (index: number): Window => ({ startMs: index * DAY_MS, endMs: (index + 1) * DAY_MS });

describe('what production says of its own windows', () => {
  let runs: RunRecord[];
  let current: Reference;
  let saved: Reference[];
  let asked: { scope: string; windows: Window[] }[];

  beforeEach(() => {
    runs = [];
    current = REFERENCE;
    saved = [];
    asked = [];
  });

  const learner = () =>
    createNullLearner({
      store: {
        listRuns: async (_key, afterMs, untilMs) =>
          runs.filter(({ window }) => window.endMs > afterMs && window.endMs <= untilMs),
        listGrids: async () => [GRID],
        windowProfiles: async ({ scope }: ProfileQuery, windows) => {
          asked.push({ scope, windows: [...windows] });
          return windows
            .filter((window) => runs.some((run) => run.window.startMs <= window.startMs && run.rows > 0))
            .map((window) => ({
              window,
              // Days of their own, far from the reference: what both differ by must not count.
              profiles: [
                profileOf(
                  GRID,
                  normals(window.startMs / HOUR_MS, 200, 2 + (normals(window.startMs, 1, 0, 0.5)[0] ?? 0)),
                ),
              ],
            }));
        },
        currentReference: async () => current,
        saveReference: async (reference) => {
          saved.push(reference);
        },
      },
      fitNullModel,
      logger: createLogger({ level: 'silent' }),
    });
  const record = (window: Window, rows = 200, referenceHash = 'timeless') =>
    runs.push({ model: 'm', modelVersion: '1', window, referenceHash, status: 'judged', rows, atMs: 0 });

  it('is nothing for two weeks: the null is provisional, of segments too', async () => {
    const { referenceFor } = learner();
    // Windows of an earlier reference, and those without rows, are no beginning.
    record(day(FIRST - 20), 200, 'earlier');
    record(day(FIRST - 10), 0);
    expect((await referenceFor(MODEL, REFERENCE, day(FIRST))).nullModel).toEqual(PROVISIONAL);
    for (let index = FIRST; index < FIRST + 13; index++) record(day(index));
    const last = await referenceFor(MODEL, REFERENCE, day(FIRST + 13));
    expect(last).toEqual({
      ...REFERENCE,
      nullModel: PROVISIONAL,
      segments: [{ segment: EU, rows: 3, nullModel: PROVISIONAL }],
    });
    expect(asked).toEqual([]);
    expect(saved).toEqual([]);
  });

  it('is then learned once from windows against each other, kept, and told of later windows only', async () => {
    const { referenceFor } = learner();
    for (let index = FIRST; index < FIRST + 14; index++) record(day(index));
    const found = await referenceFor(MODEL, REFERENCE, day(FIRST + 14));
    const period = { startMs: FIRST * DAY_MS, endMs: (FIRST + 14) * DAY_MS };
    expect(found).toMatchObject({
      hash: 'timeless',
      nullModel: { kind: 'temporal', pieceMs: DAY_MS, learned: period },
      segments: [{ segment: EU, rows: 3, nullModel: { kind: 'temporal', learned: period } }],
    });
    expect(saved).toEqual([found]);
    expect(asked).toEqual([
      { scope: 'production', windows: Array.from({ length: 14 }, (_, i) => day(FIRST + i)) },
      {
        scope: 'production|["region","eu"]',
        windows: Array.from({ length: 14 }, (_, i) => day(FIRST + i)),
      },
    ]);
    // Days differ by 0.5 standard deviations, which is a D of 0.2; production and reference differ by far more.
    const spread = found.nullModel.spreads.find(({ detector }) => detector === 'ks');
    expect(Math.sqrt((spread?.excess ?? 0) * (Math.PI ** 2 / 12))).toBeGreaterThan(0.1);
    expect(Math.sqrt((spread?.excess ?? 0) * (Math.PI ** 2 / 12))).toBeLessThan(0.35);

    // The cycle goes on with what it has read: nothing is learned twice, and a restart reads what was kept.
    expect(await referenceFor(MODEL, REFERENCE, day(FIRST + 15))).toBe(found);
    expect(await learner().referenceFor(MODEL, found, day(FIRST + 15))).toBe(found);
    for (const known of [REFERENCE, found])
      expect((await referenceFor(MODEL, known, day(FIRST + 13))).nullModel).toEqual(PROVISIONAL);
    expect(asked).toHaveLength(2);
  });

  it('waits on while too few windows had rows, and learns from all that had', async () => {
    const { referenceFor } = learner();
    record(day(FIRST));
    const store = runs;
    // Rows on every third day only.
    const sparse = createNullLearner({
      store: {
        listRuns: async () => store,
        listGrids: async () => [GRID],
        windowProfiles: async (_query, windows) =>
          windows
            .filter(({ startMs }) => (startMs / DAY_MS - FIRST) % 3 === 0)
            .map((window) => ({
              window,
              profiles: [profileOf(GRID, normals(window.startMs / HOUR_MS, 50))],
            })),
        currentReference: async () => current,
        saveReference: async (reference) => {
          saved.push(reference);
        },
      },
      fitNullModel,
      logger: createLogger({ level: 'silent' }),
    });
    expect((await sparse.referenceFor(MODEL, REFERENCE, day(FIRST + 20))).nullModel).toEqual(PROVISIONAL);
    expect((await sparse.referenceFor(MODEL, REFERENCE, day(FIRST + 28))).nullModel.kind).toBe('temporal');
    expect(saved).toHaveLength(1);
    expect((await referenceFor(MODEL, REFERENCE, day(FIRST + 5))).nullModel).toEqual(PROVISIONAL);
  });

  it('looks at a hundred of many windows', async () => {
    const { referenceFor } = learner();
    const hour = (index: number): Window => ({ startMs: index * HOUR_MS, endMs: (index + 1) * HOUR_MS });
    for (let index = 0; index < 336; index++) record(hour(FIRST * 24 + index));
    await referenceFor(MODEL, { ...REFERENCE, segments: [] }, hour(FIRST * 24 + 336));
    expect(asked[0]?.windows).toHaveLength(100);
    expect(asked[0]?.windows[0]).toEqual(hour(FIRST * 24));
    expect(asked[0]?.windows.at(-1)?.startMs).toBeGreaterThan((FIRST * 24 + 330) * HOUR_MS);
  });

  it('leaves a reference that knows, and one that is current no more, as they are', async () => {
    const { referenceFor } = learner();
    const timed: Reference = { ...REFERENCE, nullModel: { kind: 'temporal', pieceMs: DAY_MS, spreads: [] } };
    expect(await referenceFor(MODEL, timed, day(FIRST))).toBe(timed);
    for (let index = FIRST; index < FIRST + 14; index++) record(day(index));
    current = { ...REFERENCE, hash: 'newer' };
    expect((await referenceFor(MODEL, REFERENCE, day(FIRST + 14))).nullModel).toEqual(PROVISIONAL);
    expect(saved).toEqual([]);
  });
});
