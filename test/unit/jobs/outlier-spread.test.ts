import { describe, expect, it } from '@jest/globals';
import type { Reference } from '../../../src/domain/reference.js';
import type { Verdict } from '../../../src/domain/verdict.js';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { createOutlierSpreads } from '../../../src/jobs/outlier-spread.js';
import { fitForestModel } from '../../../src/stats/forest-model.js';
import { createRandom } from '../../../src/stats/random.js';
import { verdict } from '../../support/entities.js';

const random = createRandom(4);
const rows = Array.from({ length: 1_200 }, () => [random()]);
const columns = [{ name: 'x', kind: 'numeric' as const }];
const timeless: Reference = {
  model: 'churn',
  modelVersion: '3',
  hash: 'h',
  rows: 1_200,
  period: null,
  provenance: 'test',
  createdAtMs: 0,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  forest: null,
};
const FROM = Date.UTC(2026, 0, 1);
const day = (at: number) => ({ startMs: FROM + at * DAY_MS, endMs: FROM + (at + 1) * DAY_MS });
const learned: Reference = {
  ...timeless,
  nullModel: {
    kind: 'temporal',
    pieceMs: DAY_MS,
    spreads: [],
    learned: { startMs: FROM, endMs: FROM + 14 * DAY_MS },
  },
};
/** Every fourth day has 12 % outliers, the others 1 %. */
const ofDay = (at: number, overrides: Partial<Verdict> = {}): Verdict => ({
  ...verdict('', day(at)),
  detector: 'isolationForest',
  category: 'outliers',
  referenceHash: 'h',
  currentRows: 300,
  statistic: at % 4 === 0 ? 0.12 : 0.01,
  ...overrides,
});

describe('how much windows differ in outliers', () => {
  it('is told by the pieces of a reference that has times, and by nothing where it has none', async () => {
    const timestampsMs = rows.map((_, i) => Math.floor(i / 40) * DAY_MS);
    const spreads = createOutlierSpreads({ listVerdicts: () => Promise.reject(new Error('nobody asks')) });
    const timed = await fitForestModel(columns, rows, {
      seed: 1,
      trees: 20,
      time: { timestampsMs, pieceMs: DAY_MS },
    });
    expect(await spreads(timeless, timed, day(20))).toMatchObject({ pieces: 30 });
    const untimed = await fitForestModel(columns, rows, { seed: 1, trees: 20 });
    expect(await spreads(timeless, untimed, day(20))).toBeNull();
  });

  it('is learned from the windows that the null was learned from, end to end, once', async () => {
    let asked = 0;
    const verdicts = [
      ...Array.from({ length: 14 }, (_, at) => ofDay(at)),
      // Of another reference, of another length, between two days, and undecided.
      ofDay(3, { referenceHash: 'other', statistic: 1 }),
      ofDay(3, { window: { startMs: FROM, endMs: FROM + HOUR_MS }, statistic: 1 }),
      ofDay(3, { window: { startMs: FROM + HOUR_MS, endMs: FROM + HOUR_MS + DAY_MS }, statistic: 1 }),
      ofDay(5, { statistic: null }),
    ];
    const spreads = createOutlierSpreads({
      listVerdicts: async (query) => {
        asked += 1;
        expect(query).toMatchObject({ window: learned.nullModel.learned, detector: 'isolationForest' });
        return verdicts;
      },
    });
    const forest = await fitForestModel(columns, rows, { seed: 1, trees: 20 });
    const spread = await spreads(learned, forest, day(20));
    expect(spread).toMatchObject({ feature: '', detector: 'isolationForest', pieces: 14 });
    expect(spread?.excess).toBeGreaterThan(0.05);
    expect(await spreads(learned, forest, day(21))).toBe(spread);
    expect(asked).toBe(1);
  });

  it('is unknown with fewer than ten of them, and asked for again', async () => {
    let asked = 0;
    const spreads = createOutlierSpreads({
      listVerdicts: async () => {
        asked += 1;
        return Array.from({ length: 9 }, (_, at) => ofDay(at));
      },
    });
    const forest = await fitForestModel(columns, rows, { seed: 1, trees: 20 });
    expect(await spreads(learned, forest, day(20))).toBeNull();
    expect(await spreads(learned, forest, day(20))).toBeNull();
    expect(asked).toBe(2);
  });
});
