import { describe, expect, it } from '@jest/globals';
import { DAY_MS } from '../../../src/domain/window.js';
import { cycleWorld } from '../../support/cycle-world.js';

describe('the cycle, as labels come', () => {
  it('judges a window again when it has notably more labels, before and after a restart', async () => {
    const w = cycleWorld();
    for (const day of [0, 1]) w.stored.set(day, 100);
    await w.cycle().run();
    expect(w.judged).toEqual([0]);
    w.labels.set(0, 50);
    const cycle = w.cycle();
    expect((await cycle.run()).hoursProfiled).toBe(1);
    expect(w.judged).toEqual([0, 0]);
    expect(w.runs.get(DAY_MS)?.labels).toBe(50);
    expect(w.revised).toEqual([]);
    w.labels.set(0, 52);
    await cycle.run();
    expect(w.judged).toEqual([0, 0]);
    w.labels.set(0, 100);
    await cycle.run();
    expect(w.judged).toEqual([0, 0, 0]);
    // It is the newest window still, and speaks for the present.
    expect(w.alerted).toEqual([0, 0, 0]);
    expect((await cycle.run()).hoursProfiled).toBe(0);
  });

  it('judges a window that has a few more labels once no more come, and once', async () => {
    const w = cycleWorld();
    for (const day of [0, 1]) w.stored.set(day, 100);
    w.labels.set(0, 80);
    let cycle = w.cycle();
    await cycle.run();
    w.clock.monotonicMs += 3_600_000;
    w.labels.set(0, 83);
    await cycle.run();
    w.clock.monotonicMs += 59_000;
    await cycle.run();
    expect(w.judged).toEqual([0]);
    w.clock.monotonicMs += 1_000;
    w.failures.record = 1;
    await expect(cycle.run()).rejects.toThrow('planned');
    await cycle.run();
    await cycle.run();
    expect(w.judged).toEqual([0, 0, 0]);
    expect(w.runs.get(DAY_MS)?.labels).toBe(83);
    // What waits is found again after a restart.
    w.labels.set(0, 84);
    await cycle.run();
    cycle = w.cycle();
    await cycle.run();
    w.clock.monotonicMs += 60_000;
    await cycle.run();
    expect(w.runs.get(DAY_MS)?.labels).toBe(84);
    expect(w.judged).toEqual([0, 0, 0, 0]);
  });

  it('judges a window whose labels trickle some times, and in the end with all of them', async () => {
    const w = cycleWorld();
    for (const day of [0, 1]) w.stored.set(day, 100_000);
    w.labels.set(0, 40_000);
    const cycle = w.cycle();
    await cycle.run();
    for (let minute = 1; minute <= 10 * 24 * 60; minute += 1) {
      if (minute % 2 === 0) w.labels.set(0, 40_000 + minute / 2);
      w.clock.monotonicMs += 60_000;
      await cycle.run();
    }
    expect(w.judged.length).toBeGreaterThan(20);
    expect(w.judged.length).toBeLessThan(100);
    w.clock.monotonicMs += DAY_MS;
    await cycle.run();
    expect(w.runs.get(DAY_MS)?.labels).toBe(w.labels.get(0));
    // A nightly load is no trickle.
    const before = w.judged.length;
    w.clock.monotonicMs += DAY_MS;
    await cycle.run();
    w.labels.set(0, 48_000);
    await cycle.run();
    w.clock.monotonicMs += 60_000;
    await cycle.run();
    expect(w.judged.length).toBe(before + 1);
  });

  it('judges what waits for labels at once if it is told to', async () => {
    const w = cycleWorld();
    for (const day of [0, 1]) w.stored.set(day, 100);
    w.labels.set(0, 80);
    const cycle = w.cycle();
    await cycle.run();
    w.labels.set(0, 85);
    await cycle.run();
    expect(w.judged).toEqual([0]);
    expect(cycle.endWaiting()).toBe(1);
    await cycle.run();
    expect(cycle.endWaiting()).toBe(0);
    expect(w.runs.get(DAY_MS)?.labels).toBe(85);
  });

  it('ends the wait of a window whose rows have expired', async () => {
    const w = cycleWorld();
    for (const day of [0, 1, 2]) w.stored.set(day, 100);
    w.labels.set(0, 80);
    const cycle = w.cycle();
    await cycle.run();
    w.labels.set(0, 85);
    await cycle.run();
    w.stored.delete(0);
    expect(cycle.endWaiting()).toBe(1);
    await cycle.run();
    expect(cycle.endWaiting()).toBe(0);
    expect(w.judged).toEqual([0, 1]);
  });

  it('pages for a window whose labels were waited for no more often than before', async () => {
    const w = cycleWorld();
    for (const day of [0, 1]) w.stored.set(day, 100);
    w.labels.set(0, 80);
    const cycle = w.cycle();
    await cycle.run();
    for (const labels of [81, 82, 83]) {
      w.labels.set(0, labels);
      await cycle.run();
      cycle.endWaiting();
      await cycle.run();
    }
    expect(w.judged).toEqual([0, 0, 0, 0]);
    expect(w.alerted).toEqual([0]);
    w.labels.set(0, 100);
    await cycle.run();
    expect(w.alerted).toEqual([0, 0]);
  });

  it('pages for performance that the few labels have decided, and once', async () => {
    const w = cycleWorld();
    for (const day of [0, 1, 2]) w.stored.set(day, 100);
    w.labels.set(0, 80);
    w.performance.set(0, false);
    const cycle = w.cycle();
    await cycle.run();
    expect(w.alerted).toEqual([0, 1]);
    w.performance.set(0, true);
    for (const labels of [81, 82, 83]) {
      w.labels.set(0, labels);
      await cycle.run();
      cycle.endWaiting();
      await cycle.run();
    }
    expect(w.judged).toEqual([0, 1, 0, 0, 0]);
    expect(w.alerted).toEqual([0, 1, 0]);
  });
});
