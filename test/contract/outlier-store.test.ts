import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { forestColumns, type ModelVersion } from '../../src/domain/model.js';
import type { OutlierCursor, OutlierQuery, OutlierRecord } from '../../src/domain/outlier-ports.js';
import type { Store } from '../../src/domain/ports.js';
import { NO_VALUES, type PredictionRow } from '../../src/domain/prediction.js';
import { END_OF_TIME_MS, HOUR_MS } from '../../src/domain/window.js';
import { createLogger } from '../../src/logger.js';
import { createStore } from '../../src/store/store.js';
import { named } from '../support/rows.js';

const model: ModelVersion = {
  model: 'm',
  modelVersion: '1',
  schema: {
    task: 'binary',
    features: [
      { name: 'x', kind: 'numeric' },
      { name: '__proto__', kind: 'categorical' },
    ],
  },
  registeredAtMs: 0,
};
const columns = ['x', '__proto__', 'prediction', 'prediction_proba'];
const start = Date.UTC(2026, 0, 1);
const schemaOf = forestColumns(model.schema);
/** Not exact in binary, and the same for two flagged rows each. */
const scoreOf = (index: number) => (20 * Math.floor(index / 20) + 1) / 1_000 / 3;

function row(index: number): PredictionRow {
  return {
    model: 'm',
    modelVersion: '1',
    predictionId: `p${index}`,
    rowIndex: 0,
    timestampMs: start + index * 60_000,
    numeric: named(index % 5 === 0 ? [] : [['x', index === 1 ? Number.POSITIVE_INFINITY : index / 10]]),
    categorical: named([['__proto__', `c${index}`]]),
    prediction: index % 2,
    proba: index % 3 === 0 ? null : 0.5,
    probas: NO_VALUES,
    latencyMs: null,
    tags: NO_VALUES,
    source: { kind: 'http', topic: '', partition: -1, offset: -1 },
  };
}

describe('the outlier store on the embedded engine', () => {
  let directory = '';
  let store: Store;
  /** Stamps the rows. */
  let wallMs = Date.now();
  const open = () =>
    createStore({
      kind: 'embedded',
      dataDir: directory,
      logger: createLogger({ level: 'silent' }),
      wallClock: () => wallMs,
    });
  const insert = (from: number, to: number) =>
    store.insertRows({
      predictions: Array.from({ length: to - from }, (_, i) => row(from + i)),
      labels: [],
      rejected: [],
      token: `${from}-${to}`,
    });
  const register = (hash: string) =>
    store.saveReference({
      model: 'm',
      modelVersion: '1',
      hash,
      rows: 1,
      period: null,
      provenance: 'test',
      createdAtMs: 0,
      nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
      forest: null,
    });

  /** Scores everything by pages, flagging each tenth row, and tells how many rows came. */
  async function scoreAll(hash: string, pageRows = 30): Promise<number> {
    let scored = 0;
    for (;;) {
      const page = await store.unscoredRows(model, columns, pageRows);
      if (page.length === 0) return scored;
      scored += page.length;
      await store.saveScores(
        model,
        hash,
        page.map((row) => {
          const index = Number(row.predictionId.slice(1));
          const flagged = index % 10 === 0;
          const reasons = [
            { feature: index % 20 === 0 ? 'x' : '__proto__', contribution: 0.5 },
            { feature: 'prediction', contribution: 0.1 + 0.2 },
          ];
          return { row, score: scoreOf(index), flagged, reasons: flagged ? reasons : [] };
        }),
      );
    }
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-outliers-'));
    store = await open();
    await store.migrate();
    await register('h1');
    await insert(0, 100);
  });
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('gives rows in the order of the columns, null where nothing is', async () => {
    const rows = await store.unscoredRows(model, columns, 1_000);
    const values = new Map(rows.map((r) => [r.predictionId, r.values]));
    expect(values.get('p0')).toEqual([null, 'c0', '0', null]);
    expect(values.get('p1')).toEqual([Number.POSITIVE_INFINITY, 'c1', '1', 0.5]);
    expect(values.get('p7')).toEqual([0.7, 'c7', '1', 0.5]);
  });

  it('gives each row once, page by page, also those that come later, also after a restart', async () => {
    expect(await scoreAll('h1')).toBe(100);
    await insert(100, 150);
    expect(await scoreAll('h1')).toBe(50);
    await store.close();
    store = await open();
    await store.migrate();
    expect(await scoreAll('h1')).toBe(0);
    await insert(150, 160);
    expect(await scoreAll('h1')).toBe(10);
  });

  it('gives a page again when its scores were not saved', async () => {
    await insert(160, 170);
    const first = await store.unscoredRows(model, columns, 5);
    expect(await store.unscoredRows(model, columns, 5)).toEqual(first);
    expect(await scoreAll('h1')).toBe(10);
  });

  it('counts a window', async () => {
    const all = { startMs: 0, endMs: END_OF_TIME_MS };
    expect(await store.outlierCounts(model, all)).toEqual({ scored: 170, flagged: 17 });
    expect(await store.outlierCounts(model, { startMs: start, endMs: start + HOUR_MS })).toEqual({
      scored: 60,
      flagged: 6,
    });
  });

  describe('listing', () => {
    const all = { startMs: 0, endMs: END_OF_TIME_MS };
    const list = (query: Partial<OutlierQuery> = {}) =>
      store.listOutliers(model, schemaOf, { window: all, limit: 100, ...query });
    const ids = async (query: Partial<OutlierQuery>) =>
      (await list(query)).outliers.map((outlier) => outlier.predictionId);

    it('gives the strangest first, with the values of the row and what isolated it', async () => {
      const { outliers, next } = await list();
      expect(outliers).toHaveLength(17);
      expect(next).toBeNull();
      expect(outliers[0]).toEqual({
        model: 'm',
        modelVersion: '1',
        predictionId: 'p160',
        rowIndex: 0,
        timestampMs: start + 160 * 60_000,
        score: scoreOf(160),
        reasons: [
          { feature: 'x', contribution: 0.5 },
          { feature: 'prediction', contribution: 0.1 + 0.2 },
        ],
        values: Object.fromEntries([
          ['x', null],
          ['__proto__', 'c160'],
          ['prediction', '0'],
          ['prediction_proba', 0.5],
        ]),
      });
      expect(Object.hasOwn(outliers[0]?.values ?? {}, '__proto__')).toBe(true);
    });

    it('goes through all of them by pages of any size, rows of the same score too', async () => {
      const { outliers } = await list();
      // Two of each score: only time tells them apart.
      expect(new Set(outliers.map(({ score }) => score)).size).toBe(9);
      for (const limit of [1, 2, 5, 16, 17]) {
        const seen: OutlierRecord[] = [];
        let after: OutlierCursor | undefined;
        do {
          const page = await list({ limit, after });
          expect(page.outliers.length).toBeLessThanOrEqual(limit);
          seen.push(...page.outliers);
          after = page.next ?? undefined;
        } while (after !== undefined);
        expect(seen).toEqual(outliers);
      }
    });

    it('filters by event time, by score and by the feature that isolated most', async () => {
      const window = { startMs: start + 20 * 60_000, endMs: start + 50 * 60_000 };
      expect(await ids({ window })).toEqual(['p40', 'p20', 'p30']);
      expect(await ids({ minScore: scoreOf(140) })).toEqual(['p160', 'p140', 'p150']);
      expect(await ids({ feature: '__proto__', minScore: scoreOf(120) })).toEqual(['p150', 'p130']);
      expect(await ids({ feature: 'prediction' })).toEqual([]);
    });
  });

  it('finds a row that became visible after later ones were scored, whatever the clocks say', async () => {
    const before = wallMs;
    wallMs += 40 * 60_000;
    await insert(170, 180);
    expect(await scoreAll('h1')).toBe(10);
    wallMs = before + 1;
    await insert(180, 182);
    expect(await scoreAll('h1')).toBe(2);
    // A machine whose clock is two days ahead.
    wallMs += 2 * 86_400_000;
    await insert(182, 190);
    expect(await scoreAll('h1')).toBe(8);
    expect(await scoreAll('h1')).toBe(0);
  });

  it('scores everything anew under a new reference', async () => {
    await register('h2');
    expect((await store.outlierCounts(model, { startMs: 0, endMs: END_OF_TIME_MS })).scored).toBe(0);
    expect(await scoreAll('h2', 1_000)).toBe(190);
  });

  it('gives each of several versions that ask together its own rows', async () => {
    const others = ['other', 'third', 'without rows'].map((name) => ({ ...model, model: name }));
    for (const [at, { model: name }] of others.slice(0, 2).entries())
      await store.insertRows({
        predictions: Array.from({ length: 20 + at }, (_, i) => ({ ...row(at + i), model: name })),
        labels: [],
        rejected: [],
        token: name,
      });
    await scoreAll('h2');
    wallMs += 1_000;
    await insert(300, 310);
    const versions = [model, ...others];
    // The third has more rows than its page may have, and gets them by itself.
    const limits = [30, 30, 15, 30];
    const ask = () =>
      Promise.all(versions.map((each, at) => store.unscoredRows(each, columns, limits[at] ?? 0)));
    const pages = await ask();
    const idsOf = (page: (typeof pages)[number]) => page.map(({ predictionId }) => predictionId);
    const numbered = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => `p${from + i}`);
    expect(new Set(idsOf(pages[0] ?? []))).toEqual(new Set(numbered(300, 310)));
    expect(new Set(idsOf(pages[1] ?? []))).toEqual(new Set(numbered(0, 20)));
    expect(pages[2]).toHaveLength(15);
    expect(pages[3]).toEqual([]);
    const scored = (page: (typeof pages)[number]) =>
      page.map((each) => ({ row: each, score: 0.5, flagged: false, reasons: [] }));
    await Promise.all(
      versions.map((each, at) =>
        store.saveScores(each, each.model === 'm' ? 'h2' : '', scored(pages[at] ?? [])),
      ),
    );
    const rest = await ask();
    expect(rest.map((page) => page.length)).toEqual([0, 0, 6, 0]);
    expect(new Set([...idsOf(pages[2] ?? []), ...idsOf(rest[2] ?? [])])).toEqual(new Set(numbered(1, 22)));
  });
});
