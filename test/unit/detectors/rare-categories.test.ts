import { describe, expect, test } from '@jest/globals';
import { chiSquare } from '../../../src/detectors/chi-square.js';
import { unseenShare } from '../../../src/detectors/unseen-share.js';
import type { Grid } from '../../../src/domain/profile.js';
import { createRandom } from '../../../src/stats/random.js';
import { gridOf, profileOf } from '../../support/count-profiles.js';

/** Categories whose shares fall by Zipf's law. */
function zipf(categories: number, seed: number) {
  const random = createRandom(seed);
  const cumulative: number[] = [];
  let sum = 0;
  for (let i = 1; i <= categories; i++) {
    sum += 1 / i;
    cumulative.push(sum);
  }
  const one = () => {
    const u = random() * sum;
    let low = 0;
    let high = categories - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? 0) < u) low = middle + 1;
      else high = middle;
    }
    return `c${low}`;
  };
  return (rows: number) => Array.from({ length: rows }, one);
}

/** As the store builds it: with the share of values that occur once. */
function gridWithSingletons(values: readonly string[]): Grid {
  const grid = gridOf('x', 'categorical', values);
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const singletons = [...counts.values()].filter((count) => count === 1).length;
  return { ...grid, singletonShare: singletons / values.length } as Grid;
}

describe('columns with rare categories', () => {
  test.each([
    [5_000, 5_000, 1_000],
    [20_000, 5_000, 3_000],
    [100, 500, 1_000],
  ])('%p categories, %p rows of reference, windows of %p: false alarms stay at 5 %%', (categories, m, n) => {
    const repetitions = 150;
    const flags = { chiSquare: 0, unseen: 0 };
    const draw = zipf(categories, 11);
    for (let i = 0; i < repetitions; i++) {
      const values = draw(m);
      const grid = gridWithSingletons(values);
      const samples = { grid, reference: profileOf(grid, values), current: profileOf(grid, draw(n)) };
      for (const detector of [chiSquare(), unseenShare()]) {
        const found = detector.measure(samples);
        if (typeof found === 'string') throw new RangeError(`undecided: ${found}`);
        if (found.iidPValueOf(found.statistic) <= 0.05) flags[detector.name as keyof typeof flags] += 1;
      }
    }
    // Three and a half standard errors of 5 % over 150 repetitions are 6 %.
    expect(flags.chiSquare / repetitions).toBeLessThan(0.11);
    expect(flags.unseen / repetitions).toBeLessThan(0.11);
  });

  test('a new category at 3 % is still seen', () => {
    const draw = zipf(300, 3);
    const values = draw(5_000);
    const grid = gridWithSingletons(values);
    const current = draw(2_000).map((value, i) => (i % 33 === 0 ? 'brand new' : value));
    const found = unseenShare().measure({
      grid,
      reference: profileOf(grid, values),
      current: profileOf(grid, current),
    });
    if (typeof found === 'string') throw new RangeError(`undecided: ${found}`);
    expect(found.iidPValueOf(found.statistic)).toBeLessThan(1e-3);
    expect(found.currentRows).toBe(2_000);
  });

  test('identifiers say that nothing can be seen', () => {
    const values = Array.from({ length: 3_000 }, (_, i) => `id${i}`);
    const grid = gridWithSingletons(values);
    const current = profileOf(
      grid,
      values.map((value) => `new ${value}`),
    );
    const samples = { grid, reference: profileOf(grid, values), current };
    expect(unseenShare().measure(samples)).toBe('high_cardinality');
    expect(chiSquare().measure(samples)).toBe('high_cardinality');
  });
});
