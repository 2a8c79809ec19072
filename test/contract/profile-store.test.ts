import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../src/domain/model.js';
import { PRODUCTION } from '../../src/domain/ports.js';
import type { Grid } from '../../src/domain/profile.js';
import { DAY_MS, HOUR_MS, tile } from '../../src/domain/window.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { dateTime64 } from '../../src/store/encoding.js';
import { createGridStore } from '../../src/store/grid-store.js';
import { createProfileCounter } from '../../src/store/profile-counter.js';
import { createProfileStore } from '../../src/store/profile-store.js';
import { PROFILE_ROWS_HOURS, PROFILE_ROWS_START_MS, type Raw, randomRows } from '../support/profile-rows.js';
import { type RowValue, recount } from '../support/recount.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const model: ModelVersion = {
  model: 'm',
  modelVersion: '1',
  schema: {
    task: 'binary',
    features: [
      { name: 'x', kind: 'numeric' },
      { name: '__proto__', kind: 'numeric' },
      { name: "it's <b>", kind: 'categorical' },
      { name: 'never', kind: 'numeric' },
    ],
  },
  registeredAtMs: 0,
};
const grids: Grid[] = [
  { kind: 'numeric', feature: 'x', cutPoints: [-1, 0, 0.5, 3], quantum: 2 ** -20 },
  { kind: 'numeric', feature: '__proto__', cutPoints: [7], quantum: 1 },
  { kind: 'numeric', feature: 'never', cutPoints: [0, 1], quantum: 1 },
  { kind: 'categorical', feature: "it's <b>", categories: ['a', 'b', "c'", 'tail'], headSize: 3 },
  { kind: 'categorical', feature: 'prediction', categories: ['0', '1'], headSize: 2 },
  { kind: 'numeric', feature: 'prediction_proba', cutPoints: [0.25, 0.5, 0.75], quantum: 2 ** -30 },
];
const start = PROFILE_ROWS_START_MS;
const HOURS = PROFILE_ROWS_HOURS;
const all = { startMs: start, endMs: start + HOURS * HOUR_MS };
const query = { model: 'm', modelVersion: '1', scope: PRODUCTION };

function cellValue(row: Raw, grid: Grid): RowValue {
  if (grid.feature === 'prediction') return String(row.prediction);
  if (grid.feature === 'prediction_proba') return row.proba;
  return row.num[grid.feature] ?? row.cat[grid.feature] ?? null;
}

describe.each(BACKENDS)('the profile store, %s', (kind) => {
  let backend: StoreBackend;
  let client: StoreClient;
  const stored: Raw[] = [];
  const hours = Array.from({ length: HOURS }, (_, index) => start + index * HOUR_MS);

  async function insert(rows: readonly Raw[], extra: object = {}) {
    await client.insert(
      'predictions',
      rows.map((row) => ({
        model: 'm',
        version: '1',
        prediction_id: `p${row.identity}`,
        row_index: 0,
        identity: row.identity,
        ts: dateTime64(row.tsMs),
        num: row.num,
        cat: row.cat,
        prediction_num: row.prediction,
        proba: row.proba,
        ...extra,
      })),
    );
  }

  async function expectExact(window = all) {
    const merged = await backend.store.mergedProfiles(query, tile(window));
    const inside = stored.filter((row) => row.tsMs >= window.startMs && row.tsMs < window.endMs);
    expect(new Map(merged.map((profile) => [profile.feature, profile]))).toEqual(
      new Map(
        grids.map((grid) => [
          grid.feature,
          recount(
            inside.map((row) => cellValue(row, grid)),
            grid,
          ),
        ]),
      ),
    );
  }

  /** The store's own parts over a client that does something first. */
  function profilesOver(disturbed: Partial<StoreClient>) {
    const over = { ...client, ...disturbed };
    const gridStore = createGridStore(over, () => 1);
    return createProfileStore(
      over,
      gridStore,
      createProfileCounter(over, gridStore),
      () => Date.now() * 1_000,
    );
  }

  beforeAll(async () => {
    backend = await openBackend(kind);
    client = await createStoreClient(backend.location);
    await backend.store.saveGrids('m', grids);
    stored.push(...randomRows(3_000, 1, 0));
    await insert(stored);
  });
  afterAll(async () => {
    await client.close();
    await backend.close();
  });

  it('gives grids back as they were saved, and keeps the first', async () => {
    await backend.store.saveGrids('m', [{ kind: 'numeric', feature: 'x', cutPoints: [5], quantum: 1 }]);
    expect(await backend.store.listGrids('m')).toEqual(
      [...grids].sort((a, b) => (a.feature < b.feature ? -1 : 1)),
    );
  });

  it('counts every hour exactly as a plain recount does', async () => {
    const [dirty] = await backend.store.dirtyBuckets();
    expect(dirty?.hourStartsMs).toEqual(hours);
    await backend.store.profileHours(model, hours);
    await expectExact();
    await expectExact({ startMs: start + HOUR_MS, endMs: start + 2 * HOUR_MS });
    expect(await backend.store.dirtyBuckets()).toEqual([]);
  });

  it('sums hours to days', async () => {
    const day = { startMs: start - (start % DAY_MS), endMs: start - (start % DAY_MS) + DAY_MS };
    expect(tile(day)).toHaveLength(1);
    await expectExact(day);
    const pieces = await backend.store.pieceProfiles(query, DAY_MS);
    expect(pieces.map((piece) => piece.profiles[0]?.rows)).toEqual([
      stored.filter((row) => row.tsMs < day.endMs).length,
      stored.filter((row) => row.tsMs >= day.endMs).length,
    ]);
  });

  it('spreads a limited number of pieces evenly, first and last among them', async () => {
    const pieces = await backend.store.pieceProfiles(query, HOUR_MS, 3);
    expect(pieces.map((piece) => piece.window.startMs)).toEqual([hours[0], hours[4], hours[8]]);
  });

  it('finds the hours that late rows touched, and counts them again', async () => {
    const late = randomRows(50, 2, 10_000).map((row) => ({ ...row, tsMs: start + 60_000 }));
    await insert(late);
    stored.push(...late);
    expect(await backend.store.dirtyBuckets()).toEqual([
      { model: 'm', modelVersion: '1', hourStartsMs: [start] },
    ]);
    await backend.store.profileHours(model, [start]);
    await expectExact();
    await backend.store.profileHours(model, [start + HOUR_MS, start]);
    await expectExact();
  });

  it('never counts a duplicate: the first to come wins', async () => {
    const [first] = stored;
    if (first === undefined) throw new Error('no rows');
    const again = { ...first, num: { x: 3 }, prediction: 1 - first.prediction };
    await insert([again], { ingested_at: dateTime64(Date.UTC(2100, 0, 1)) });
    const [dirty] = await backend.store.dirtyBuckets();
    expect(dirty?.hourStartsMs).toHaveLength(1);
    await backend.store.profileHours(model, dirty?.hourStartsMs ?? []);
    await expectExact();
    expect(await backend.store.dirtyBuckets()).toEqual([]);
  });

  it.each([
    ['the numbers', /INSERT INTO profiles[\s\S]*'numeric'/],
    ['the texts', /INSERT INTO profiles[\s\S]*'categorical'/],
    ['the days', /INSERT INTO profiles[\s\S]*'day'/],
    ['the mark', /profiled_hours/],
  ])('counts again what a crash before %s cut short', async (_, statement) => {
    const late = randomRows(20, 3, 20_000 + stored.length).map((row) => ({
      ...row,
      tsMs: start + 5 * HOUR_MS,
    }));
    await insert(late);
    stored.push(...late);
    const crash = (sql: string) => {
      if (statement.test(sql)) throw new Error('killed');
    };
    const killed = profilesOver({
      command: async (sql, params) => {
        crash(sql);
        await client.command(sql, params);
      },
      insert: async (table, rows) => {
        crash(table);
        await client.insert(table, rows);
      },
    });
    await expect(killed.profileHours(model, [start + 5 * HOUR_MS])).rejects.toThrow('killed');
    const [dirty] = await backend.store.dirtyBuckets();
    expect(dirty?.hourStartsMs).toEqual([start + 5 * HOUR_MS]);
    await backend.store.profileHours(model, dirty?.hourStartsMs ?? []);
    await expectExact();
    await expectExact({ startMs: start - 20 * HOUR_MS, endMs: start + 4 * HOUR_MS });
    await expectExact({ startMs: start + 4 * HOUR_MS, endMs: start + 28 * HOUR_MS });
  });

  it('counts again what came while it counted', async () => {
    const late = randomRows(20, 4, 30_000).map((row) => ({ ...row, tsMs: start + 6 * HOUR_MS }));
    const meanwhile = profilesOver({
      command: async (sql, params) => {
        if (sql.includes("'categorical'")) await insert(late);
        await client.command(sql, params);
      },
    });
    await meanwhile.profileHours(model, [start + 6 * HOUR_MS]);
    stored.push(...late);
    const [dirty] = await backend.store.dirtyBuckets();
    expect(dirty?.hourStartsMs).toEqual([start + 6 * HOUR_MS]);
    await backend.store.profileHours(model, dirty?.hourStartsMs ?? []);
    await expectExact();
  });

  it('lets the newest hour fill before it counts it again', async () => {
    const newest = start + (HOURS - 1) * HOUR_MS;
    const few = randomRows(20, 5, 40_000).map((row) => ({ ...row, tsMs: newest }));
    const many = randomRows(60, 6, 50_000).map((row) => ({ ...row, tsMs: newest }));
    await insert(few);
    stored.push(...few);
    expect(await backend.store.dirtyBuckets()).toEqual([]);
    expect(await backend.store.dirtyBuckets(newest + HOUR_MS - 1)).toEqual([]);
    // Once the clock has gone so far that windows with it may be judged, it counts in full.
    expect(await backend.store.dirtyBuckets(newest + HOUR_MS)).toHaveLength(1);
    await insert(many);
    stored.push(...many);
    const dirty = [{ model: 'm', modelVersion: '1', hourStartsMs: [newest] }];
    expect(await backend.store.dirtyBuckets()).toEqual(dirty);
    await backend.store.profileHours(model, [newest]);
    await expectExact();
    // The last count of it, short of one row, is six minutes old.
    const hour = newest / HOUR_MS;
    const [mark] = await client.query<{ raw_rows: number }>(
      'SELECT model, version, hour, raw_rows, rows FROM profiled_hours FINAL WHERE hour = {hour:Int64}',
      { hour },
    );
    await client.command(
      'ALTER TABLE profiled_hours DELETE WHERE hour = {hour:Int64} SETTINGS mutations_sync = 2',
      {
        hour,
      },
    );
    const revision = (Date.now() - 360_000) * 1_000;
    await client.insert('profiled_hours', [{ ...mark, raw_rows: (mark?.raw_rows ?? 0) - 1, revision }]);
    expect(await backend.store.dirtyBuckets()).toEqual(dirty);
    await backend.store.profileHours(model, [newest]);
    await expectExact();
  });

  it('keeps what it counted when raw rows expire, also when asked to count again', async () => {
    await client.command('ALTER TABLE predictions DELETE WHERE identity < 1000 SETTINGS mutations_sync = 2');
    expect(await backend.store.dirtyBuckets()).toEqual([]);
    await backend.store.profileHours(model, hours);
    await expectExact();
  });

  it('tells watermarks and profiled rows', async () => {
    const left = stored.filter((row) => row.identity >= 1_000).map((row) => row.tsMs);
    expect(await backend.store.watermarks()).toEqual([
      {
        model: 'm',
        modelVersion: '1',
        firstEventMs: left.reduce((least, ms) => Math.min(least, ms)),
        watermarkMs: left.reduce((greatest, ms) => Math.max(greatest, ms)),
        rows: left.length,
      },
    ]);
    expect(
      await backend.store.profiledRows({ model: 'm', modelVersion: '1' }, [
        all,
        { startMs: 0, endMs: HOUR_MS },
        { startMs: start, endMs: start + HOUR_MS },
        { startMs: start + HOUR_MS, endMs: start + 100 * HOUR_MS },
      ]),
    ).toEqual([
      stored.length,
      0,
      stored.filter((row) => row.tsMs < start + HOUR_MS).length,
      stored.filter((row) => row.tsMs >= start + HOUR_MS).length,
    ]);
  });

  it('knows after a restart what is counted', async () => {
    await backend.reopen();
    expect(await backend.store.dirtyBuckets()).toEqual([]);
    await expectExact();
  });
});
