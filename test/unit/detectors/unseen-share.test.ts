import { expect, test } from '@jest/globals';
import { unseenShare } from '../../../src/detectors/unseen-share.js';
import type { Grid } from '../../../src/domain/profile.js';
import { createRandom } from '../../../src/stats/random.js';
import { gridOf, profileOf } from '../../support/count-profiles.js';

/** Values of 1,000 categories, a few of them frequent. */
function draw(random: () => number, rows: number): string[] {
  return Array.from({ length: rows }, () => `c${Math.floor(1_000 ** random())}`);
}

function measure(reference: readonly string[], current: readonly string[]) {
  const plain = gridOf('x', 'categorical', reference);
  const once = profileOf(plain, reference).counts.filter((count) => count === 1).length;
  const grid = { ...plain, singletonShare: once / reference.length } as Grid;
  const measured = unseenShare().measure({
    grid,
    reference: profileOf(grid, reference),
    current: profileOf(grid, current),
  });
  if (typeof measured === 'string') throw new RangeError(measured);
  return measured;
}

test('rare categories that the reference missed by chance are no alarm, though it holds no unseen value', () => {
  let alarms = 0;
  for (let seed = 0; seed < 200; seed++) {
    const random = createRandom(seed);
    const measured = measure(draw(random, 4_000), draw(random, 4_000));
    expect(measured.parameters.currentShare).toBeGreaterThan(0);
    if (measured.iidPValueOf(measured.statistic) <= 0.05) alarms++;
  }
  // One-sided at a two-sided 5 %: Binomial(200, 0.025) exceeds 14 once in 10,000.
  expect(alarms).toBeLessThanOrEqual(14);
});

test('new categories beyond that are found', () => {
  const random = createRandom(7);
  const current = draw(random, 4_000).map((value, i) => (i % 20 === 0 ? 'brand new' : value));
  const measured = measure(draw(random, 4_000), current);
  expect(measured.iidPValueOf(measured.statistic)).toBeLessThan(1e-6);
});

test('fewer new values than expected are no drift: a reference compared with itself', () => {
  const values = draw(createRandom(8), 4_000);
  const measured = measure(values, values);
  expect(measured.statistic).toBe(0);
  expect(measured.iidPValueOf(measured.statistic)).toBe(1);
});
