import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Profile } from '../../../src/domain/profile.js';
import type { Reference } from '../../../src/domain/reference.js';
import { DAY_MS } from '../../../src/domain/window.js';
import { createEstimateGauges } from '../../../src/jobs/estimate-gauges.js';
import { gridOf, profileOf } from '../../support/count-profiles.js';
import { verdict } from '../../support/entities.js';
import { scoredModel } from '../../support/performance-rows.js';

const MODEL = scoredModel('churn', 'binary');
const SCORES = [0.1, 0.1, 0.1, 0.9];
const GRIDS = [
  gridOf('prediction', 'categorical', ['0', '0', '0', '1']),
  gridOf('prediction_proba', 'numeric', SCORES),
];
const REFERENCE: Reference = {
  model: MODEL.model,
  modelVersion: MODEL.modelVersion,
  hash: 'h',
  rows: 4,
  period: null,
  provenance: 'test',
  createdAtMs: 0,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  forest: null,
  estimator: {
    task: 'binary',
    rows: 400,
    positiveClass: '1',
    calibration: { first: [0.1, 0.9], last: [0.1, 0.9], mean: [0.2, 0.7], rows: [300, 100] },
    thresholded: true,
  },
};

describe('the gauge of estimated performance', () => {
  let series: Map<string, number>;
  let reference: Reference | null;
  let asked: number[];

  beforeEach(() => {
    series = new Map();
    reference = REFERENCE;
    asked = [];
  });

  const create = () =>
    createEstimateGauges({
      store: {
        listModels: async () => [MODEL],
        currentReference: async () => reference,
        listGrids: async () => GRIDS,
        mergedProfiles: async (_query, buckets): Promise<Profile[]> => {
          asked.push(buckets[0]?.startMs ?? -1);
          return GRIDS.map((grid) =>
            profileOf(grid, grid.kind === 'numeric' ? SCORES : ['0', '0', '0', '1']),
          );
        },
      },
      setting: () => ({ positiveClass: '1' }),
      gauge: {
        set: (labels, value) => series.set(JSON.stringify(labels), value),
        remove: (labels) => series.delete(JSON.stringify(labels)),
      },
    });
  const on = (day: number) => verdict('age', { startMs: day * DAY_MS, endMs: (day + 1) * DAY_MS });
  const shown = (metric: string) =>
    series.get(JSON.stringify({ model: 'churn', model_version: '1', metric, kind: 'estimated' }));

  it('shows the newest judged window once it is published', async () => {
    const gauges = create();
    gauges.windowJudged(MODEL, [on(3)]);
    gauges.windowJudged(MODEL, [on(4)]);
    expect(series.size).toBe(0);
    await gauges.publish();
    expect(asked).toEqual([4 * DAY_MS]);
    // Three rows are right with 0.8, one with 0.7.
    expect(shown('accuracy')).toBeCloseTo(3.1 / 4, 10);
    expect(shown('rocAuc')).toBeGreaterThan(0.5);
    expect(series.size).toBe(2);
    await gauges.publish();
    expect(asked).toHaveLength(1);
  });

  it('shows nothing that was not learned, and takes back what was', async () => {
    const gauges = create();
    gauges.windowJudged(MODEL, [on(3)]);
    await gauges.publish();
    expect(series.size).toBe(2);
    reference = { ...REFERENCE, estimator: null };
    gauges.windowJudged(MODEL, [on(4)]);
    await gauges.publish();
    expect(series.size).toBe(0);
  });

  it('drops versions that are gone, and names that cannot be labels', async () => {
    const gauges = create();
    gauges.windowJudged(MODEL, [on(3)]);
    gauges.windowJudged({ model: 'a,b', modelVersion: '1' }, [on(3)]);
    gauges.windowJudged(MODEL, []);
    await gauges.publish();
    expect([...series.keys()].every((labels) => labels.includes('"churn"'))).toBe(true);
    gauges.retain([MODEL]);
    expect(series.size).toBeGreaterThan(0);
    gauges.retain([]);
    expect(series.size).toBe(0);
  });
});
