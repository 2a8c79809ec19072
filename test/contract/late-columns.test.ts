import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LABEL, LATENCY, type ModelVersion, monitoredColumns } from '../../src/domain/model.js';
import { PRODUCTION } from '../../src/domain/ports.js';
import type { LabelRow, PredictionRow } from '../../src/domain/prediction.js';
import { type Grid, latencyGrid } from '../../src/domain/profile.js';
import { DAY_MS, HOUR_MS, tile } from '../../src/domain/window.js';
import { type RowValue, recount } from '../support/recount.js';
import { named } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const start = Date.UTC(2026, 2, 1, 21);
const HOURS = 5;
const source = { kind: 'http', topic: '', partition: -1, offset: -1 };
const model: ModelVersion = {
  model: 'm',
  modelVersion: '1',
  schema: {
    task: 'multiclass',
    probability: true,
    label: true,
    features: [
      { name: 'x', kind: 'numeric' },
      { name: "born'", kind: 'numeric', time: true },
    ],
  },
  registeredAtMs: 0,
};
const grids: Grid[] = [
  { kind: 'numeric', feature: 'x', cutPoints: [0, 5], quantum: 1 },
  { kind: 'numeric', feature: "born'", cutPoints: [-60, 0, 3_600, 86_400], quantum: 2 ** -10 },
  { kind: 'categorical', feature: 'prediction', categories: ['a', '1'], headSize: 2 },
  { kind: 'numeric', feature: 'prediction_proba', cutPoints: [0.25, 0.5], quantum: 2 ** -20 },
  { kind: 'categorical', feature: LABEL, categories: ['a', '1'], headSize: 2 },
  latencyGrid(LATENCY),
];
const query = { model: 'm', modelVersion: '1', scope: PRODUCTION };
const all = { startMs: start, endMs: start + HOURS * HOUR_MS };

/** What the events say of each column; `born` is sent in every form that a time may have. */
function rowsOf(count: number): { row: PredictionRow; values: Record<string, RowValue> }[] {
  return Array.from({ length: count }, (_, i) => {
    const timestampMs = start + Math.floor((i * HOURS * HOUR_MS) / count);
    const ageSeconds = [3_600, 30, 90_000, 86_400, -60][i % 5] ?? 0;
    const bornMs = timestampMs - ageSeconds * 1_000;
    const forms = [new Date(bornMs).toISOString(), bornMs, 'long ago', null] as const;
    const born = forms[i % 4] ?? null;
    const prediction = i % 3 === 0 ? 1 : i % 3 === 1 ? 'a' : 'never seen';
    const probas: Record<string, number> = Object.create(null);
    if (i % 7 !== 0) Object.assign(probas, { a: 0.25, 1: 0.7, other: 0.05 });
    const latencyMs = i % 6 === 0 ? null : i % 11 === 0 ? 9e9 : 0.5 + (i % 50);
    const numeric: Record<string, number> = Object.assign(Object.create(null), { x: i % 9, latency_ms: 77 });
    const categorical: Record<string, string> = Object.create(null);
    if (typeof born === 'number') numeric["born'"] = born;
    if (typeof born === 'string') categorical["born'"] = born;
    const row = {
      model: 'm',
      modelVersion: '1',
      predictionId: `p${i}`,
      rowIndex: i % 2,
      timestampMs,
      numeric: named(Object.entries(numeric)),
      categorical: named(Object.entries(categorical)),
      prediction,
      proba: null,
      probas: named(Object.entries(probas)),
      latencyMs,
      tags: named<string>([]),
      source,
    };
    const values = {
      x: i % 9,
      "born'": born === null || born === 'long ago' ? born : ageSeconds,
      prediction: String(prediction),
      prediction_proba: probas[String(prediction)] ?? null,
      [LATENCY]: latencyMs,
    };
    return { row, values };
  });
}

describe.each(BACKENDS)('columns beside the features, %s', (kind) => {
  let backend: StoreBackend;
  const rows = rowsOf(2_000);
  const truth = new Map<number, string>();
  let batch = 0;
  // Every batch arrives twenty minutes after the one before.
  const wallClock = () => Date.now() + batch * 1_200_000;

  const insert = (predictions: readonly PredictionRow[], labels: readonly LabelRow[]) => {
    batch += 1;
    return backend.store.insertRows({ predictions, labels, rejected: [], token: `t${batch}` });
  };
  const labelOf = (i: number, label: number | string, timestampMs = start): LabelRow => {
    const row = rows[i]?.row;
    if (row === undefined) throw new RangeError(`no row ${i}`);
    const { predictionId, rowIndex } = row;
    return { model: 'm', modelVersion: '1', predictionId, rowIndex, timestampMs, label, source };
  };

  async function expectExact(window = all) {
    const merged = await backend.store.mergedProfiles(query, tile(window));
    const indices = rows.flatMap(({ row }, i) =>
      row.timestampMs >= window.startMs && row.timestampMs < window.endMs ? [i] : [],
    );
    const valueAt = (i: number, feature: string) =>
      feature === LABEL ? (truth.get(i) ?? null) : (rows[i]?.values[feature] ?? null);
    for (const grid of grids)
      expect(merged.find((profile) => profile.feature === grid.feature)).toEqual(
        recount(
          indices.map((i) => valueAt(i, grid.feature)),
          grid,
        ),
      );
    expect(merged).toHaveLength(grids.length);
  }

  beforeAll(async () => {
    backend = await openBackend(kind, wallClock);
    await backend.store.saveModel(model);
    await backend.store.saveGrids('m', grids);
    // Labels may come before their predictions.
    truth.set(0, 'a').set(1, '1');
    await insert([], [labelOf(0, 'a'), labelOf(1, 1)]);
    await insert(
      rows.map(({ row }) => row),
      [],
    );
  });
  afterAll(() => backend.close());

  const hours = Array.from({ length: HOURS }, (_, i) => start + i * HOUR_MS);

  it('counts ages, latencies and the predicted class’s probability as a plain recount does', async () => {
    expect(await backend.store.profileLabels([model])).toEqual([]);
    await backend.store.profileHours(model, hours);
    await expectExact();
    await expectExact({ startMs: start + HOUR_MS, endMs: start + 2 * HOUR_MS });
    expect(await backend.store.labelledRows(model, [all])).toEqual([2]);
  });

  it('counts the hours of new labels again, and their days, and no others', async () => {
    const late = [400, 401, 402, 1_999];
    for (const i of late) truth.set(i, i === 402 ? 'unheard of' : '1');
    await insert(
      [],
      late.map((i) => labelOf(i, truth.get(i) === '1' ? 1 : 'unheard of')),
    );
    const [relabelled, ...others] = await backend.store.profileLabels([model]);
    expect(relabelled?.hourStartsMs).toEqual([hours[1], hours[4]]);
    expect(others).toEqual([]);
    await expectExact();
    const day = { startMs: start - 21 * HOUR_MS, endMs: start - 21 * HOUR_MS + DAY_MS };
    await expectExact(day);
    expect(
      await backend.store.labelledRows(
        model,
        hours.map((startMs) => ({ startMs, endMs: startMs + HOUR_MS })),
      ),
    ).toEqual([2, 3, 0, 0, 1]);
    expect(await backend.store.profileLabels([model])).toEqual([]);
  });

  it('takes the last of several labels by its own time, whenever it came', async () => {
    truth.set(400, 'a');
    await insert([], [labelOf(400, 'a', start + 9_000), labelOf(401, 'a', start - 9_000)]);
    expect((await backend.store.profileLabels([model]))[0]?.hourStartsMs).toEqual([hours[1]]);
    await expectExact();
    truth.set(400, '1');
    await insert([], [labelOf(400, 1, start + 10_000)]);
    await backend.store.profileLabels([model]);
    await expectExact();
  });

  it('counts the labels of rows that come later still, with the rows', async () => {
    const [extra] = rowsOf(2_000).slice(777, 778);
    if (extra === undefined) throw new RangeError('no row');
    const row = { ...extra.row, predictionId: 'late' };
    rows.push({ row, values: extra.values });
    truth.set(rows.length - 1, 'a');
    await insert([], [labelOf(rows.length - 1, 'a')]);
    expect(await backend.store.profileLabels([model])).toEqual([]);
    await insert([row], []);
    const [dirty] = await backend.store.dirtyBuckets(Number.MAX_SAFE_INTEGER);
    await backend.store.profileHours(model, dirty?.hourStartsMs ?? []);
    await expectExact();
  });

  it('keeps what was counted when the model is opened again', async () => {
    await backend.reopen();
    expect(await backend.store.profileLabels([model])).toEqual([]);
    await expectExact();
    const [saved] = await backend.store.listModels();
    expect(monitoredColumns(saved?.schema ?? model.schema).map(({ name }) => name)).toEqual([
      'x',
      "born'",
      'prediction',
      'prediction_proba',
      LABEL,
    ]);
  });

  it('forgets the counted labels of a deleted model', async () => {
    await backend.store.deleteModel('m', { keepRows: true });
    await backend.store.saveModel(model);
    await backend.store.saveGrids('m', grids);
    await backend.store.profileHours(model, hours);
    await expectExact();
  });
});
