import { describe, expect, it } from '@jest/globals';
import { fitOutlierSpread, judgeOutlierShare } from '../../../src/detectors/isolation-forest.js';
import { outcomesOf } from '../../../src/detectors/window-outcomes.js';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { NullModel, Reference, TemporalSpread } from '../../../src/domain/reference.js';
import { type ForestModel, fitForestModel } from '../../../src/stats/forest-model.js';
import { createRandom } from '../../../src/stats/random.js';
import { scoreForestRows } from '../../support/score-rows.js';

const model: ModelVersion = {
  model: 'churn',
  modelVersion: '3',
  schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
  registeredAtMs: 0,
};
const reference: Reference = {
  model: 'churn',
  modelVersion: '3',
  hash: 'abc',
  rows: 3_000,
  period: null,
  provenance: 'test',
  createdAtMs: 0,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  forest: null,
};
const window = { startMs: 0, endMs: 3_600_000 };

function rows(count: number, seed: number): number[][] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => [random() + random() + random() + random()]);
}

const forest = await fitForestModel(model.schema.features, rows(3_000, 1), {
  seed: 5,
  trees: 30,
  time: { timestampsMs: Array.from({ length: 3_000 }, (_, i) => i), pieceMs: 100 },
});

function judge(
  scored: number,
  flagged: number,
  options: Partial<Parameters<typeof judgeOutlierShare>[0]> = {},
) {
  return judgeOutlierShare({ model, window, reference, forest, scored, flagged, spread: null, ...options });
}

describe('judgeOutlierShare', () => {
  it('is stable when the share is that of the reference', () => {
    const verdict = judge(1_000, 10);
    expect(verdict).toMatchObject({
      model: 'churn',
      modelVersion: '3',
      feature: '',
      detector: 'isolationForest',
      category: 'outliers',
      role: 'primary',
      status: 'stable',
      reason: null,
      material: false,
      statistic: 0.01,
      null: 'iid',
      designEffect: 1,
      referenceRows: 3_000,
      currentRows: 1_000,
      referenceHash: 'abc',
      seed: 5,
      minimumEffect: 0.01,
      adjustedPValue: null,
    });
    expect(verdict.effect?.low).toBeLessThan(0);
    expect(verdict.effect?.high).toBeGreaterThan(0);
  });

  it('turns drifted exactly at its threshold', () => {
    const threshold = judge(1_000, 0).threshold as number;
    const critical = Math.round(threshold * 1_000);
    expect(judge(1_000, critical)).toMatchObject({ status: 'drifted', threshold });
    expect(judge(1_000, critical - 1)).toMatchObject({ status: 'stable', threshold });
    expect(judge(1_000, critical).smallestVisibleEffect).toBeCloseTo(threshold - 0.01, 12);
    expect(judge(1_000, critical, { level: 1e-6 }).status).toBe('stable');
  });

  it('is drifted but not material for a tiny excess in very many rows', () => {
    const big: ForestModel = { ...forest, rows: 1_000_000, flagged: 10_000, referenceShare: 0.01 };
    expect(judge(1_000_000, 12_000, { forest: big })).toMatchObject({ status: 'drifted', material: false });
    expect(judge(1_000_000, 20_000, { forest: big })).toMatchObject({ status: 'drifted', material: true });
    expect(judge(1_000_000, 12_000, { forest: big, minimumEffect: 0.001 }).material).toBe(true);
  });

  it('never alarms because outliers are fewer', () => {
    expect(judge(100_000, 0)).toMatchObject({ status: 'stable', material: false, pValue: 1 });
  });

  it('flags a window of rows that are unlike the reference, end to end', () => {
    const odd = rows(500, 2).map(([x]) => [(x as number) + 2]);
    const flagged = scoreForestRows(forest, odd).filter((score) => score > forest.threshold).length;
    expect(judge(500, flagged)).toMatchObject({ status: 'drifted', material: true });
    const alike = scoreForestRows(forest, rows(500, 3)).filter((score) => score > forest.threshold).length;
    expect(judge(500, alike).status).toBe('stable');
  });

  it('needs more under the temporal null, and says how much more', () => {
    const spread = { feature: '', detector: 'isolationForest', pieces: 28, excess: 0.08, shape: 0.4 };
    const iid = judge(900, 50);
    const temporal = judge(900, 50, { spread });
    expect(iid.status).toBe('drifted');
    expect(temporal).toMatchObject({ status: 'stable', null: 'temporal' });
    expect(temporal.threshold as number).toBeGreaterThan(iid.threshold as number);
    expect(temporal.designEffect).toBeCloseTo(1 + 0.08 * ((900 * 3_000) / 3_900), 10);
    expect(temporal.effectiveCurrentRows).toBeCloseTo(900 / temporal.designEffect, 10);
    expect((temporal.effect?.high ?? 0) - (temporal.effect?.low ?? 0)).toBeGreaterThan(
      (iid.effect?.high ?? 0) - (iid.effect?.low ?? 0),
    );
  });

  it("takes the forest's own spread when none is given", () => {
    const spread = fitOutlierSpread(forest);
    expect(spread).not.toBeNull();
    const own = judgeOutlierShare({ model, window, reference, forest, scored: 900, flagged: 20 });
    expect(own).toEqual(judge(900, 20, { spread }));
    expect(own.null).toBe('temporal');
  });

  it('decides nothing where windows differ by nobody knows how much, and says where its null comes from', () => {
    const of = (nullModel: NullModel, spread: TemporalSpread | null = null) =>
      judge(900, 50, { spread, reference: { ...reference, nullModel } });
    const temporal: NullModel = { kind: 'temporal', pieceMs: 1, spreads: [] };
    expect(of(temporal)).toMatchObject({
      status: 'undecided',
      reason: 'no_reference',
      statistic: expect.closeTo(50 / 900, 12),
      pValue: null,
    });
    const provisional = of({ ...reference.nullModel, provisional: true });
    expect(provisional).toMatchObject({ status: 'drifted', parameters: { nullProvisional: true } });
    expect(outcomesOf(model, window, [provisional])).toMatchObject([{ state: 'undecided' }]);
    const spread = { feature: '', detector: 'isolationForest', pieces: 14, excess: 0.001, shape: 1 };
    expect(of({ ...temporal, learned: { startMs: 0, endMs: 86_400_000 } }, spread)).toMatchObject({
      status: 'drifted',
      parameters: { nullLearnedUntil: '1970-01-02T00:00:00.000Z', pieces: 14, effectivePieces: 14 },
    });
  });

  it('is undecided without rows, without splits, and where no share could be seen', async () => {
    expect(judge(0, 0)).toMatchObject({
      status: 'undecided',
      reason: 'no_data',
      statistic: null,
      pValue: null,
    });
    const constant = await fitForestModel(
      model.schema.features,
      Array.from({ length: 50 }, () => [1]),
      { seed: 1, trees: 5 },
    );
    expect(judge(10, 0, { forest: constant })).toMatchObject({
      status: 'undecided',
      reason: 'constant_column',
      pValue: null,
    });
    expect(judge(1, 1, { level: 0.001 })).toMatchObject({
      status: 'undecided',
      reason: 'not_visible_at_window_length',
      statistic: 1,
      pValue: null,
      threshold: null,
    });
  });

  it('gives the same verdict for the same input, byte for byte, and no NaN', () => {
    for (const [scored, flagged] of [
      [0, 0],
      [1, 1],
      [700, 3],
    ] as const) {
      const text = JSON.stringify(judge(scored, flagged));
      expect(JSON.stringify(judge(scored, flagged))).toBe(text);
      expect(Object.values(judge(scored, flagged)).some(Number.isNaN)).toBe(false);
    }
  });
});

describe('fitOutlierSpread', () => {
  it("reads the forest's pieces; null without them", () => {
    expect(forest.pieces).toHaveLength(30);
    expect(fitOutlierSpread(forest)).toMatchObject({ feature: '', detector: 'isolationForest', pieces: 30 });
    expect(fitOutlierSpread({ ...forest, pieces: [] })).toBeNull();
  });
});
