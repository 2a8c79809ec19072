import { describe, expect, it } from '@jest/globals';
import { alarmThreshold } from '../../../src/alerts/alarm-threshold.js';
import type { Verdict } from '../../../src/domain/verdict.js';
import { UNDECIDED } from '../../support/gauge-rig.js';
import { verdictOf } from '../../support/outcomes.js';

describe('alarmThreshold', () => {
  it.each([
    ['the test decides', { threshold: 0.2 }, 0.2],
    ['the minimum effect decides', { threshold: 0.02 }, 0.1],
    ['X² grows with the square of V', { detector: 'chiSquare', statistic: 400, threshold: 30 }, 100],
    [
      'X² grows from its expectation',
      { detector: 'chiSquare', statistic: 400, threshold: 30, parameters: { expectation: 40 } },
      130,
    ],
    [
      'Q grows from the number of its scores',
      { detector: 'neyman', statistic: 400, threshold: 30, parameters: { scores: 4 } },
      103,
    ],
    [
      'a share lower than the reference',
      { detector: 'missing', effect: { value: -0.2, low: -1, high: 0 }, minimumEffect: 0.1 },
      0.1,
    ],
    [
      'the share of outliers counts from the reference',
      {
        detector: 'isolationForest',
        statistic: 0.03,
        effect: { value: 0.02, low: 0, high: 1 },
        minimumEffect: 0.05,
        threshold: 0.02,
      },
      0.06,
    ],
    ['no effect at all', { statistic: 0, effect: { value: 0, low: 0, high: 0 } }, 0.1],
    [
      'nothing to scale by',
      { detector: 'chiSquare', statistic: 0, effect: { value: 0, low: 0, high: 0 } },
      0.08,
    ],
    ['undecided', UNDECIDED, null],
  ])('%s', (_name, overrides, expected) => {
    const verdict = verdictOf({
      statistic: 0.2,
      effect: { value: 0.2, low: 0, high: 1 },
      ...overrides,
    } as Partial<Verdict>);
    const threshold = alarmThreshold(verdict);
    if (expected === null) expect(threshold).toBeNull();
    else expect(threshold).toBeCloseTo(expected, 12);
  });
});

it('alarmThreshold is the minimum effect itself where the statistic is its effect', () => {
  const thresholds = [0.4, 0.3, 0.7, 1 / 3].map((value) =>
    alarmThreshold(verdictOf({ statistic: value, effect: { value: -value, low: -1, high: 1 } })),
  );
  expect(thresholds).toEqual([0.1, 0.1, 0.1, 0.1]);
});
