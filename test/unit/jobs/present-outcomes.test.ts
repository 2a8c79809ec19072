import { describe, expect, it } from '@jest/globals';
import type { WindowOutcome } from '../../../src/domain/verdict.js';
import { DAY_MS } from '../../../src/domain/window.js';
import { presentOutcomes } from '../../../src/jobs/present-outcomes.js';

const outcome = (category: WindowOutcome['category'], day: number, state: WindowOutcome['state']) => ({
  model: 'm',
  modelVersion: '1',
  category,
  window: { startMs: day * DAY_MS, endMs: (day + 1) * DAY_MS },
  state,
  drivers: [],
});
const spoken = { frontierMs: 10 * DAY_MS, performanceMs: 5 * DAY_MS };

describe('outcomes that speak for the present', () => {
  it('are those of the newest window, but for performance that waits', () => {
    const drift = outcome('drift', 10, 'clean');
    expect(presentOutcomes([drift, outcome('performance', 10, 'undecided')], spoken)).toEqual([drift]);
    expect(presentOutcomes([outcome('drift', 8, 'drifted')], spoken)).toEqual([]);
  });

  it('are performance of older windows too, once it is decided, in order', () => {
    const late = outcome('performance', 6, 'drifted');
    expect(presentOutcomes([outcome('drift', 6, 'drifted'), late], spoken)).toEqual([late]);
    expect(presentOutcomes([outcome('performance', 4, 'clean')], spoken)).toEqual([
      outcome('performance', 4, 'clean'),
    ]);
    expect(presentOutcomes([outcome('performance', 3, 'clean')], spoken)).toEqual([]);
  });
});
