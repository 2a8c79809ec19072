import { describe, expect, it } from '@jest/globals';
import { judgePerformance, type PerformanceInput } from '../../../src/detectors/performance-drop.js';
import { outcomesOf } from '../../../src/detectors/window-outcomes.js';
import type { PerformanceBaseline, PerformanceSample } from '../../../src/domain/performance.js';
import type { Reference } from '../../../src/domain/reference.js';
import { createNormal } from '../../../src/stats/normal-draws.js';
import { createRandom } from '../../../src/stats/random.js';
import { normalSf } from '../../../src/stats/special.js';
import { scoredModel } from '../../support/performance-rows.js';

const model = scoredModel('m', 'binary');
const window = { startMs: 0, endMs: 86_400_000 };
const reference: Reference = {
  model: 'm',
  modelVersion: '1',
  hash: 'h',
  rows: 10_000,
  period: null,
  provenance: 'test',
  createdAtMs: 0,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  forest: null,
};
const auc: PerformanceBaseline = {
  figure: 'rocAuc',
  value: 0.8,
  variance: 0.005 ** 2,
  rows: 10_000,
  spread: null,
};
const sampleOf = (value: number, sd = 0.015): PerformanceSample => ({
  figure: 'rocAuc',
  value,
  variance: sd * sd,
  rows: 800,
});

function judge(sample: PerformanceSample | null, overrides: Partial<PerformanceInput> = {}) {
  const [verdict] = judgePerformance({
    model,
    window,
    reference,
    baselines: [auc],
    samples: sample === null ? [] : [sample],
    reason: null,
    level: 0.01,
    counts: { predictions: 900, labelled: 800 },
    ...overrides,
  });
  if (verdict === undefined) throw new RangeError('no verdict');
  return verdict;
}

describe('a loss of performance', () => {
  it('is a drift of its own category where it is significant, and material from the least loss on', () => {
    const lost = judge(sampleOf(0.7));
    expect(lost).toMatchObject({ status: 'drifted', material: true, category: 'performance', feature: '' });
    expect(lost.statistic).toBeCloseTo(0.1, 12);
    expect(lost.effect?.value).toBeCloseTo(-0.1, 12);
    // Φ(−0.1 / √(0.015² + 0.005²)) = Φ(−6.3246)
    expect(lost.pValue).toBeCloseTo(1.27e-10, 12);
    expect(judge(sampleOf(0.78))).toMatchObject({ status: 'stable', material: false });
    expect(judge(sampleOf(0.76, 0.001))).toMatchObject({ status: 'drifted', material: false });
  });

  it('is never a gain', () => {
    const better = judge(sampleOf(0.95));
    expect(better).toMatchObject({ status: 'stable', material: false });
    expect(better.pValue).toBeGreaterThan(0.999);
  });

  it('of an error is a rise, relative to the reference’s', () => {
    const baseline: PerformanceBaseline = { ...auc, figure: 'meanAbsoluteError', value: 4, variance: 0.01 };
    const sample: PerformanceSample = { figure: 'meanAbsoluteError', value: 6, variance: 0.04, rows: 500 };
    const worse = judge(sample, { baselines: [baseline] });
    expect(worse).toMatchObject({ status: 'drifted', material: true, effect: { value: 0.5 } });
    expect(judge({ ...sample, value: 3 }, { baselines: [baseline] }).status).toBe('stable');
    // ln(6/4) over √(0.04/36 + 0.01/16)
    expect(judge({ ...sample, variance: 1 }, { baselines: [baseline] }).pValue).toBeCloseTo(
      normalSf(Math.log(1.5) / Math.sqrt(1 / 36 + 0.01 / 16)),
      12,
    );
    // As far beyond what it takes to alarm as the p-value is below the level.
    const edge = worse.threshold ?? 0;
    const own = { ...sample, value: 4 * (1 + edge), variance: 0.04 * ((1 + edge) / 1.5) ** 2 };
    expect(judge(own, { baselines: [baseline] }).pValue).toBeCloseTo(0.01, 12);
    // Ten pieces that differ by far, and are worth one: nothing is so large that it could be told.
    const wild = { pieces: 10, variance: 400, effectivePieces: 1.5 };
    const unseen = judge(sample, { baselines: [{ ...baseline, spread: wild }], level: 0.0001 });
    expect(unseen.reason).toBe('not_visible_at_window_length');
    const perfect = judge({ ...sample, value: 0, variance: 0 }, { baselines: [baseline] });
    expect(perfect).toMatchObject({ status: 'stable', pValue: 1, effect: { value: -1, low: -1, high: -1 } });
  });

  it('is undecided without labels, without rows of both classes, or where nothing could be seen', () => {
    expect(judge(sampleOf(0.7), { reason: 'labels_immature' })).toMatchObject({
      status: 'undecided',
      reason: 'labels_immature',
      statistic: expect.closeTo(0.1, 12),
      pValue: null,
    });
    expect(judge(null, { reason: 'no_data' }).reason).toBe('no_data');
    expect(judge(null).reason).toBe('too_few_rows');
    expect(judge(sampleOf(0.1, 0.5)).reason).toBe('not_visible_at_window_length');
    const temporal: Reference = { ...reference, nullModel: { kind: 'temporal', pieceMs: 1, spreads: [] } };
    expect(judge(sampleOf(0.7), { reference: temporal }).reason).toBe('no_reference');
  });

  it('needs more where the reference’s pieces last, which are few independent ones then', () => {
    const spread = { pieces: 28, variance: 0.0004 };
    const judged = (own: typeof spread & { effectivePieces?: number; autocorrelation?: number }) =>
      judge(sampleOf(0.72), { baselines: [{ ...auc, spread: own }] });
    const own = judged(spread);
    expect(own).toMatchObject({ status: 'drifted', parameters: { effectivePieces: 28, autocorrelation: 0 } });
    const lasting = judged({ ...spread, effectivePieces: 6, autocorrelation: 0.8 });
    expect(lasting).toMatchObject({
      status: 'stable',
      parameters: { effectivePieces: 6, autocorrelation: 0.8 },
    });
    expect(lasting.designEffect).toBeGreaterThan(own.designEffect);
    // One degree of freedom at least: at the level of 1 % no loss could be seen with it, at 20 % this one is.
    const short = { ...spread, effectivePieces: 1.5 };
    expect(judged(short).reason).toBe('not_visible_at_window_length');
    expect(judge(sampleOf(0.72), { baselines: [{ ...auc, spread: short }], level: 0.2 }).status).toBe(
      'drifted',
    );
  });

  it('opens nothing by a null that is provisional', () => {
    const verdict = judge(sampleOf(0.5), {
      reference: { ...reference, nullModel: { ...reference.nullModel, provisional: true } },
    });
    expect(outcomesOf(model, window, [verdict])).toMatchObject([
      { category: 'performance', state: 'undecided' },
    ]);
  });

  it('of windows that differ as much as the reference’s pieces is flagged at its level, or less often', () => {
    const normal = createNormal(createRandom(17));
    const between = 0.02;
    const pieces = 12;
    const windows = 400;
    const level = 0.05;
    let flagged = 0;
    for (let round = 0; round < 40; round++) {
      const states = Array.from({ length: pieces }, () => 0.8 + between * normal());
      const mean = states.reduce((sum, state) => sum + state, 0) / pieces;
      const variance = states.reduce((sum, state) => sum + (state - mean) ** 2, 0) / (pieces - 1);
      const baseline = { ...auc, value: mean, variance: 1e-6, spread: { pieces, variance } };
      for (let at = 0; at < windows; at++) {
        const sample = sampleOf(0.8 + between * normal() + 0.01 * normal(), 0.01);
        if (judge(sample, { baselines: [baseline], level }).status === 'drifted') flagged += 1;
      }
    }
    const rate = flagged / (40 * windows);
    expect(rate).toBeLessThan(0.065);
    expect(rate).toBeGreaterThan(0.02);
  });
});
