import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ModelVersion } from '../../src/domain/model.js';
import { PRODUCTION } from '../../src/domain/ports.js';
import type { PredictionRow } from '../../src/domain/prediction.js';
import { type Segment, segmentScope } from '../../src/domain/segment.js';
import { DAY_MS, HOUR_MS, tile } from '../../src/domain/window.js';
import { createStoreClient } from '../../src/store/client.js';
import { createStore } from '../../src/store/store.js';
import { hour, verdict } from '../support/entities.js';
import { named, namedValue, predictionRow } from '../support/rows.js';
import { BACKENDS, openBackend, SILENT, type StoreBackend } from '../support/store-backends.js';

const KEY = { model: 'churn', modelVersion: '3' };
const MODEL: ModelVersion = {
  ...KEY,
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
const DAY = { startMs: START_MS, endMs: START_MS + DAY_MS };
const EU: Segment = { column: 'tags.region', value: 'eu' };
const PRO: Segment = { column: 'plan', value: 'pro' };
const REGIONS = ['eu', 'eu', 'eu', 'us', 'us', "o'x"];

const ROWS: PredictionRow[] = Array.from({ length: 240 }, (_, index) =>
  predictionRow(`r${index}`, {
    timestampMs: START_MS + index * (HOUR_MS / 10),
    numeric: named(index % 11 === 0 ? [] : [['age', index % 50]]),
    categorical: named([['plan', index % 4 === 0 ? 'pro' : 'free']]),
    tags: named(index % 6 === 5 && index > 100 ? [] : [['region', REGIONS[index % 6] ?? '']]),
  }),
);

describe.each(BACKENDS)('segments in the %s store', (kind) => {
  let backend: StoreBackend;
  const insert = (rows: readonly PredictionRow[], token: string) =>
    backend.store.insertRows({ predictions: rows, labels: [], rejected: [], token });
  const segmentProfiles = (segment: Segment) =>
    backend.store.mergedProfiles({ ...KEY, scope: segmentScope(PRODUCTION, segment) }, tile(DAY));
  const hours = Array.from({ length: 24 }, (_, index) => START_MS + index * HOUR_MS);

  beforeAll(async () => {
    backend = await openBackend(kind);
    const { store } = backend;
    await store.saveModel(MODEL);
    await store.saveGrids('churn', [
      { kind: 'numeric', feature: 'age', cutPoints: [10, 20, 30, 40], quantum: 2 ** -20 },
      {
        kind: 'categorical',
        feature: 'plan',
        categories: ['free', 'pro', '', 'x'.repeat(300), 'new'],
        headSize: 5,
      },
    ]);
    await insert(ROWS, 'first');
  });
  afterAll(() => backend.close());

  test('of a feature are its most frequent categories, of a tag the most frequent values, kept once chosen', async () => {
    const { store } = backend;
    const setting = { by: ['plan', 'tags.region', 'age', 'tags.none', 'nothing', 'plan'], top: 3 };
    const chosen = [
      { column: 'plan', value: 'free' },
      { column: 'plan', value: 'pro' },
      { column: 'plan', value: 'new' },
      { column: 'tags.region', value: 'eu' },
      { column: 'tags.region', value: 'us' },
      { column: 'tags.region', value: "o'x" },
    ];
    expect(await store.segmentsOf(MODEL, setting)).toEqual(chosen);
    await insert(
      Array.from({ length: 300 }, (_, index) =>
        predictionRow(`late${index}`, {
          timestampMs: START_MS + 5 * DAY_MS,
          tags: named([['region', 'apac']]),
        }),
      ),
      'second',
    );
    expect(await store.segmentsOf(MODEL, setting)).toEqual(chosen);
    expect(await store.segmentsOf(MODEL, { by: ['tags.region'], top: 1 })).toEqual([
      { column: 'tags.region', value: 'apac' },
    ]);
  });

  test('count their own rows only, and together with the others all', async () => {
    const { store } = backend;
    await store.profileSegments(MODEL, [EU, PRO], hours);
    await store.profileHours(MODEL, hours);
    const eu = await segmentProfiles(EU);
    expect(eu.find(({ feature }) => feature === 'age')).toMatchObject({
      rows: ROWS.filter(({ tags }) => namedValue(tags, 'region') === 'eu').length,
      missing: ROWS.filter(
        ({ tags, numeric }) =>
          namedValue(tags, 'region') === 'eu' && namedValue(numeric, 'age') === undefined,
      ).length,
    });
    const pro = await segmentProfiles(PRO);
    expect(pro.find(({ feature }) => feature === 'plan')).toMatchObject({
      rows: 60,
      counts: [0, 60, 0, 0, 0, 0, 0],
    });
    // Whole production is what it was: its scope holds no segment's rows.
    const [age] = await store.mergedProfiles({ ...KEY, scope: PRODUCTION, features: ['age'] }, tile(DAY));
    expect(age?.rows).toBe(240);
    const ages = (profiles: typeof pro) => profiles.find(({ feature }) => feature === 'age')?.counts ?? [];
    await store.profileSegments(MODEL, [{ column: 'plan', value: 'free' }], hours);
    const free = await segmentProfiles({ column: 'plan', value: 'free' });
    expect(ages(pro).map((count, cell) => count + (ages(free)[cell] ?? 0))).toEqual(age?.counts);
  });

  test('counting again changes nothing, and a row that came twice counts once', async () => {
    const { store } = backend;
    const before = await segmentProfiles(EU);
    await store.profileSegments(MODEL, [EU], hours);
    expect(await segmentProfiles(EU)).toEqual(before);
    await insert([ROWS[0] as PredictionRow], 'again');
    await store.profileSegments(MODEL, [EU], hours);
    expect(await segmentProfiles(EU)).toEqual(before);
  });

  test('hours of which rows have expired keep their counts', async () => {
    const { store } = backend;
    const before = await segmentProfiles(EU);
    const admin = await createStoreClient(backend.location);
    await admin.command(
      "ALTER TABLE predictions DELETE WHERE prediction_id = 'r20' SETTINGS mutations_sync = 2",
    );
    await admin.command(
      "ALTER TABLE predictions DELETE WHERE prediction_id = 'r21' SETTINGS mutations_sync = 2",
    );
    await admin.close();
    await store.profileSegments(MODEL, [EU], hours);
    expect(await segmentProfiles(EU)).toEqual(before);
  });

  test('a frozen period has them too, in hours and days', async () => {
    const { store } = backend;
    const { hash } = await store.freezePeriod(MODEL, DAY);
    const scope = segmentScope(`reference:${hash}`, EU);
    expect(await store.mergedProfiles({ ...KEY, scope }, tile(DAY))).toEqual(await segmentProfiles(EU));
    const pieces = await store.pieceProfiles({ ...KEY, scope }, HOUR_MS);
    expect(pieces).toHaveLength(24);
  });

  test("their verdicts are kept apart from the window's", async () => {
    const { store } = backend;
    const all = [
      verdict('age', hour(0), KEY),
      verdict('age', hour(0), { ...KEY, segment: EU }),
      verdict('age', hour(0), { ...KEY, segment: PRO }),
      verdict('age', hour(0), { ...KEY, segment: PRO, detector: 'psi' }),
    ];
    await store.saveVerdicts(all);
    await store.saveVerdicts(all);
    const query = { ...KEY, window: hour(0) };
    expect(await store.listVerdicts(query)).toEqual(all.slice(0, 1));
    expect(await store.listVerdicts({ ...query, segment: 'every' })).toEqual(all.slice(1));
    expect(await store.listVerdicts({ ...query, segment: PRO })).toEqual(all.slice(2));
    expect(await store.listVerdicts({ ...query, segment: PRO, detector: 'psi' })).toEqual(all.slice(3));
    expect(await store.listVerdicts({ ...query, segment: { column: 'plan', value: 'x' } })).toEqual([]);
  });
});

describe('segments of a reference file', () => {
  const FILE_MODEL: ModelVersion = {
    ...MODEL,
    schema: {
      ...MODEL.schema,
      features: [...MODEL.schema.features, { name: 'signup', kind: 'numeric', time: true }],
      probability: false,
    },
  };
  let directory = '';
  let store: Awaited<ReturnType<typeof createStore>>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-segments-'));
    store = await createStore({ kind: 'embedded', dataDir: join(directory, 'data'), logger: SILENT });
    await store.migrate();
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  test.each(['csv', 'parquet'])('hold the rows of their value (%s)', async (format) => {
    const csv = join(directory, 'reference.csv');
    const lines = Array.from({ length: 90 }, (_, index) => {
      const at = new Date(START_MS + index * HOUR_MS).toISOString();
      const signup = new Date(START_MS + (index - 24) * HOUR_MS).toISOString();
      return `${at},${index},${index % 3 === 0 ? 'pro' : 'free'},${signup},${index % 2}`;
    });
    await writeFile(csv, `timestamp,age,plan,signup,prediction\n${lines.join('\n')}\n`);
    let path = csv;
    if (format === 'parquet') {
      path = join(directory, 'reference.parquet');
      const admin = await createStoreClient({ kind: 'embedded', dataDir: join(directory, 'data') });
      await admin.command(
        "INSERT INTO FUNCTION file({to:String}, 'Parquet') SELECT * FROM file({from:String}, 'CSVWithNames')",
        { from: csv, to: path },
      );
      await admin.close();
    }
    const grids = await store.buildGrids(path, FILE_MODEL);
    await store.saveGrids('churn', grids);
    const input = { path, model: FILE_MODEL, grids, hash: 'h', timestampColumn: 'timestamp' };
    await store.importReference(input);
    expect(await store.importReference({ ...input, segment: PRO })).toMatchObject({ rows: 30 });
    expect(await store.importReference({ ...input, segment: { column: 'plan', value: 'gold' } })).toEqual({
      rows: 0,
      period: null,
    });
    const scope = segmentScope('reference:h', PRO);
    const profiles = await store.mergedProfiles(
      { ...KEY, scope },
      tile({ startMs: START_MS, endMs: START_MS + 4 * DAY_MS }),
    );
    expect(profiles.find(({ feature }) => feature === 'signup')).toMatchObject({
      rows: 30,
      min: 86_400,
      max: 86_400,
    });
    const age = profiles.find(({ feature }) => feature === 'age');
    expect(age).toMatchObject({ rows: 30, min: 0, max: 87 });
    expect(
      age?.counts.map((count, cell) => (count > 0 ? (cell - 1) / 2 : null)).filter((value) => value !== null),
    ).toEqual(Array.from({ length: 30 }, (_, index) => index * 3));
  });
});
