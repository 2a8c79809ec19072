import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../src/domain/model.js';
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
          return { row, score: index / 1_000, flagged: index % 10 === 0 };
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

  it('counts a window and lists the strangest first, by pages', async () => {
    const all = { startMs: 0, endMs: END_OF_TIME_MS };
    expect(await store.outlierCounts(model, all)).toEqual({ scored: 170, flagged: 17 });
    expect(await store.outlierCounts(model, { startMs: start, endMs: start + HOUR_MS })).toEqual({
      scored: 60,
      flagged: 6,
    });
    const page = await store.listOutliers({ ...model, limit: 2, offset: 1 });
    expect(page.map((outlier) => [outlier.predictionId, outlier.score])).toEqual([
      ['p150', 0.15],
      ['p140', 0.14],
    ]);
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
});
