import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Task } from '../../src/domain/model.js';
import { PRODUCTION } from '../../src/domain/ports.js';
import type { VersionFigure, VersionPair } from '../../src/domain/version-comparison.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { agreementOf } from '../../src/performance/agreement.js';
import { type DifferenceEstimate, designEffectOf } from '../../src/performance/difference.js';
import { differencesOf, figuresOfTask } from '../../src/performance/version-differences.js';
import { type ScoredRow, scoredLabel, scoredModel, scoredPrediction } from '../support/performance-rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

type Answer = Omit<ScoredRow, 'label'>;
interface Expected {
  readonly champion: number;
  readonly challenger: number;
  readonly standardError: number;
  readonly clusteredError: number;
}
interface OracleCase {
  readonly name: string;
  readonly task: Task;
  readonly rows: readonly {
    readonly hour: number;
    readonly label: number | string;
    /** Whose row it is where rows do not match. */
    readonly side: 'champion' | 'challenger';
    readonly champion: Answer;
    readonly challenger: Answer;
  }[];
  readonly agreement?: number;
  readonly kappa?: number;
  readonly distance?: number;
  readonly mcNemar?: { championOnly: number; challengerOnly: number; pValue: number };
  readonly figures: Readonly<Record<string, Expected>>;
  readonly unpaired: Readonly<Record<string, Expected>>;
}

/** Made by test/oracle/versions.py. */
const { cases } = JSON.parse(readFileSync('test/oracle/versions.json', 'utf8')) as { cases: OracleCase[] };
const start = Date.UTC(2026, 2, 30, 21);
const HOURS = 30;
const window = { startMs: start, endMs: start + HOURS * HOUR_MS };
const SETTING = { positiveClass: '1', segmentColumns: [], segments: [], requestId: '{request}-v{version}' };
const versions = ['1', '2'] as const;

const near = (found: number | null | undefined, expected: number | undefined) =>
  expect(Math.abs((found ?? Number.NaN) - (expected ?? Number.NaN))).toBeLessThanOrEqual(
    1e-9 * Math.max(1, Math.abs(expected ?? 0)),
  );

describe.each(BACKENDS)('two versions row by row, %s', (kind) => {
  let backend: StoreBackend;
  const pairOf = (model: string, task: Task): VersionPair => ({
    model,
    champion: '1',
    challenger: '2',
    task,
    positiveClass: '1',
    window,
  });

  async function estimatesOf(pair: VersionPair, paired: boolean) {
    const hours = await backend.store.matchedHours(pair);
    const found: Partial<Record<VersionFigure, DifferenceEstimate>> = {};
    for (const figure of figuresOfTask(pair.task)) {
      const whole = await differencesOf(backend.store, pair, figure, { hours, paired, piece: 'all' });
      expect([...whole.keys()]).toEqual([0]);
      const one = whole.get(0);
      if (one !== undefined) found[figure] = one;
    }
    return found;
  }

  /** Stores every case twice: under `matched` both versions answer each request, under `split` one of them does. */
  beforeAll(async () => {
    backend = await openBackend(kind);
    for (const [index, { task, rows }] of cases.entries())
      for (const way of ['matched', 'split'] as const)
        for (const modelVersion of versions) {
          const model = { ...scoredModel(`${way}${index}`, task), modelVersion };
          const side = modelVersion === '1' ? 'champion' : 'challenger';
          const own = rows.flatMap((row, i) =>
            way === 'matched' || row.side === side
              ? [{ ...row, id: `r${i}-v${modelVersion}`, ms: start + row.hour * HOUR_MS + i }]
              : [],
          );
          await backend.store.insertRows({
            predictions: own.map((row) => scoredPrediction(model, row.id, row.ms, row[side])),
            labels: own.map((row) => scoredLabel(model, row.id, row.ms + DAY_MS, row.label)),
            rejected: [],
            token: `${model.model} ${modelVersion}`,
          });
          const hours = [...new Set(own.map(({ hour }) => start + hour * HOUR_MS))];
          await backend.store.profileHours(model, hours);
          await backend.store.measurePerformance(model, SETTING);
        }
  });
  afterAll(() => backend.close());

  it.each(cases.map(({ name }, index) => [name, index] as const))(
    'matched rows differ as scipy, scikit-learn and statsmodels say: %s',
    async (_, index) => {
      const expected = cases[index] as OracleCase;
      const pair = pairOf(`matched${index}`, expected.task);
      const hours = await backend.store.matchedHours(pair);
      const sum = (of: (hour: (typeof hours)[number]) => number) =>
        hours.reduce((total, hour) => total + of(hour), 0);
      expect([sum((h) => h.requests), sum((h) => h.labelled), sum((h) => h.conflicting)]).toEqual([
        expected.rows.length,
        expected.rows.length,
        0,
      ]);
      const found = await estimatesOf(pair, true);
      expect(Object.keys(found).sort()).toEqual(Object.keys(expected.figures).sort());
      for (const [name, figure] of Object.entries(expected.figures)) {
        const estimate = found[name as VersionFigure];
        near(estimate?.champion, figure.champion);
        near(estimate?.challenger, figure.challenger);
        near(estimate?.difference, figure.challenger - figure.champion);
        near(Math.sqrt(estimate?.variance ?? Number.NaN), figure.standardError);
        if (estimate === undefined) continue;
        // Thirty hours are too few quarters of days to look at.
        const ratio = (figure.clusteredError / figure.standardError) ** 2;
        near(designEffectOf(estimate), Math.max(1, ratio));
      }
      const agreement = agreementOf(expected.task, hours);
      if (expected.agreement !== undefined) near(agreement?.share?.value, expected.agreement);
      if (expected.kappa !== undefined) near(agreement?.kappa, expected.kappa);
      if (expected.distance !== undefined) near(agreement?.distance?.value, expected.distance);
    },
  );

  it.each(cases.map(({ name }, index) => [name, index] as const))(
    'rows that do not match differ as two samples do: %s',
    async (_, index) => {
      const expected = cases[index] as OracleCase;
      const pair = pairOf(`split${index}`, expected.task);
      expect(await backend.store.matchedHours(pair)).toEqual([]);
      const found = await estimatesOf(pair, false);
      expect(Object.keys(found).sort()).toEqual(Object.keys(expected.unpaired).sort());
      for (const [name, figure] of Object.entries(expected.unpaired)) {
        const estimate = found[name as VersionFigure];
        near(estimate?.champion, figure.champion);
        near(estimate?.challenger, figure.challenger);
        near(Math.sqrt(estimate?.variance ?? Number.NaN), figure.standardError);
        if (estimate === undefined) continue;
        const ratio = (figure.clusteredError / figure.standardError) ** 2;
        near(designEffectOf(estimate), Math.max(1, ratio));
      }
    },
  );

  it('tells each piece of time by itself', async () => {
    const pair = pairOf('matched0', 'binary');
    const hours = await backend.store.matchedHours(pair);
    const key = { model: pair.model, modelVersion: '1', task: 'binary', scope: PRODUCTION, window } as const;
    const days = await backend.store.performanceCounts(key, 'day');
    const areas = await differencesOf(backend.store, pair, 'rocAuc', { hours, paired: true, piece: 'day' });
    const hits = await differencesOf(backend.store, pair, 'accuracy', { hours, paired: true, piece: 'day' });
    const starts = days.map(({ window: day }) => Math.floor(day.startMs / DAY_MS) * DAY_MS);
    expect(days).toHaveLength(3);
    expect([...areas.keys()].sort()).toEqual(starts);
    expect([...hits.keys()].sort()).toEqual(starts);
    for (const [i, start] of starts.entries()) {
      near(areas.get(start)?.champion, days[i]?.ranking?.auc ?? undefined);
      near(hits.get(start)?.champion, (days[i]?.correct ?? 0) / (days[i]?.classified ?? 0));
      expect(areas.get(start)?.rows).toBe(days[i]?.labelled);
    }
    // The same pieces of rows that do not match.
    const split = { ...pair, model: 'split0' };
    const unpaired = await differencesOf(backend.store, split, 'rocAuc', {
      hours: [],
      paired: false,
      piece: 'day',
    });
    const own = await backend.store.performanceCounts({ ...key, model: 'split0' }, 'day');
    for (const [i, start] of starts.entries())
      near(unpaired.get(start)?.champion, own[i]?.ranking?.auc ?? undefined);
  });

  it('counts rows that name no request, or one that another row names too', async () => {
    const models = versions.map((modelVersion) => ({ ...scoredModel('named', 'binary'), modelVersion }));
    for (const model of models) {
      const ids = [`a-v${model.modelVersion}`, 'other', `b-v${model.modelVersion}`];
      const rows = ids.map((id, i) => scoredPrediction(model, id, start + i, { prediction: 1, proba: 0.7 }));
      const again =
        model.modelVersion === '2'
          ? [scoredPrediction(model, 'b-v2', start + 9, { prediction: 0, proba: 0.2 }, { rowIndex: 1 })]
          : [];
      await backend.store.insertRows({
        predictions: [...rows, ...again],
        labels: [
          scoredLabel(model, `a-v${model.modelVersion}`, start + DAY_MS, model.modelVersion === '1' ? 1 : 0),
        ],
        rejected: [],
        token: `named ${model.modelVersion}`,
      });
      await backend.store.profileHours(model, [start]);
      await backend.store.measurePerformance(model, SETTING);
    }
    const pair = pairOf('named', 'binary');
    expect(await backend.store.namedRequests(pair, '1')).toEqual({
      predictions: 3,
      unnamed: 1,
      ambiguous: 0,
    });
    // A row of another index answers another part of the request.
    expect(await backend.store.namedRequests(pair, '2')).toEqual({
      predictions: 4,
      unnamed: 1,
      ambiguous: 0,
    });
    const [hour] = await backend.store.matchedHours(pair);
    expect(hour).toMatchObject({ requests: 2, classified: 2, labelled: 1, conflicting: 1, figures: {} });
  });

  it('leaves out a request that two rows of one version name by their tag', async () => {
    for (const modelVersion of versions) {
      const model = { ...scoredModel('tagged', 'binary'), modelVersion };
      const requests = modelVersion === '1' ? ['x', 'y', 'z'] : ['x', 'y', 'y'];
      await backend.store.insertRows({
        predictions: requests.map((request, i) =>
          scoredPrediction(
            model,
            `${modelVersion}/${i}`,
            start + i,
            { prediction: 1, proba: 0.7 },
            { tags: { names: ['request'], values: [request] } },
          ),
        ),
        labels: [],
        rejected: [],
        token: `tagged ${modelVersion}`,
      });
      await backend.store.profileHours(model, [start]);
      await backend.store.measurePerformance(model, { ...SETTING, requestId: 'tags.request' });
    }
    const pair = pairOf('tagged', 'binary');
    expect(await backend.store.namedRequests(pair, '2')).toMatchObject({ unnamed: 0, ambiguous: 2 });
    expect((await backend.store.matchedHours(pair)).map(({ requests }) => requests)).toEqual([1]);
  });
});
