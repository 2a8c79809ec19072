import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LABEL, type ModelVersion, PREDICTION, PREDICTION_PROBA, type Task } from '../../src/domain/model.js';
import { PRODUCTION } from '../../src/domain/ports.js';
import type { Grid } from '../../src/domain/profile.js';
import { DAY_MS, HOUR_MS, tile } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { dateTime64 } from '../../src/store/encoding.js';
import { createGridStore } from '../../src/store/grid-store.js';
import { createProfileCounter } from '../../src/store/profile-counter.js';
import { createProfileStore } from '../../src/store/profile-store.js';
import { type RowValue, recount } from '../support/recount.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const start = Date.UTC(2026, 4, 1, 22);
const HOURS = 4;
const hours = Array.from({ length: HOURS }, (_, hour) => start + hour * HOUR_MS);
const numbers = (feature: string, ...cutPoints: number[]): Grid => ({
  kind: 'numeric',
  feature,
  cutPoints,
  quantum: 2 ** -10,
});
const texts = (feature: string, ...categories: string[]): Grid => ({
  kind: 'categorical',
  feature,
  categories,
  headSize: Math.max(1, categories.length - 1),
});

interface Case {
  readonly model: ModelVersion;
  readonly grids: readonly Grid[];
}

function versionOf(name: string, modelVersion: string, task: Task, grids: readonly Grid[]): Case {
  const reserved = new Set([PREDICTION, PREDICTION_PROBA, LABEL]);
  const features = grids
    .filter(({ feature }) => !reserved.has(feature))
    .map(({ feature, kind }) => ({ name: feature, kind }));
  const has = (column: string) => grids.some(({ feature }) => feature === column);
  const schema = { task, features, probability: has(PREDICTION_PROBA), label: has(LABEL) };
  return { model: { model: name, modelVersion, schema, registeredAtMs: 0 }, grids };
}

const CLASSES = texts(PREDICTION, '0', '1', 'rare');
/** One name is a number here and a text there; the same names have other cells; one version is the second of its model. */
const CASES: readonly Case[] = [
  versionOf('alike', '1', 'binary', [
    numbers('x', -1, 0, 2),
    texts('plan', 'a', 'b', 'c'),
    CLASSES,
    numbers(PREDICTION_PROBA, 0.25, 0.5),
    texts(LABEL, '0', '1', 'rare'),
  ]),
  versionOf("it's", '1', 'binary', [
    texts('x', 'p', 'q', 'r'),
    numbers('plan', 1, 3),
    texts(PREDICTION, '1', '0', 'rare'),
  ]),
  versionOf('more', '1', 'binary', [numbers('x', 7), numbers('only here', 0, 1), CLASSES]),
  versionOf('more', '2', 'binary', [numbers('x', 7), CLASSES]),
  versionOf('amount', '1', 'regression', [
    numbers('x', 0, 1),
    numbers(PREDICTION, 0, 1),
    numbers(LABEL, 0, 1),
  ]),
  versionOf('amount too', '1', 'regression', [numbers('x', 1, 2), numbers(PREDICTION, 0.5)]),
  versionOf('of classes', '1', 'multiclass', [texts('x', 'p', 'q'), CLASSES]),
];

interface Row {
  readonly identity: number;
  readonly hour: number;
  readonly values: Readonly<Record<string, RowValue>>;
}

function rowsOf(at: number): Row[] {
  const random = createRandom(at + 1);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  return Array.from({ length: 150 }, (_, index) => ({
    identity: at * 1_000 + index,
    hour: Math.floor(random() * HOURS),
    values: {
      x: pick([-5, -1, 0, 0.75, 2, 7, Infinity, 'p', 'q', 'other', null]),
      plan: pick([1, 2, 3, 'a', 'b', 'c', 'd', null]),
      'only here': pick([0, 0.5, 9, null]),
      [PREDICTION]: pick([0, 1, 0.5]),
      [PREDICTION_PROBA]: random(),
      [LABEL]: pick([0, 1, null]),
    },
  }));
}

describe.each(BACKENDS)('versions that are counted together, %s', (kind) => {
  let backend: StoreBackend;
  let client: StoreClient;
  const stored = CASES.map((_, at) => rowsOf(at));

  const pickBy = (row: Row, type: 'number' | 'string') =>
    Object.fromEntries(
      ['x', 'plan', 'only here'].flatMap((name) =>
        typeof row.values[name] === type ? [[name, row.values[name]]] : [],
      ),
    );
  async function insert(at: number, rows: readonly Row[], extra: object = {}) {
    const { model, modelVersion } = (CASES[at] as Case).model;
    const keys = (row: Row) => ({ model, version: modelVersion, identity: row.identity, row_index: 0 });
    await client.insert(
      'predictions',
      rows.map((row) => ({
        ...keys(row),
        prediction_id: `p${row.identity}`,
        ts: dateTime64(start + row.hour * HOUR_MS + 5),
        num: pickBy(row, 'number'),
        cat: pickBy(row, 'string'),
        prediction_num: row.values[PREDICTION],
        proba: row.values[PREDICTION_PROBA],
        ...extra,
      })),
    );
    await client.insert(
      'labels',
      rows
        .filter((row) => row.values[LABEL] !== null)
        .map((row) => ({
          ...keys(row),
          prediction_id: `p${row.identity}`,
          fingerprint: row.identity,
          ts: dateTime64(start + row.hour * HOUR_MS + 9),
          label_num: row.values[LABEL],
        })),
    );
  }

  /** Numbers of a categorical output are classes; of a feature they are no values. */
  function said(row: Row, { feature, kind: column }: Grid): RowValue {
    const value = row.values[feature] ?? null;
    if (column === 'numeric' || value === null) return value;
    if (feature === PREDICTION || feature === LABEL) return String(value);
    return typeof value === 'string' ? value : null;
  }

  async function expectExact(window: { startMs: number; endMs: number }) {
    for (const [at, { model, grids }] of CASES.entries()) {
      const query = { model: model.model, modelVersion: model.modelVersion, scope: PRODUCTION };
      const merged = await backend.store.mergedProfiles(query, tile(window));
      const inside = (stored[at] ?? []).filter(
        (row) => start + row.hour * HOUR_MS >= window.startMs && start + row.hour * HOUR_MS < window.endMs,
      );
      expect(new Map(merged.map((profile) => [profile.feature, profile]))).toEqual(
        new Map(
          grids.map((grid) => [
            grid.feature,
            recount(
              inside.map((row) => said(row, grid)),
              grid,
            ),
          ]),
        ),
      );
    }
  }

  const expectAllExact = async () => {
    await expectExact({ startMs: start, endMs: start + HOURS * HOUR_MS });
    await expectExact({ startMs: start + HOUR_MS, endMs: start + 2 * HOUR_MS });
    await expectExact({ startMs: start - (start % DAY_MS), endMs: start - (start % DAY_MS) + DAY_MS });
  };

  beforeAll(async () => {
    backend = await openBackend(kind);
    client = await createStoreClient(backend.location);
    for (const { model, grids } of CASES) await backend.store.saveGrids(model.model, grids);
    for (const [at, rows] of stored.entries()) await insert(at, rows);
  });
  afterAll(async () => {
    await client.close();
    await backend.close();
  });

  it('has the counts of a plain recount, whatever the others hold, in few statements', async () => {
    const commands: string[] = [];
    const over = {
      ...client,
      command: async (sql: string, params?: Readonly<Record<string, unknown>>) => {
        commands.push(sql);
        await client.command(sql, params);
      },
    };
    const grids = createGridStore(over, () => 1);
    const counter = createProfileCounter(over, grids);
    const profiles = createProfileStore(over, grids, counter, () => Date.now() * 1_000);
    await Promise.all(CASES.map(({ model }) => profiles.profileHours(model, hours)));
    await expectAllExact();
    expect(await backend.store.dirtyBuckets()).toEqual([]);
    // Three binary models at once, the second version of one, two regressions at once, the classes; labels of each group by themselves.
    const ofNumbers = commands.filter((sql) => sql.includes("f.feature, 'numeric'"));
    expect(ofNumbers.filter((sql) => sql.includes('{models:'))).toHaveLength(3);
    expect(ofNumbers.filter((sql) => !sql.includes('{models:'))).toHaveLength(1);
  });

  it('tells the undeclared features of each', async () => {
    for (const [at, { model, grids }] of CASES.entries()) {
      const declared = new Set(grids.map(({ feature }) => feature));
      const found = await backend.store.undeclaredFeatures(model, {
        startMs: start,
        endMs: start + HOURS * HOUR_MS,
      });
      const expected = ['x', 'plan', 'only here']
        .filter((feature) => !declared.has(feature))
        .map((feature) => {
          const kinds = (stored[at] ?? []).map(({ values }) => typeof values[feature]);
          const sent = (type: string) => kinds.filter((kind) => kind === type).length;
          return { feature, numbers: sent('number'), texts: sent('string') };
        });
      expect(new Set(found.map(({ feature, numbers, texts }) => ({ feature, numbers, texts })))).toEqual(
        new Set(expected),
      );
    }
  });

  it('counts the first of a row that came twice to one of them', async () => {
    const [first] = stored[1] ?? [];
    if (first === undefined) throw new Error('no rows');
    const again = { ...first, values: { ...first.values, x: 'q', plan: 2, [PREDICTION]: 0, [LABEL]: null } };
    await insert(1, [again], { ingested_at: dateTime64(Date.UTC(2100, 0, 1)) });
    await Promise.all(CASES.map(({ model }) => backend.store.profileHours(model, hours)));
    await expectAllExact();
  });

  it('counts only the hours that each is asked for', async () => {
    const late = rowsOf(0)
      .slice(0, 30)
      .map((row, index) => ({ ...row, identity: 90_000 + index, hour: index % HOURS }));
    await insert(0, late);
    await insert(
      2,
      late.map((row) => ({ ...row, identity: row.identity + 1_000 })),
    );
    const ask = (at: number, some: readonly number[]) =>
      backend.store.profileHours((CASES[at] as Case).model, some);
    await Promise.all([ask(0, hours.slice(0, 2)), ask(2, hours.slice(0, 2)), ask(1, hours)]);
    const dirty = await backend.store.dirtyBuckets();
    expect(dirty.map(({ model, hourStartsMs }) => [model, hourStartsMs])).toEqual([
      ['alike', hours.slice(2)],
      ['more', hours.slice(2)],
    ]);
    await Promise.all([ask(0, hours.slice(2)), ask(2, hours.slice(2))]);
    stored[0]?.push(...late);
    stored[2]?.push(...late.map((row) => ({ ...row, identity: row.identity + 1_000 })));
    await expectAllExact();
  });
});
