import { expect, test } from '@jest/globals';
import { runDependence, WORLDS } from '../../../bench/calibration/dependence.js';

const world = (text: string) => {
  const found = WORLDS.find(({ name }) => name.includes(text));
  if (found === undefined) throw new RangeError(`no world with ${text}`);
  return found;
};

test('a repetition judges ten windows, the same by the same seed, and knows drift from ordinary days', () => {
  const ordinary = runDependence(world('days of their own'), 20, 60, 7);
  expect(runDependence(world('days of their own'), 20, 60, 7)).toEqual(ordinary);
  expect(ordinary.windows).toBe(10);
  expect(ordinary.temporal).toBeLessThanOrEqual(2);
  expect(ordinary.iid).toBeGreaterThan(ordinary.temporal);
  expect(runDependence(world('move by 2 SD'), 20, 60, 7).temporal).toBeGreaterThan(5);
});
