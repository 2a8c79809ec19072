import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FeatureSchema, ModelVersion } from '../../src/domain/model.js';
import { HOUR_MS, tile } from '../../src/domain/window.js';
import { inferSchema } from '../../src/jobs/infer-schema.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { createGridStore } from '../../src/store/grid-store.js';
import { migrate } from '../../src/store/migrate.js';
import { createProfileCounter } from '../../src/store/profile-counter.js';
import { createProfileStore } from '../../src/store/profile-store.js';
import { createReferenceReader } from '../../src/store/reference-reader.js';

const FLIGHTS = 'examples/flights/reference.parquet';

const numeric = (name: string): FeatureSchema => ({ name, kind: 'numeric' });
const categorical = (name: string): FeatureSchema => ({ name, kind: 'categorical' });

describe('the reference reader', () => {
  let directory = '';
  let client: StoreClient;
  let parts: ReturnType<typeof connect>;

  function connect(on: StoreClient) {
    const grids = createGridStore(on);
    let revision = 0;
    const next = () => ++revision;
    const counter = createProfileCounter(on, grids);
    const profiles = createProfileStore(on, grids, counter, next);
    return { grids, profiles, reader: createReferenceReader(on, counter, next) };
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-reference-'));
    client = await createStoreClient({ kind: 'embedded', dataDir: join(directory, 'data') });
    await migrate(client);
    parts = connect(client);
  });
  afterAll(async () => {
    await client.close();
    await rm(directory, { recursive: true });
  });

  async function register(path: string, name: string) {
    const { reader, grids, profiles } = parts;
    const { schema, timestampColumn } = inferSchema(await reader.describeFile(path), path);
    const model: ModelVersion = { model: name, modelVersion: '1', schema, registeredAtMs: 0 };
    await grids.saveGrids(name, await reader.buildGrids(path, model));
    const imported = await reader.importReference({
      path,
      model,
      grids: await grids.listGrids(name),
      hash: 'h',
      timestampColumn,
    });
    const period = imported.period ?? { startMs: 0, endMs: HOUR_MS };
    const merged = await profiles.mergedProfiles(
      { model: name, modelVersion: '1', scope: 'reference:h' },
      tile({
        startMs: Math.floor(period.startMs / HOUR_MS) * HOUR_MS,
        endMs: Math.ceil(period.endMs / HOUR_MS) * HOUR_MS,
      }),
    );
    return { schema, timestampColumn, imported, merged, grids: await grids.listGrids(name) };
  }

  it('infers the flights from their Parquet file and counts every row', async () => {
    const { schema, timestampColumn, imported, merged, grids } = await register(FLIGHTS, 'flights');
    expect(timestampColumn).toBe('timestamp');
    expect(schema.task).toBe('binary');
    expect(schema.features.filter((feature) => feature.kind === 'categorical').map((f) => f.name)).toEqual([
      'carrier',
      'origin',
      'dest',
      'weekday',
    ]);
    expect(schema.features).toHaveLength(15);
    expect(imported.rows).toBe(24_951);
    expect(new Date(imported.period?.startMs ?? 0).toISOString()).toBe('2013-02-01T10:00:00.000Z');
    for (const profile of merged) {
      const counted = profile.counts.reduce((sum, count) => sum + count, 0);
      expect([profile.feature, profile.rows, counted + profile.missing]).toEqual([
        profile.feature,
        24_951,
        24_951,
      ]);
    }
    const gust = merged.find((profile) => profile.feature === 'wind_gust');
    expect((gust?.missing ?? 0) / 24_951).toBeCloseTo(0.675724, 6);
    const temp = grids.find((grid) => grid.feature === 'temp');
    expect(temp?.kind === 'numeric' && temp.cutPoints.length).toBe(59);
    const proba = grids.find((grid) => grid.feature === 'prediction_proba');
    expect(proba?.kind === 'numeric' && proba.cutPoints.length).toBe(1_000);
    // All distinct values are cut points: every count lies on one, none between two.
    const cells = merged.find((profile) => profile.feature === 'temp')?.counts ?? [];
    expect(cells.filter((_, index) => index % 2 === 0).every((count) => count === 0)).toBe(true);
  });

  it('cuts the reference into days', async () => {
    const pieces = await parts.profiles.pieceProfiles(
      { model: 'flights', modelVersion: '1', scope: 'reference:h' },
      24 * HOUR_MS,
    );
    expect(pieces).toHaveLength(29);
    expect(pieces.reduce((sum, piece) => sum + (piece.profiles[0]?.rows ?? 0), 0)).toBe(24_951);
  });

  it('reads the same rows in the same order each time', async () => {
    const columns = [numeric('temp'), categorical('carrier'), numeric('wind_gust')];
    const first = await parts.reader.readRows(FLIGHTS, columns, 'timestamp', 100);
    expect(await parts.reader.readRows(FLIGHTS, columns, 'timestamp', 100)).toEqual(first);
    expect(first).toHaveLength(100);
    expect(new Date(first[0]?.timestampMs ?? 0).toISOString()).toMatch(/^2013-0[23]-/);
    expect(typeof first[0]?.values[0]).toBe('number');
    expect(typeof first[0]?.values[1]).toBe('string');
    expect(first.some((row) => row.values[2] === null)).toBe(true);
  });

  it('reads CSV and NDJSON, without timestamps, with odd names and values', async () => {
    const csv = join(directory, "it's.csv");
    await writeFile(csv, 'age,plan,prediction\n31,"pro, ""x""",1.5\n40,,2.5\n,basic,3.25\n');
    const fromCsv = await register(csv, 'csv');
    expect(fromCsv.schema.task).toBe('regression');
    expect(fromCsv.imported).toEqual({ rows: 3, period: null });
    expect(fromCsv.merged.find((profile) => profile.feature === 'age')?.missing).toBe(1);
    const lines = join(directory, 'lines.ndjson');
    await writeFile(
      lines,
      '{"a":1,"ok":true,"prediction":"x"}\n{"a":null,"ok":false,"prediction":"y"}\n{"a":3,"prediction":"z"}\n',
    );
    const fromLines = await register(lines, 'lines');
    expect(fromLines.schema).toEqual({
      task: 'multiclass',
      features: [
        { name: 'a', kind: 'numeric' },
        { name: 'ok', kind: 'categorical' },
      ],
    });
    expect(fromLines.merged.find((profile) => profile.feature === 'ok')?.missing).toBe(1);
  });

  it('keeps apart columns that are called like its own', async () => {
    const path = join(directory, 'names.csv');
    const names = [
      'hour',
      'rows',
      'numbers',
      'texts',
      'x',
      'value',
      'feature',
      'counts',
      'distinct',
      'row',
      'first',
      't',
    ];
    const lines = Array.from({ length: 10 }, (_, i) =>
      [...names.map((_, j) => i + j), `2026-01-0${1 + (i % 3)} 05:00:00`, i % 2].join(','),
    );
    await writeFile(path, `${[...names, 'timestamp', 'prediction'].join(',')}\n${lines.join('\n')}\n`);
    const { merged, grids } = await register(path, 'names');
    for (const [j, name] of names.entries()) {
      const profile = merged.find((p) => p.feature === name);
      expect([name, profile?.min, profile?.max, profile?.rows]).toEqual([name, j, j + 9, 10]);
      const grid = grids.find((g) => g.feature === name);
      expect(grid?.kind === 'numeric' && grid.cutPoints).toEqual(Array.from({ length: 10 }, (_, i) => i + j));
    }
    expect((await parts.reader.readRows(path, names.map(numeric), null, 1))[0]?.values).toHaveLength(
      names.length,
    );
  });

  it.each([
    ['empty.csv', 'age,prediction\n', /no rows|Cannot read rows/],
    ['nothing.csv', '', /cannot read|no rows/],
    ['no-prediction.csv', 'age\n1\n', /no column `prediction`/],
    ['cut.parquet', 'PAR1....', /cannot read .* as Parquet/],
    ['broken.ndjson', '{"prediction":1', /cannot read .* as JSONEachRow/],
    ['model.xlsx', 'x', /cannot tell the format/],
    ['bad-name.csv', '"a,b",prediction\n1,1\n', /cannot be a metric label/],
  ])('says what is wrong with %s', async (name, content, message) => {
    const path = join(directory, name);
    await writeFile(path, content);
    await expect(register(path, 'bad')).rejects.toThrow(message);
  });

  it('names a file that is not there', async () => {
    await expect(parts.reader.describeFile(join(directory, 'none.csv'))).rejects.toThrow(
      /cannot read .*none\.csv/,
    );
  });
});
