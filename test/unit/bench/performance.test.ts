import { expect, test } from '@jest/globals';
import { runPerformance } from '../../../bench/calibration/performance.js';
import { WORLDS } from '../../../bench/calibration/performance-worlds.js';
import { createEpisodeBudget } from '../../../src/stats/episode-budget.js';

const budget = createEpisodeBudget();
const world = (text: string) => {
  const found = WORLDS.find(({ name }) => name.includes(text));
  if (found === undefined) throw new RangeError(`no world with ${text}`);
  return { ...found, windows: 60 };
};

test('a repetition judges its windows, the same by the same seed, seldom falsely', async () => {
  for (const name of ['binary, 100 rows a day', 'regression, normal errors, 20 rows']) {
    const result = await runPerformance(world(name), 5, budget);
    expect(await runPerformance(world(name), 5, budget)).toEqual(result);
    expect(result.decided).toBe(60);
    expect(result.drifted).toBeLessThan(15);
    expect(result.material).toBeLessThanOrEqual(result.drifted);
    expect(result.episodes).toBeLessThanOrEqual(result.anyEpisodes);
  }
});
