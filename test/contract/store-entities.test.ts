import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ModelVersion } from '../../src/domain/model.js';
import type { Reference } from '../../src/domain/reference.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { hour, key, other, outcome, run, START_MS, undecided, verdict } from '../support/entities.js';
import { labelRow, predictionRow, rejectedRow } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const TABLES = ['models', 'references', 'verdicts', 'outcomes', 'runs'];

describe.each(BACKENDS)('entities in the %s store', (kind) => {
  let backend: StoreBackend;
  let admin: StoreClient;

  beforeAll(async () => {
    backend = await openBackend(kind);
    admin = await createStoreClient(backend.location);
  });
  afterAll(async () => {
    await admin.close();
    await backend.close();
  });
  beforeEach(async () => {
    for (const table of TABLES) await admin.command(`TRUNCATE TABLE ${table}`);
  });

  test('models: the last saved counts, before and after a merge', async () => {
    const { store } = backend;
    const model = (task: 'binary' | 'regression', version = '1'): ModelVersion => ({
      model: 'm',
      modelVersion: version,
      schema: { task, features: [{ name: '__proto__', kind: 'numeric' }] },
      registeredAtMs: START_MS,
    });
    await store.saveModel(model('binary', '2'));
    await store.saveModel(model('binary'));
    await store.saveModel(model('regression'));
    await store.saveModel(model('binary'));
    await store.saveModel(model('regression'));
    const expected = [model('regression'), model('binary', '2')];
    expect(await store.listModels()).toEqual(expected);
    await admin.command('OPTIMIZE TABLE models FINAL');
    expect(await store.listModels()).toEqual(expected);
  });

  test('references: the current one is the last saved, with its forest of some megabytes', async () => {
    const { store } = backend;
    const reference = (hash: string, forest: string | null): Reference => ({
      ...key,
      hash,
      rows: 24_951,
      period: hour(0),
      provenance: 'reference.parquet',
      createdAtMs: START_MS,
      nullModel: {
        kind: 'temporal',
        pieceMs: DAY_MS,
        spreads: [
          { feature: 'temp', detector: 'ks', pieces: 28, excess: 0.1, shape: Number.POSITIVE_INFINITY },
        ],
      },
      forest,
    });
    expect(await store.currentReference(key)).toBeNull();
    await store.saveReference(reference('a', 'x'.repeat(4_000_000)));
    await store.saveReference(reference('b', null));
    expect(await store.currentReference(key)).toEqual(reference('b', null));
    await store.saveReference(reference('a', 'x'.repeat(4_000_000)));
    expect(await store.currentReference(key)).toEqual(reference('a', 'x'.repeat(4_000_000)));
    expect(await store.currentReference(other)).toBeNull();
  });

  test('verdicts: a judgement reads back equal and in order, by window, feature, detector and role', async () => {
    const { store } = backend;
    const first = [
      verdict('temp', hour(0)),
      undecided('<b>', hour(0)),
      verdict('temp', hour(0), { detector: 'psi', role: 'descriptive' }),
    ];
    const second = [verdict('dewp', hour(1), { statistic: Number.POSITIVE_INFINITY })];
    await store.saveVerdicts([...first, ...second, verdict('temp', hour(0), other)]);
    const all = { startMs: START_MS, endMs: START_MS + DAY_MS };
    expect(await store.listVerdicts({ ...key, window: all })).toEqual([...first, ...second]);
    expect(await store.listVerdicts({ ...key, window: hour(0) })).toEqual(first);
    expect(await store.listVerdicts({ ...key, window: all, feature: 'temp', detector: 'psi' })).toEqual([
      first[2],
    ]);
    expect(await store.listVerdicts({ ...key, window: all, role: 'descriptive' })).toEqual([first[2]]);
    expect(await store.listVerdicts({ ...key, window: all, role: 'primary' })).toEqual([
      ...first.slice(0, 2),
      ...second,
    ]);
    expect(await store.listVerdicts({ ...key, window: all, feature: '' })).toEqual([]);
    expect(await store.listVerdicts({ ...key, window: all, limit: 2 })).toEqual(first.slice(0, 2));
    expect(await store.listVerdicts({ ...key, window: { ...hour(0), endMs: hour(0).endMs - 1 } })).toEqual(
      [],
    );
  });

  test('verdicts: judging a window again replaces all of it, also by fewer', async () => {
    const { store } = backend;
    await store.saveVerdicts([verdict('temp', hour(0)), verdict('dewp', hour(0)), verdict('temp', hour(1))]);
    const again = [undecided('dewp', hour(0))];
    await store.saveVerdicts(again);
    const all = { startMs: START_MS, endMs: START_MS + DAY_MS };
    const expected = [...again, verdict('temp', hour(1))];
    expect(await store.listVerdicts({ ...key, window: all })).toEqual(expected);
    await admin.command('OPTIMIZE TABLE verdicts FINAL');
    expect(await store.listVerdicts({ ...key, window: all })).toEqual(expected);
    await store.saveVerdicts([]);
    expect(await store.listVerdicts({ ...key, window: all })).toEqual(expected);
  });

  test('verdicts: a volume is revised alone, and goes with the next judgement of its window', async () => {
    const { store } = backend;
    const volume = (hourIndex: number, statistic: number) =>
      verdict('', hour(hourIndex), { detector: 'volume', role: 'descriptive', statistic });
    const others = [verdict('temp', hour(0)), verdict('dewp', hour(0))];
    await store.saveVerdicts([...others, volume(0, 0.1), verdict('temp', hour(1)), volume(1, 0.2)]);
    await store.reviseVerdicts([volume(0, 0.3), volume(1, 0.4)]);
    const all = { startMs: START_MS, endMs: START_MS + DAY_MS };
    const revised = [...others, volume(0, 0.3), verdict('temp', hour(1)), volume(1, 0.4)];
    expect(await store.listVerdicts({ ...key, window: all })).toEqual(revised);
    expect(await store.listVerdicts({ ...key, window: all, detector: 'volume' })).toEqual([
      volume(0, 0.3),
      volume(1, 0.4),
    ]);
    await admin.command('OPTIMIZE TABLE verdicts FINAL');
    expect(await store.listVerdicts({ ...key, window: all })).toEqual(revised);
    await store.saveVerdicts([verdict('temp', hour(0)), volume(0, 0.5)]);
    expect(await store.listVerdicts({ ...key, window: hour(0) })).toEqual([
      verdict('temp', hour(0)),
      volume(0, 0.5),
    ]);
  });

  test('verdicts: their columns are there for queries', async () => {
    await backend.store.saveVerdicts([verdict('temp', hour(0)), undecided('dewp', hour(0))]);
    expect(
      await admin.query(
        `SELECT feature, status, reason, material, statistic, threshold, effect, p_value, adjusted_p_value,
                toUnixTimestamp64Milli(window_start) AS startMs FROM verdicts ORDER BY position`,
      ),
    ).toEqual([
      {
        feature: 'temp',
        status: 'drifted',
        reason: '',
        material: true,
        statistic: 0.25,
        threshold: 0.1,
        effect: 0.25,
        p_value: 1e-300,
        adjusted_p_value: 5e-324,
        startMs: START_MS,
      },
      {
        feature: 'dewp',
        status: 'undecided',
        reason: 'no_data',
        material: false,
        statistic: null,
        threshold: null,
        effect: null,
        p_value: null,
        adjusted_p_value: null,
        startMs: START_MS,
      },
    ]);
  });

  test('runs: half-open by window end, the last record of a window counts', async () => {
    const { store } = backend;
    for (const index of [2, 0, 1]) await store.saveRun(run(index));
    await store.saveRun(run(1, { status: 'no_data', rows: 0 }));
    await store.saveRun({ ...run(1), ...other });
    const mended = run(1, { status: 'no_data', rows: 0 });
    expect(await store.listRuns(key, hour(0).endMs, hour(1).endMs)).toEqual([mended]);
    const all = [run(0), mended, run(2)];
    expect(await store.listRuns(key, 0, START_MS + DAY_MS)).toEqual(all);
    expect(await store.listRuns(key, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toEqual(all);
  });

  test('outcomes: the last ones up to a window, oldest first, each window once', async () => {
    const { store } = backend;
    await store.saveOutcomes([outcome(hour(0), 'clean'), outcome(hour(1), 'drifted')]);
    await store.saveOutcomes([
      outcome(hour(2), 'undecided'),
      { ...outcome(hour(2), 'clean'), category: 'outliers' },
    ]);
    await store.saveOutcomes([outcome(hour(0), 'drifted')]);
    await store.saveOutcomes([]);
    const recent = (untilMs: number, limit: number) =>
      store.recentOutcomes({ ...key, category: 'drift', untilMs, limit });
    expect(await recent(hour(2).endMs, 9)).toEqual([
      outcome(hour(0), 'drifted'),
      outcome(hour(1), 'drifted'),
      outcome(hour(2), 'undecided'),
    ]);
    expect(await recent(hour(1).endMs, 1)).toEqual([outcome(hour(1), 'drifted')]);
    expect(await recent(hour(0).endMs - 1, 9)).toEqual([]);
  });

  test('questions of many versions at once are answered to each, also where one version has the name of another model', async () => {
    const { store } = backend;
    const keys = [
      key,
      other,
      { model: other.model, modelVersion: 'x' },
      { model: 'x', modelVersion: key.modelVersion },
    ];
    await Promise.all(
      keys
        .slice(0, 3)
        .flatMap((each, i) => [
          store.saveVerdicts([verdict('temp', hour(i), { ...each, statistic: i })]),
          store.saveOutcomes([{ ...outcome(hour(i), 'clean'), ...each }]),
          store.saveRun({ ...run(i), ...each }),
        ]),
    );
    const asked = await Promise.all(
      keys.map(async (each) => ({
        outcomes: await store.recentOutcomes({
          ...each,
          category: 'drift',
          untilMs: hour(9).endMs,
          limit: 2,
        }),
        runs: await store.listRuns(each, 0, hour(9).endMs),
        verdicts: await store.listVerdicts({
          ...each,
          window: { startMs: hour(0).startMs, endMs: hour(9).endMs },
        }),
      })),
    );
    expect(
      asked.map(({ outcomes }) =>
        outcomes.map(({ model, modelVersion, window }) => ({ model, modelVersion, window })),
      ),
    ).toEqual([...keys.slice(0, 3).map((each, i) => [{ ...each, window: hour(i) }]), []]);
    expect(asked.map(({ runs }) => runs.map(({ window }) => window))).toEqual([
      [hour(0)],
      [hour(1)],
      [hour(2)],
      [],
    ]);
    expect(asked.map(({ verdicts }) => verdicts.map(({ statistic }) => statistic))).toEqual([
      [0],
      [1],
      [2],
      [],
    ]);
  });

  test('a clock that was set back hides nothing that is written after a restart', async () => {
    const ahead = await admin.query<{ revision: number }>(`SELECT ${4e15} AS revision`);
    await backend.store.saveRun(run(0));
    await admin.command('INSERT INTO runs SELECT * REPLACE ({revision:UInt64} AS revision) FROM runs', {
      revision: ahead[0]?.revision,
    });
    await backend.reopen();
    await backend.store.saveRun(run(0, { status: 'skipped' }));
    expect(await backend.store.listRuns(key, 0, START_MS + DAY_MS)).toEqual([run(0, { status: 'skipped' })]);
  });

  test('totals count rows, and labels whose prediction is there', async () => {
    await backend.store.insertRows({
      token: 'totals',
      predictions: [predictionRow('r1'), predictionRow('r2')],
      labels: [labelRow('r1'), labelRow('r1', { label: 1 }), labelRow('unknown')],
      rejected: [rejectedRow()],
    });
    expect(await backend.store.totals()).toEqual({
      predictions: 2,
      labels: 3,
      labelsMatched: 2,
      rejected: 1,
    });
  });
});
