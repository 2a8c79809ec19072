import { describe, expect, it } from '@jest/globals';
import { DAY_MS } from '../../../src/domain/window.js';
import { createRandom } from '../../../src/stats/random.js';
import { cycleWorld } from '../../support/cycle-world.js';

describe('the cycle while rows come in, in any order and between any two of its questions', () => {
  it('judges the days before the ones that it saw first', async () => {
    const w = cycleWorld();
    const cycle = w.cycle();
    for (const day of [5, 6, 7]) w.stored.set(day, 100);
    let asked = 0;
    w.meanwhile.happens = () => {
      asked += 1;
      // After the cycle has asked when the rows begin, and before it asks which hours are to be counted.
      if (asked === 2) for (const day of [0, 1, 2, 3, 4]) w.stored.set(day, 100);
    };
    await cycle.run();
    await cycle.run();
    expect([...w.runs.values()].map(({ window, rows }) => [window.startMs / DAY_MS, rows])).toEqual(
      expect.arrayContaining([0, 1, 2, 3, 4, 5, 6].map((day) => [day, 100])),
    );
  });

  it.each([
    ['one after the other', 12, 0],
    ['with gaps of weeks, by a clock that runs ahead', 150, 0.8],
  ])('ends with every day judged with all its rows and labels: days %s', async (_how, days, gap) => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = createRandom(seed);
      const w = cycleWorld();
      const rowsOf = new Map<number, number>();
      for (let day = 0; day < days; day++)
        if (random() >= gap) rowsOf.set(day, 1 + Math.floor(random() * 30));
      const last = Math.max(...rowsOf.keys());
      const coming = [...rowsOf].flatMap(([day, rows]) => new Array<number>(rows).fill(day));
      // Roughly in order, as from partitions of which one lags.
      const place = new Map(coming.map((day) => [day, day + ((random() - 0.5) * days) / 2]));
      coming.sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
      w.meanwhile.happens = () => {
        while (coming.length > 0 && random() < 0.4) {
          const day = coming.shift() ?? 0;
          w.stored.set(day, (w.stored.get(day) ?? 0) + 1);
          if (random() < 0.7) w.labels.set(day, (w.labels.get(day) ?? 0) + 1);
        }
      };
      let cycle = w.cycle();
      while (coming.length > 0) {
        w.failures.judge = random() < 0.1 ? 1 : 0;
        w.failures.record = random() < 0.1 ? 1 : 0;
        if (gap > 0 && random() < 0.3) w.clock.nowMs = random() * days * DAY_MS;
        await cycle.run().catch((error: Error) => expect(error.message).toContain('planned'));
        if (random() < 0.2) cycle = w.cycle();
      }
      w.failures.judge = 0;
      w.failures.record = 0;
      await cycle.run();
      await cycle.run();
      w.clock.monotonicMs += 60_000;
      await cycle.run();
      const whole = [...rowsOf].filter(([day]) => day !== last);
      const judged = whole.map(([day]) => {
        const run = w.runs.get((day + 1) * DAY_MS);
        return [day, run?.rows, run?.labels];
      });
      expect([seed, judged]).toEqual([seed, whole.map(([day, rows]) => [day, rows, w.labels.get(day) ?? 0])]);
    }
  });
});
