import { describe, expect, it } from '@jest/globals';
import { createPerformanceGauges } from '../../../src/alerts/performance-gauges.js';
import type { Verdict } from '../../../src/domain/verdict.js';
import { createMetrics } from '../../../src/metrics.js';
import { hourWindow, outcomeOf, verdictOf } from '../../support/outcomes.js';

const KEY = { model: 'churn', modelVersion: '3' };

function verdict(hour: number, detector: string, value: number, status: Verdict['status'] = 'stable') {
  return verdictOf({
    ...KEY,
    feature: '',
    detector,
    category: 'performance',
    window: hourWindow(hour),
    status,
    parameters: { value, predictions: 50, labelled: 40 },
  });
}

function setUp() {
  const metrics = createMetrics();
  const gauges = createPerformanceGauges({ metrics });
  const lines = async () =>
    (await metrics.registry.metrics())
      .split('\n')
      .filter((line) => /^plumbline_(performance|label_maturity)/.test(line))
      .map((line) => line.replace('model="churn",model_version="3"', '').replace('plumbline_', ''));
  return { gauges, lines };
}

describe('the gauges of realised performance', () => {
  it('show the newest decided window, and how many labels the newest window has', async () => {
    const { gauges, lines } = setUp();
    gauges.performanceJudged(KEY, [verdict(4, 'rocAuc', 0.7), verdict(4, 'accuracy', 0.6)]);
    gauges.performanceJudged(KEY, [verdict(3, 'rocAuc', 0.9)]);
    gauges.windowJudged(KEY, [verdict(6, 'rocAuc', 0.1, 'undecided')]);
    expect(await lines()).toEqual([
      'performance{,metric="rocAuc",kind="realized"} 0.7',
      'performance{,metric="accuracy",kind="realized"} 0.6',
      'label_maturity_ratio{} 0.8',
    ]);
    gauges.performanceJudged(KEY, [verdict(5, 'rocAuc', 0.8), verdict(5, 'accuracy', 0, 'undecided')]);
    expect((await lines())[0]).toBe('performance{,metric="rocAuc",kind="realized"} 0.8');
    expect(await lines()).toHaveLength(2);
    gauges.windowJudged(KEY, []);
    gauges.retain([]);
    expect(await lines()).toEqual([]);
  });

  it('come back after a restart, and leave out what cannot be a label', async () => {
    const { gauges, lines } = setUp();
    const last = outcomeOf(2, 'c', { category: 'performance' });
    await gauges.follow({
      listModels: async () => [{ ...KEY, schema: { task: 'binary', features: [] }, registeredAtMs: 0 }],
      recentOutcomes: async ({ decided, category }) =>
        decided === true && category === 'performance' ? [last] : [],
      listVerdicts: async () => [verdict(2, 'rocAuc', 0.75)],
    });
    expect(await lines()).toEqual(['performance{,metric="rocAuc",kind="realized"} 0.75']);
    gauges.performanceJudged({ model: 'a,b', modelVersion: '1' }, [verdict(9, 'rocAuc', 1)]);
    expect(await lines()).toHaveLength(1);
  });
});
