import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { AskedForest } from '../../../src/domain/outlier.js';
import type { PerformanceCounts } from '../../../src/domain/performance.js';
import type { Grid, Profile } from '../../../src/domain/profile.js';
import type { Reference, ReferenceChange } from '../../../src/domain/reference.js';
import type { Segment } from '../../../src/domain/segment.js';
import { DAY_MS, HOUR_MS, type Window } from '../../../src/domain/window.js';
import { referenceHash } from '../../../src/jobs/forest-settings.js';
import { createRebaseliner, type RebaselineDeps } from '../../../src/jobs/rebaseline.js';
import { createSilentLogger } from '../../support/silent-logger.js';

const MODEL: ModelVersion = {
  model: 'churn',
  modelVersion: '3',
  schema: { task: 'regression', features: [{ name: 'age', kind: 'numeric' }] },
  registeredAtMs: 0,
};
const KEY = { model: 'churn', modelVersion: '3' };
const AUTHOR = { by: 'key1', reason: 'spring' };
const PERIOD: Window = { startMs: 10 * DAY_MS + 6 * HOUR_MS, endMs: 13 * DAY_MS };
const GRID: Grid = { kind: 'numeric', feature: 'age', cutPoints: [1], quantum: 1 };
const PROFILE: Profile = {
  feature: 'age',
  kind: 'numeric',
  rows: 7,
  missing: 0,
  nonFinite: 0,
  mistyped: 0,
  counts: [7, 0, 0],
  offsets: [0, 0, 0],
  min: 0,
  max: 0,
};
const TRAINING: Reference = {
  ...KEY,
  hash: 'training',
  rows: 50,
  period: null,
  provenance: 'a file',
  createdAtMs: 1,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  forest: 'the old forest',
};

/** A hundred predictions, of which so many are labelled. */
const countsOf = (labelled: number): PerformanceCounts => ({
  window: { startMs: 0, endMs: HOUR_MS },
  predictions: 100,
  labelled,
  delays: [],
  confusion: [],
  classified: 0,
  correct: 0,
  ranking: null,
  calibration: [],
  moments: {
    under: { rows: labelled, mean: 1, m2: 4 },
    over: { rows: labelled, mean: 1, m2: 4 },
  },
});

describe('rebaselining', () => {
  let references: Reference[];
  let changes: ReferenceChange[];
  let dirtyHours: number[];
  let rawRows: number;
  let countedRows: number;
  let grids: Grid[];
  let segments: Segment[];
  let segmentScopes: string[];
  let counted: PerformanceCounts[];
  let frozenHash = '';
  let grown: { trees: number; subsample: number } | null = null;
  let fitted: { pieces: number; forestRows: number; times: readonly number[] | undefined };

  const deps = (): RebaselineDeps => ({
    store: {
      listModels: async () => [MODEL],
      listGrids: async () => grids,
      currentReference: async () => references.at(-1) ?? null,
      findReference: async ({ hash }) => references.findLast((known) => known.hash === hash) ?? null,
      saveReference: async (reference) => {
        references.push(reference);
      },
      saveReferenceSample: async () => undefined,
      saveReferenceChange: async (change) => {
        changes.unshift(change);
      },
      listReferenceChanges: async () => changes,
      dirtyBuckets: async () => [
        { ...KEY, modelVersion: '4', hourStartsMs: [PERIOD.startMs] },
        { ...KEY, hourStartsMs: dirtyHours },
      ],
      freezePeriod: async (_model, _period, hashOf = (counts: string) => counts) => {
        frozenHash = hashOf('frozen');
        return { hash: frozenHash, rows: countedRows };
      },
      sampleRows: async (_model, columns, _period, limit) => {
        expect(columns.map(({ name }) => name)).toEqual(['age', 'prediction']);
        expect(limit).toBe(100_000);
        return {
          stored: rawRows,
          rows: Array.from({ length: rawRows }, (_, i) => ({ values: [i, 1], timestampMs: i })),
        };
      },
      segmentsOf: async () => segments,
      performanceCounts: async () => counted,
      mergedProfiles: async ({ scope }) => {
        segmentScopes.push(scope);
        return scope.includes('empty') ? [] : [PROFILE];
      },
      pieceProfiles: async ({ scope }, pieceMs) => {
        expect([scope.split('|')[0], pieceMs]).toEqual([`reference:${frozenHash}`, DAY_MS]);
        return [10, 11, 12].map((day) => ({
          window: { startMs: day * DAY_MS, endMs: (day + 1) * DAY_MS },
          profiles: [],
        }));
      },
    },
    wallClock: { now: () => 99, observe: () => undefined },
    logger: createSilentLogger(),
    fitNullModel: ({ pieces, pieceMs }) => {
      fitted.pieces = pieces.length;
      return { kind: 'temporal', pieceMs, spreads: [] };
    },
    fitForest: async (_columns, rows, { time, trees, subsample }) => {
      grown = { trees, subsample };
      fitted = { ...fitted, forestRows: rows.length, times: time?.timestampsMs };
      return 'a new forest';
    },
    windowMs: () => DAY_MS,
    segments: () => ({ by: ['plan'], top: 2 }),
    minimumMaturity: () => 0.8,
  });

  beforeEach(() => {
    references = [TRAINING];
    changes = [];
    dirtyHours = [];
    rawRows = 3;
    countedRows = 3;
    grids = [GRID];
    segments = [];
    segmentScopes = [];
    counted = [];
    fitted = { pieces: 0, forestRows: 0, times: undefined };
  });

  it('has a baseline of performance once enough of its labels have come', async () => {
    const rebaselined = async (labelled: number) => {
      counted = [countsOf(labelled)];
      return createRebaseliner(deps()).rebaseline({ ...KEY, ...AUTHOR, period: PERIOD });
    };
    expect((await rebaselined(79)).reference).not.toHaveProperty('performance');
    expect((await rebaselined(80)).reference.performance).toMatchObject([
      { figure: 'meanAbsoluteError', rows: 80 },
    ]);
  });

  it('takes the counts of the period, learns from its whole windows and fits the forest on its rows', async () => {
    const { reference } = await createRebaseliner(deps()).rebaseline({ ...KEY, ...AUTHOR, period: PERIOD });
    expect(reference).toEqual({
      ...KEY,
      hash: 'frozen',
      rows: 3,
      period: PERIOD,
      provenance: 'production from 1970-01-11T06:00Z to 1970-01-14T00:00Z',
      createdAtMs: 99,
      nullModel: { kind: 'temporal', pieceMs: DAY_MS, spreads: [] },
      forest: 'a new forest',
      influence: null,
    });
    // The first day is not whole.
    expect(fitted).toEqual({ pieces: 2, forestRows: 3, times: [0, 1, 2] });
    expect(references.at(-1)).toEqual(reference);
    expect(changes).toEqual([
      { ...KEY, ...AUTHOR, kind: 'rebaselined', hash: 'frozen', previousHash: 'training', atMs: 99 },
    ]);
  });

  it('grows the forest as configured or asked for, under a hash of its own', async () => {
    const rebaseline = (outliers?: AskedForest) =>
      createRebaseliner({
        ...deps(),
        forestSettings: (model) => ({ trees: model.length * 10, sampleSize: 256 }),
      }).rebaseline({ ...KEY, ...AUTHOR, period: PERIOD, outliers });
    const trees = KEY.model.length * 10;
    const configured = await rebaseline();
    expect(grown).toEqual({ trees, subsample: 256 });
    expect(configured.reference.hash).toBe(referenceHash('frozen', { trees, sampleSize: 256 }));
    const asked = await rebaseline({ trees: 100, sampleSize: 256 });
    expect(grown).toEqual({ trees: 100, subsample: 256 });
    expect(asked.reference.hash).toBe('frozen');
    await expect(rebaseline({ trees: 900, sampleSize: 4_096 })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('learns of segments from their own windows, and leaves out those without rows', async () => {
    segments = [
      { column: 'tags.region', value: 'eu' },
      { column: 'plan', value: 'empty' },
    ];
    const { reference } = await createRebaseliner(deps()).rebaseline({ ...KEY, ...AUTHOR, period: PERIOD });
    expect(segmentScopes).toEqual([
      'reference:frozen|["tags.region","eu"]',
      'reference:frozen|["plan","empty"]',
    ]);
    expect(reference.segments).toEqual([
      { segment: segments[0], rows: 7, nullModel: { kind: 'temporal', pieceMs: DAY_MS, spreads: [] } },
    ]);
  });

  it('keeps the forest there is once raw rows have expired, and says so', async () => {
    rawRows = 2;
    const { reference } = await createRebaseliner(deps()).rebaseline({ ...KEY, ...AUTHOR, period: PERIOD });
    expect(reference.forest).toBe('the old forest');
    expect(reference.provenance).toMatch(/; isolation forest of training: raw rows have expired$/);
    expect(fitted.forestRows).toBe(0);
    references = [];
    const first = await createRebaseliner(deps()).rebaseline({ ...KEY, ...AUTHOR, period: PERIOD });
    expect(first.reference.forest).toBeNull();
    expect(first.reference.provenance).toMatch(/no isolation forest/);
  });

  it('goes back and forth, and notes each change once', async () => {
    const { rebaseline, restore } = createRebaseliner(deps());
    await rebaseline({ ...KEY, ...AUTHOR, period: PERIOD });
    await rebaseline({ ...KEY, ...AUTHOR, period: PERIOD });
    const back = await restore({ ...KEY, ...AUTHOR, hash: 'training' });
    expect(back.reference).toEqual(TRAINING);
    expect(references.at(-1)).toEqual(TRAINING);
    await restore({ ...KEY, ...AUTHOR, hash: 'frozen' });
    expect(changes.map(({ kind, hash, previousHash }) => [kind, hash, previousHash])).toEqual([
      ['restored', 'frozen', 'training'],
      ['restored', 'training', 'frozen'],
      ['rebaselined', 'frozen', 'training'],
    ]);
  });

  it('notes a change that a crash left unnoted when it is asked for again', async () => {
    references.push({ ...TRAINING, hash: 'frozen' });
    await createRebaseliner(deps()).restore({ ...KEY, ...AUTHOR, hash: 'frozen' });
    expect(changes).toMatchObject([{ hash: 'frozen', previousHash: null }]);
  });

  it.each([
    ['half an hour', { period: { startMs: 1_800_000, endMs: DAY_MS } }, 'invalid_request'],
    ['nothing', { period: { startMs: DAY_MS, endMs: DAY_MS } }, 'invalid_request'],
    ['an unknown version', { modelVersion: '7' }, 'unknown_model'],
  ])('refuses %s', async (_what, overrides, code) => {
    const input = { ...KEY, ...AUTHOR, period: PERIOD, ...overrides };
    await expect(createRebaseliner(deps()).rebaseline(input)).rejects.toMatchObject({ code });
    expect([references, changes]).toEqual([[TRAINING], []]);
  });

  it('refuses a period without rows, one that is not counted yet, and a model without grids', async () => {
    const attempt = () => createRebaseliner(deps()).rebaseline({ ...KEY, ...AUTHOR, period: PERIOD });
    dirtyHours = [PERIOD.endMs - HOUR_MS];
    await expect(attempt()).rejects.toMatchObject({ code: 'overloaded', retryable: true });
    dirtyHours = [PERIOD.endMs, PERIOD.startMs - HOUR_MS];
    countedRows = 0;
    await expect(attempt()).rejects.toMatchObject({ code: 'invalid_reference' });
    grids = [];
    await expect(attempt()).rejects.toMatchObject({ code: 'invalid_reference' });
    expect([references, changes]).toEqual([[TRAINING], []]);
  });

  it('refuses to go back to a reference that never was', async () => {
    await expect(
      createRebaseliner(deps()).restore({ ...KEY, ...AUTHOR, hash: 'none' }),
    ).rejects.toMatchObject({ code: 'not_found' });
  });
});
