import { expect, test } from '@jest/globals';
import { criticalStatistic } from '../../../src/stats/invert.js';
import { chiSquareSf } from '../../../src/stats/special.js';

test('finds the χ² critical value', () => {
  const critical = criticalStatistic((x) => chiSquareSf(x, 1), 1e4, 0.05);
  expect(critical).toBeCloseTo(3.841458820694124, 12);
});

test('the level is reached at the answer and missed just below it, for steps too', () => {
  const step = (x: number) => (x >= 0.3 ? 0.01 : 0.2);
  const critical = criticalStatistic(step, 1, 0.05) ?? -1;
  expect(step(critical)).toBe(0.01);
  expect(step(critical - 1e-12)).toBe(0.2);
});

test('is null when nothing reaches the level', () => {
  expect(criticalStatistic(() => 0.2, 1, 0.05)).toBeNull();
});
