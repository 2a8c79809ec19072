import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../src/domain/model.js';
import { PRODUCTION } from '../../src/domain/ports.js';
import type { Grid, Profile } from '../../src/domain/profile.js';
import { DAY_MS, HOUR_MS, tile } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { createGridStore, type GridStore } from '../../src/store/grid-store.js';
import { migrate } from '../../src/store/migrate.js';
import { createProfileCounter } from '../../src/store/profile-counter.js';
import { createProfileStore } from '../../src/store/profile-store.js';

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
const start = Date.UTC(2026, 0, 1, 20);
const HOURS = 9;

interface Raw {
  identity: number;
  tsMs: number;
  num: Record<string, number>;
  cat: Record<string, string>;
  prediction: number;
  proba: number | null;
}

/** Rows with ties on the cut points, values between and beyond them, infinities, missing, mistyped and unseen ones. */
function randomRows(count: number, seed: number, firstId: number): Raw[] {
  const random = createRandom(seed);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  return Array.from({ length: count }, (_, index) => {
    const num = Object.create(null) as Record<string, number>;
    const cat = Object.create(null) as Record<string, string>;
    const x = pick([-1, 0, 0.5, 3, -2.25, 0.1, 1.7, 99, Infinity, -Infinity, null, 'text']);
    if (typeof x === 'number') num.x = x;
    if (typeof x === 'string') cat.x = x;
    if (random() < 0.9) Object.defineProperty(num, '__proto__', { value: pick([6, 7, 8]), enumerable: true });
    if (random() < 0.8) cat["it's <b>"] = pick(['a', 'b', "c'", 'tail', 'new', '']);
    num.undeclared = 1;
    return {
      identity: firstId + index,
      tsMs: start + Math.floor(random() * HOURS * HOUR_MS),
      num,
      cat,
      prediction: pick([0, 1]),
      proba: random() < 0.95 ? random() : null,
    };
  });
}

function cellOf(grid: Grid, value: number | string): number {
  if (grid.kind === 'categorical') {
    const at = grid.categories.indexOf(String(value));
    return at < 0 ? grid.headSize + 1 : Math.min(at, grid.headSize);
  }
  const x = value as number;
  const equal = grid.cutPoints.indexOf(x);
  return equal >= 0 ? 2 * equal + 1 : 2 * grid.cutPoints.filter((cut) => cut < x).length;
}

/** The engine rounds halves to even. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const half = value - floor;
  return half === 0.5 ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(value);
}

/** The same counts by the plainest code. */
function recount(rows: readonly Raw[], grid: Grid): Profile {
  const cells = grid.kind === 'numeric' ? 2 * grid.cutPoints.length + 1 : grid.headSize + 2;
  const counts = new Array<number>(cells).fill(0);
  const offsets = new Array<number>(grid.kind === 'numeric' ? cells : 0).fill(0);
  const tally = { missing: 0, nonFinite: 0, mistyped: 0 };
  const finite: number[] = [];
  for (const row of rows) {
    const value =
      grid.feature === 'prediction'
        ? String(row.prediction)
        : grid.feature === 'prediction_proba'
          ? row.proba
          : ((grid.kind === 'numeric' ? row.num[grid.feature] : row.cat[grid.feature]) ?? null);
    if (grid.kind === 'numeric' && row.cat[grid.feature] !== undefined) tally.mistyped += 1;
    else if (value === null) tally.missing += 1;
    else if (typeof value === 'number' && !Number.isFinite(value)) tally.nonFinite += 1;
    else {
      const cell = cellOf(grid, value);
      counts[cell] = (counts[cell] ?? 0) + 1;
      if (grid.kind === 'numeric') {
        const x = value as number;
        finite.push(x);
        const base = grid.cutPoints[Math.max(0, Math.ceil(cell / 2) - 1)] ?? 0;
        offsets[cell] = (offsets[cell] ?? 0) + roundHalfEven((x - base) / grid.quantum);
      }
    }
  }
  return {
    feature: grid.feature,
    kind: grid.kind,
    rows: rows.length,
    ...tally,
    counts,
    offsets,
    min: finite.length === 0 ? null : Math.min(...finite),
    max: finite.length === 0 ? null : Math.max(...finite),
  };
}

describe('the profile store on the embedded engine', () => {
  let directory = '';
  let client: StoreClient;
  let gridStore: GridStore;
  let profiles: ReturnType<typeof createProfileStore>;
  let revision = 0;
  const stored: Raw[] = [];
  const query = { model: 'm', modelVersion: '1', scope: PRODUCTION };
  const all = { startMs: start - (start % HOUR_MS), endMs: start + HOURS * HOUR_MS };

  async function insert(rows: readonly Raw[]) {
    await client.insert(
      'predictions',
      rows.map((row) => ({
        model: 'm',
        version: '1',
        prediction_id: `p${row.identity}`,
        row_index: 0,
        identity: row.identity,
        ts: new Date(row.tsMs).toISOString().replace('T', ' ').replace('Z', ''),
        num: row.num,
        cat: row.cat,
        prediction_num: row.prediction,
        proba: row.proba,
      })),
    );
  }

  async function expectExact(rows: readonly Raw[], window = all) {
    const merged = await profiles.mergedProfiles(query, tile(window));
    const inside = rows.filter((row) => row.tsMs >= window.startMs && row.tsMs < window.endMs);
    expect(new Map(merged.map((profile) => [profile.feature, profile]))).toEqual(
      new Map(grids.map((grid) => [grid.feature, recount(inside, grid)])),
    );
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-profiles-'));
    client = await createStoreClient({ kind: 'embedded', dataDir: directory });
    await migrate(client);
    gridStore = createGridStore(client);
    profiles = createProfileStore(
      client,
      gridStore,
      createProfileCounter(client, gridStore),
      () => ++revision,
    );
    await gridStore.saveGrids('m', grids);
    await insert([...randomRows(3_000, 1, 0)]);
    stored.push(...randomRows(3_000, 1, 0));
  });
  afterAll(async () => {
    await client.close();
    await rm(directory, { recursive: true });
  });

  it('gives grids back as they were saved, and keeps the first', async () => {
    await gridStore.saveGrids('m', [{ kind: 'numeric', feature: 'x', cutPoints: [5], quantum: 1 }]);
    expect(await gridStore.listGrids('m')).toEqual(
      [...grids].sort((a, b) => (a.feature < b.feature ? -1 : 1)),
    );
  });

  it('counts every hour exactly as a plain recount does', async () => {
    const [dirty] = await profiles.dirtyBuckets();
    expect(dirty?.hourStartsMs).toHaveLength(HOURS);
    await profiles.profileHours(model, dirty?.hourStartsMs ?? []);
    await expectExact(stored);
    await expectExact(stored, { startMs: all.startMs + HOUR_MS, endMs: all.startMs + 2 * HOUR_MS });
    expect(await profiles.dirtyBuckets()).toEqual([]);
  });

  it('sums hours to days', async () => {
    const day = { startMs: start - (start % DAY_MS), endMs: start - (start % DAY_MS) + DAY_MS };
    expect(tile(day)).toHaveLength(1);
    await expectExact(stored, day);
    const pieces = await profiles.pieceProfiles(query, DAY_MS);
    expect(pieces.map((piece) => piece.profiles[0]?.rows)).toEqual([
      stored.filter((row) => row.tsMs < day.endMs).length,
      stored.filter((row) => row.tsMs >= day.endMs).length,
    ]);
  });

  it('finds the hours that late rows touched, and counts them again', async () => {
    const late = randomRows(50, 2, 10_000).map((row) => ({ ...row, tsMs: start + 60_000 }));
    await insert(late);
    stored.push(...late);
    const dirty = await profiles.dirtyBuckets();
    expect(dirty).toEqual([{ model: 'm', modelVersion: '1', hourStartsMs: [start] }]);
    await profiles.profileHours(model, [start]);
    await expectExact(stored);
    await profiles.profileHours(model, [start, start + HOUR_MS]);
    await expectExact(stored);
  });

  it('never counts a duplicate: the first to come wins', async () => {
    const [first] = stored;
    if (first === undefined) throw new Error('no rows');
    await insert([{ ...first, num: { x: 3 }, prediction: 1 - first.prediction }]);
    const dirty = await profiles.dirtyBuckets();
    expect(dirty[0]?.hourStartsMs).toHaveLength(1);
    await profiles.profileHours(model, dirty[0]?.hourStartsMs ?? []);
    await expectExact(stored);
    expect(await profiles.dirtyBuckets()).toEqual([]);
  });

  it('keeps what it counted when raw rows expire', async () => {
    await client.command('ALTER TABLE predictions DELETE WHERE identity < 1000 SETTINGS mutations_sync = 2');
    expect(await profiles.dirtyBuckets()).toEqual([]);
    await expectExact(stored);
  });

  it('tells watermarks and profiled rows', async () => {
    const [mark] = await profiles.watermarks();
    expect(mark?.watermarkMs).toBe(Math.max(...stored.map((row) => row.tsMs)));
    expect(
      await profiles.profiledRows({ model: 'm', modelVersion: '1' }, [
        all,
        { startMs: 0, endMs: HOUR_MS },
        { startMs: start, endMs: start + HOUR_MS },
      ]),
    ).toEqual([stored.length, 0, stored.filter((row) => row.tsMs < start + HOUR_MS).length]);
  });
});
