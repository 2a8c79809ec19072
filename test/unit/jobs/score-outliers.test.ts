import { describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { ScoredRow } from '../../../src/domain/outlier-ports.js';
import type { FeatureRow } from '../../../src/domain/ports.js';
import type { Reference } from '../../../src/domain/reference.js';
import { createOutlierScorer } from '../../../src/jobs/score-outliers.js';
import { serialiseForest } from '../../../src/stats/forest-codec.js';
import { encodeRows } from '../../../src/stats/forest-encoding.js';
import { explainRows } from '../../../src/stats/forest-explanation.js';
import { fitForestModel } from '../../../src/stats/forest-model.js';
import { explainForest, type ScoreInput, scoreForest } from '../../../src/stats/forest-parts.js';
import { createRandom } from '../../../src/stats/random.js';
import { scoreForestRows } from '../../support/score-rows.js';
import { createSilentLogger } from '../../support/silent-logger.js';
import { until } from '../../support/until.js';

const model: ModelVersion = {
  model: 'churn',
  modelVersion: '3',
  schema: {
    task: 'binary',
    features: [
      { name: 'age', kind: 'numeric' },
      { name: 'plan', kind: 'categorical' },
    ],
  },
  registeredAtMs: 0,
};

function values(count: number, seed: number): (number | string | null)[][] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, i) => [
    i % 50 === 0 ? 90 * random() : random(),
    random() < 0.9 ? 'basic' : null,
  ]);
}

const forest = await fitForestModel(model.schema.features, values(1_000, 1), { seed: 1, trees: 20 });
const reference: Reference = {
  model: 'churn',
  modelVersion: '3',
  hash: 'abc',
  rows: 1_000,
  period: null,
  provenance: 'test',
  createdAtMs: 0,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  forest: serialiseForest(forest),
};

type Saved = ScoredRow;

/** Rows of one version, with what was saved about them. `lag` hides the last saves from the next reads. */
function createFakeStore(count: number, options: { lag?: boolean } = {}) {
  const rows: FeatureRow[] = values(count, 2).map((cells, i) => ({
    predictionId: `r${i}`,
    rowIndex: 0,
    timestampMs: i,
    ingestedAtMs: i,
    values: cells,
  }));
  const saved = new Map<string, Saved>();
  const asked: { columns: readonly string[]; limit: number }[] = [];
  const hashes = new Set<string>();
  return {
    rows,
    saved,
    asked,
    hashes,
    async unscoredRows(_model: ModelVersion, columns: readonly string[], limit: number) {
      asked.push({ columns, limit });
      return rows.filter((row) => options.lag || !saved.has(row.predictionId)).slice(0, limit);
    },
    async saveScores(_key: object, referenceHash: string, scored: readonly Saved[]) {
      hashes.add(referenceHash);
      for (const entry of scored) saved.set(entry.row.predictionId, entry);
    },
  };
}

const HERE = {
  scoreForest: async (input: () => ScoreInput) => scoreForest(input()),
  explainForest: async (input: () => ScoreInput) => explainForest(input()),
};

describe('createOutlierScorer', () => {
  it('scores every row once, page by page, and flags those above the threshold', async () => {
    const store = createFakeStore(5_300);
    const scorer = createOutlierScorer({
      store,
      logger: createSilentLogger(),
      ...HERE,
      pageRows: 2_500,
    });
    const counts = await scorer.score(model, reference);
    expect(store.asked).toEqual(new Array(4).fill({ columns: ['age', 'plan'], limit: 2_500 }));
    expect(store.hashes).toEqual(new Set(['abc']));
    const expected = scoreForestRows(
      forest,
      store.rows.map((row) => row.values),
    );
    expect(store.rows.map((row) => store.saved.get(row.predictionId)?.score)).toEqual([...expected]);
    const flagged = [...store.saved.values()].filter((entry) => entry.flagged);
    expect(flagged.every((entry) => entry.score > forest.threshold)).toBe(true);
    expect(flagged.length).toBeGreaterThan(20);
    expect(counts).toEqual({ scored: 5_300, flagged: flagged.length });
    expect(await scorer.score(model, reference)).toEqual({ scored: 0, flagged: 0 });
  });

  it('says of each flagged row what isolated it, largest first, and of no other', async () => {
    const store = createFakeStore(3_000);
    const scorer = createOutlierScorer({ store, logger: createSilentLogger(), ...HERE, pageRows: 700 });
    await scorer.score(model, reference);
    const saved = [...store.saved.values()];
    expect(saved.filter(({ flagged, reasons }) => !flagged && reasons.length > 0)).toEqual([]);
    const flagged = saved.filter((entry) => entry.flagged);
    for (const { row, reasons } of flagged) {
      const matrix = encodeRows(forest.encoding, [row.values]);
      const parts = [...explainRows(forest, matrix, 1)];
      expect(reasons.map(({ contribution }) => contribution)).toEqual(
        parts.filter((part) => part > 0).sort((a, b) => b - a),
      );
      for (const { feature, contribution } of reasons)
        expect(contribution).toBe(parts[feature === 'age' ? 0 : 1]);
    }
    // Every fiftieth row has an age of up to 90 among ages below 1.
    const byAge = flagged.filter(({ reasons }) => reasons[0]?.feature === 'age');
    expect(byAge.length).toBeGreaterThan(40);
  });

  it('scores nothing without a forest', async () => {
    const store = createFakeStore(10);
    const scorer = createOutlierScorer({ store, logger: createSilentLogger(), ...HERE });
    expect(await scorer.score(model, { ...reference, forest: null })).toEqual({ scored: 0, flagged: 0 });
    expect(store.asked).toEqual([]);
  });

  it('hands a page out in slices of 40,000 values, made only when a thread asks for them', async () => {
    const store = createFakeStore(48_000);
    const asked: (() => ScoreInput)[] = [];
    const answers: ((scores: Float64Array) => void)[] = [];
    const scorer = createOutlierScorer({
      store,
      logger: createSilentLogger(),
      ...HERE,
      pageRows: 48_000,
      scoreForest: (input) => {
        asked.push(input);
        return new Promise((resolve) => {
          answers.push(resolve);
        });
      },
    });
    const scoring = scorer.score(model, reference);
    await until(() => asked.length === 3);
    const inputs = asked.map((make) => make());
    expect(inputs.map(({ rows }) => rows)).toEqual([20_000, 20_000, 8_000]);
    expect(inputs.map(({ matrix }) => matrix.length)).toEqual([40_000, 40_000, 16_000]);
    // In any order: each slice's scores find their rows.
    for (const slice of [2, 0, 1]) answers[slice]?.(scoreForest(inputs[slice] as ScoreInput));
    expect((await scoring).scored).toBe(48_000);
    for (const row of [0, 19_999, 20_000, 47_999])
      expect(store.saved.get(`r${row}`)?.score).toBe(
        scoreForestRows(forest, [store.rows[row]?.values ?? []])[0],
      );
  });

  it('asks for pages that hold 150,000 values, of 8,000 rows at most', async () => {
    const wide = Array.from({ length: 50 }, (_, i) => ({ name: `f${i}`, kind: 'numeric' as const }));
    const wideRows = Array.from({ length: 20 }, (_, row) => wide.map((_column, i) => row * i));
    const text = serialiseForest(await fitForestModel(wide, wideRows, { seed: 1, trees: 2 }));
    const store = createFakeStore(0);
    const scorer = createOutlierScorer({ store, logger: createSilentLogger(), ...HERE });
    await scorer.score(model, reference);
    await scorer.score(model, { ...reference, hash: 'wide', forest: text });
    expect(store.asked.map(({ limit }) => limit)).toEqual([8_000, 3_000]);
  });

  it('passes an error of a thread on, and saves nothing of the page', async () => {
    const store = createFakeStore(10);
    const scorer = createOutlierScorer({
      store,
      logger: createSilentLogger(),
      ...HERE,
      scoreForest: () => Promise.reject(new RangeError('row 3, column 1 is NaN')),
    });
    await expect(scorer.score(model, reference)).rejects.toThrow('row 3, column 1 is NaN');
    expect(store.saved.size).toBe(0);
  });

  it('stops with a warning when saved scores do not become visible', async () => {
    const logger = createSilentLogger();
    const store = createFakeStore(30, { lag: true });
    const scorer = createOutlierScorer({ store, logger, ...HERE, pageRows: 10 });
    expect((await scorer.score(model, reference)).scored).toBe(10);
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('not visible yet') }),
    );
  });

  it('passes a failure of the store on, and takes up the rest afterwards', async () => {
    const store = createFakeStore(50);
    let calls = 0;
    const failing = {
      ...store,
      saveScores: async (...args: Parameters<typeof store.saveScores>) => {
        calls++;
        if (calls === 2) throw new Error('disk full');
        await store.saveScores(...args);
      },
    };
    const scorer = createOutlierScorer({
      store: failing,
      logger: createSilentLogger(),
      ...HERE,
      pageRows: 20,
    });
    await expect(scorer.score(model, reference)).rejects.toThrow('disk full');
    expect(store.saved.size).toBe(20);
    expect((await scorer.score(model, reference)).scored).toBe(30);
  });

  it('says what to do about a damaged forest', async () => {
    const scorer = createOutlierScorer({
      store: createFakeStore(1),
      logger: createSilentLogger(),
      ...HERE,
    });
    await expect(scorer.score(model, { ...reference, hash: 'damaged', forest: '{}' })).rejects.toMatchObject({
      code: 'invalid_reference',
      message: expect.stringContaining('register its reference again'),
    });
  });

  it('uses the forest of each reference, however many there are', async () => {
    let store = createFakeStore(0);
    const scorer = createOutlierScorer({
      store: {
        unscoredRows: (...args) => store.unscoredRows(...args),
        saveScores: (...args) => store.saveScores(...args),
      },
      logger: createSilentLogger(),
      ...HERE,
    });
    // Twice through more references than are kept parsed.
    for (let i = 0; i < 24; i++) {
      const seed = i % 12;
      const other = await fitForestModel(model.schema.features, values(100, seed), { seed, trees: 3 });
      store = createFakeStore(3);
      await scorer.score(model, { ...reference, hash: `h${seed}`, forest: serialiseForest(other) });
      const rows = store.rows.map((row) => row.values);
      expect([...store.saved.values()].map((entry) => entry.score)).toEqual([
        ...scoreForestRows(other, rows),
      ]);
    }
  });
});
