import { expect, test } from '@jest/globals';
import { belowMinimumTraffic } from '../../../src/detectors/minimum-traffic.js';
import { outcomeOf, verdictOf } from '../../support/outcomes.js';

test('a window below the minimum decides nothing, keeps what was seen, and says why', () => {
  const describing = verdictOf({ detector: 'psi', role: 'descriptive' });
  const missing = verdictOf({ feature: 'plan', status: 'undecided', reason: 'no_data', material: false });
  const { verdicts, outcomes } = belowMinimumTraffic({
    verdicts: [verdictOf(), describing, missing],
    outcomes: [outcomeOf(0, 'd'), outcomeOf(0, 'c', { category: 'service' })],
  });
  expect(verdicts[0]).toMatchObject({
    status: 'undecided',
    reason: 'minimum_traffic',
    material: false,
    statistic: 0.3,
    pValue: null,
    threshold: null,
  });
  expect(verdicts.slice(1)).toEqual([describing, missing]);
  expect(outcomes.map(({ category, state, drivers }) => [category, state, drivers])).toEqual([
    ['drift', 'undecided', []],
    ['service', 'undecided', []],
  ]);
});
