import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LATENCY } from '../../src/domain/model.js';
import type { Store } from '../../src/domain/ports.js';
import { HOUR_MS } from '../../src/domain/window.js';
import { inferSchema } from '../../src/jobs/infer-schema.js';
import { createStore } from '../../src/store/store.js';
import { startBridgeProcess } from '../support/clickhouse-bridge-process.js';
import { recount } from '../support/recount.js';
import { categorical, numeric, registerFile } from '../support/register-file.js';
import { createSilentLogger } from '../support/silent-logger.js';

const FLIGHTS = 'examples/flights/reference.parquet';

/** The two-sample D of values, by the definition. */
function largestGap(a: readonly number[], b: readonly number[]): number {
  const share = (values: readonly number[], x: number) =>
    values.filter((value) => value <= x).length / values.length;
  return Math.max(...[...a, ...b].map((x) => Math.abs(share(a, x) - share(b, x))));
}

function largestGapOfCells(a: readonly number[], b: readonly number[]): number {
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const [n, m] = [total(a), total(b)];
  let [below, belowToo, gap] = [0, 0, 0];
  for (const [cell, count] of a.entries()) {
    below += count;
    belowToo += b[cell] ?? 0;
    gap = Math.max(gap, Math.abs(below / n - belowToo / m));
  }
  return gap;
}

describe.each(['embedded', 'on a server'] as const)('the reference reader, %s', (kind) => {
  let directory = '';
  let store: Store;
  let stop: () => Promise<void> = async () => undefined;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-reference-'));
    const dataDir = join(directory, 'data');
    const logger = createSilentLogger();
    if (kind === 'embedded') {
      store = await createStore({ kind: 'embedded', dataDir, logger });
    } else {
      const bridge = await startBridgeProcess({ dataDir, password: 's3' });
      stop = bridge.kill;
      const login = { username: 'default', password: 's3' };
      store = await createStore({ kind: 'http', url: bridge.url, database: 'plumbline', ...login, logger });
    }
    await store.migrate();
  });
  afterAll(async () => {
    await store.close();
    await stop();
    await rm(directory, { recursive: true });
  });

  it('reads a CSV column with exponents as numbers', async () => {
    const path = join(directory, 'exponents.csv');
    await writeFile(path, `x,prediction\n${['0.5,0', '-1.5e-05,1', '2E3,1'].join('\n')}\n`);
    const columns = await store.describeFile(path);
    expect(columns.map(({ name, type }) => [name, type.replace(/Nullable\((.*)\)/, '$1')])).toEqual([
      ['x', 'Float64'],
      ['prediction', 'Int64'],
    ]);
  });

  it('cuts a column of many values at 1,000 order statistics', async () => {
    const path = join(directory, 'many.csv');
    const last = 2_499;
    // 1,117 has no factor in common with 2,500: every value once, out of order.
    const rows = Array.from({ length: last + 1 }, (_, i) => `${((i * 1_117) % (last + 1)) / 8},${i % 2}`);
    await writeFile(path, `x,prediction\n${rows.join('\n')}\n`);
    const { schema } = inferSchema(await store.describeFile(path), path);
    const model = { model: 'many', modelVersion: '1', schema, registeredAtMs: 0 };
    const grid = (await store.buildGrids(path, model)).find(({ feature }) => feature === 'x');
    // No i × 2,499 / 999 ends in one half, so the rounding of halves does not matter.
    const expected = Array.from({ length: 1_000 }, (_, i) => Math.round((i * last) / 999) / 8);
    expect(grid).toMatchObject({ kind: 'numeric', cutPoints: expected });
  });

  it('infers the flights from their Parquet file and counts every row', async () => {
    const { schema, timestampColumn, imported, merged, grids } = await registerFile(
      store,
      FLIGHTS,
      'flights',
    );
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
    const pieces = await store.pieceProfiles(
      { model: 'flights', modelVersion: '1', scope: 'reference:h' },
      24 * HOUR_MS,
    );
    expect(pieces).toHaveLength(29);
    expect(pieces.reduce((sum, piece) => sum + (piece.profiles[0]?.rows ?? 0), 0)).toBe(24_951);
  });

  it('reads a sample in the same order each time', async () => {
    const columns = [
      numeric('temp'),
      categorical('carrier'),
      numeric('wind_gust'),
      categorical('prediction'),
    ];
    const first = await store.readRows(FLIGHTS, columns, 'timestamp', 1_000);
    expect(await store.readRows(FLIGHTS, columns, 'timestamp', 1_000)).toEqual(first);
    expect(first).toHaveLength(1_000);
    const inFebruary = first.filter(
      ({ timestampMs }) => timestampMs !== null && timestampMs < Date.UTC(2013, 2, 2),
    );
    expect(inFebruary).toHaveLength(1_000);
    expect(first.filter(({ values }) => typeof values[0] !== 'number').length).toBeLessThan(5);
    expect(first.every(({ values }) => typeof values[1] === 'string')).toBe(true);
    // The sample is not sorted by anything: a share of nulls as in the file, and both predictions as text.
    const nulls = first.filter(({ values }) => values[2] === null).length;
    expect(Math.abs(nulls / 1_000 - 0.6757)).toBeLessThan(0.06);
    expect(new Set(first.map(({ values }) => values[3]))).toEqual(new Set(['0', '1']));
  });

  it('counts every hour, day and column of the flights as a recount of their rows does', async () => {
    const grids = (await store.listGrids('flights')).filter(({ feature }) => feature !== LATENCY);
    const columns = grids.map(({ feature, kind }) => ({ name: feature, kind }));
    const rows = await store.readRows(FLIGHTS, columns, 'timestamp', 100_000);
    const query = { model: 'flights', modelVersion: '1', scope: 'reference:h' };
    for (const pieceMs of [HOUR_MS, 24 * HOUR_MS]) {
      const pieces = await store.pieceProfiles(query, pieceMs, 10);
      expect(pieces).toHaveLength(10);
      for (const { window, profiles } of pieces) {
        const inside = rows.filter(
          ({ timestampMs }) =>
            timestampMs !== null && timestampMs >= window.startMs && timestampMs < window.endMs,
        );
        const expected = grids.map((grid, index) =>
          recount(
            inside.map(({ values }) => values[index] ?? null),
            grid,
          ),
        );
        expect(profiles).toEqual(expected);
      }
    }
  });

  it('finds the exact D between two days where all distinct values are cut points', async () => {
    const grids = (await store.listGrids('flights')).filter(({ feature }) => feature !== LATENCY);
    const columns = grids.map(({ feature, kind }) => ({ name: feature, kind }));
    const rows = await store.readRows(FLIGHTS, columns, 'timestamp', 100_000);
    const query = { model: 'flights', modelVersion: '1', scope: 'reference:h' };
    const [, first, second] = await store.pieceProfiles(query, 24 * HOUR_MS);
    if (first === undefined || second === undefined) throw new Error('no days');
    const valuesIn = (window: { startMs: number; endMs: number }, index: number) =>
      rows
        .filter(
          ({ timestampMs }) =>
            timestampMs !== null && timestampMs >= window.startMs && timestampMs < window.endMs,
        )
        .flatMap(({ values }) => (typeof values[index] === 'number' ? [values[index]] : []));
    let compared = 0;
    for (const [index, grid] of grids.entries()) {
      if (grid.kind !== 'numeric' || grid.cutPoints.length >= 1_000) continue;
      const cellsOf = (day: typeof first) =>
        day.profiles.find((p) => p.feature === grid.feature)?.counts ?? [];
      const exact = largestGap(valuesIn(first.window, index), valuesIn(second.window, index));
      expect([grid.feature, largestGapOfCells(cellsOf(first), cellsOf(second)).toFixed(12)]).toEqual([
        grid.feature,
        exact.toFixed(12),
      ]);
      compared += 1;
    }
    expect(compared).toBe(11);
  });
});
