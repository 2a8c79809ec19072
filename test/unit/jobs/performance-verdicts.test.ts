import { describe, expect, it } from '@jest/globals';
import type { PerformanceBaseline, PerformanceCounts } from '../../../src/domain/performance.js';
import { PRODUCTION } from '../../../src/domain/ports.js';
import type { NullModel, Reference } from '../../../src/domain/reference.js';
import { type Segment, segmentScope } from '../../../src/domain/segment.js';
import { createPerformanceJudge } from '../../../src/jobs/performance-verdicts.js';
import { scoredModel } from '../../support/performance-rows.js';

const model = scoredModel('m', 'multiclass');
const window = { startMs: 0, endMs: 86_400_000 };
const PRO: Segment = { column: 'plan', value: 'pro' };
const FREE: Segment = { column: 'plan', value: 'free' };
const IID: NullModel = { kind: 'iid', pieceMs: 0, spreads: [] };

const accuracy = (value: number): PerformanceBaseline[] => [
  { figure: 'accuracy', value, variance: 1e-6, rows: 10_000, spread: null },
];
const reference: Reference = {
  model: 'm',
  modelVersion: '1',
  hash: 'h',
  rows: 10_000,
  period: null,
  provenance: 'test',
  createdAtMs: 0,
  nullModel: IID,
  forest: null,
  performance: accuracy(0.8),
  segments: [
    { segment: PRO, rows: 1_000, nullModel: IID, performance: accuracy(0.9) },
    // Of before, or without labels.
    { segment: FREE, rows: 9_000, nullModel: IID },
  ],
};

const counts = (predictions: number, labelled: number, correct: number): PerformanceCounts => ({
  window,
  predictions,
  labelled,
  delays: [],
  confusion: [],
  classified: labelled,
  correct,
  ranking: null,
  calibration: [],
  moments: {},
});

function judgeOf(stored: Readonly<Record<string, PerformanceCounts>>) {
  const judge = createPerformanceJudge({
    store: {
      performanceCounts: async ({ scope }) => {
        const found = stored[scope];
        return found === undefined ? [] : [found];
      },
    },
    setting: () => ({ minimumMaturity: 0.8 }),
  });
  return (own = reference) => judge(model, own, window, 0.01, [PRO, FREE]);
}
const ofPro = segmentScope(PRODUCTION, PRO);

describe('verdicts on performance by segment', () => {
  it('find a segment that has become worse where the whole has not', async () => {
    const [whole, pro, ...others] = await judgeOf({
      [PRODUCTION]: counts(1_000, 1_000, 790),
      [ofPro]: counts(100, 100, 70),
    })();
    expect(others).toEqual([]);
    expect(whole).toMatchObject({ status: 'stable', currentRows: 1_000 });
    expect(whole).not.toHaveProperty('segment');
    expect(pro).toMatchObject({
      segment: PRO,
      detector: 'accuracy',
      category: 'performance',
      status: 'drifted',
      material: true,
      currentRows: 100,
      parameters: { referenceValue: 0.9, value: 0.7, predictions: 100, labelled: 100 },
    });
  });

  it('wait for the labels of the whole window, and for their own', async () => {
    const early = await judgeOf({
      [PRODUCTION]: counts(1_000, 100, 70),
      [ofPro]: counts(100, 100, 70),
    })();
    expect(early.map(({ status, reason }) => [status, reason])).toEqual([
      ['undecided', 'labels_immature'],
      ['undecided', 'labels_immature'],
    ]);
    const late = await judgeOf({ [PRODUCTION]: counts(1_000, 900, 720), [ofPro]: counts(100, 10, 2) })();
    expect(late.map(({ status, reason }) => [status, reason])).toEqual([
      ['stable', null],
      ['undecided', 'labels_immature'],
    ]);
  });

  it('say that a segment has no rows, and nothing of one that the reference does not know', async () => {
    const stored = { [PRODUCTION]: counts(1_000, 1_000, 800) };
    expect((await judgeOf(stored)()).map(({ reason }) => reason)).toEqual([null, 'no_data']);
    const { segments: _, ...without } = reference;
    expect(await judgeOf(stored)(without)).toHaveLength(1);
  });
});
