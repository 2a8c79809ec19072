import { describe, expect, it } from '@jest/globals';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { cycleWorld, model, reference } from '../../support/cycle-world.js';

describe('the cycle', () => {
  it('judges each due window once, in order, over many runs and restarts', async () => {
    const w = cycleWorld();
    let cycle = w.cycle();
    for (let day = 0; day < 6; day++) {
      w.stored.set(day, 100);
      await cycle.run();
      await cycle.run();
      if (day === 3) cycle = w.cycle();
    }
    expect(w.judged).toEqual([0, 1, 2, 3, 4]);
    expect(w.alerted).toEqual([0, 1, 2, 3, 4]);
  });

  it('compares a window judged again with the reference it was judged with, and those to come with the new one', async () => {
    const w = cycleWorld();
    for (const day of [0, 1, 2]) w.stored.set(day, 100);
    const cycle = w.cycle();
    await cycle.run();
    w.references.push({ ...reference, hash: 'new' });
    w.stored.set(0, 101);
    w.stored.set(3, 100);
    await cycle.run();
    expect(w.judged).toEqual([0, 1, 0, 2]);
    expect(
      [...w.runs.values()].map(({ window, referenceHash }) => [window.startMs / DAY_MS, referenceHash]),
    ).toEqual([
      [0, 'h'],
      [1, 'h'],
      [2, 'new'],
    ]);
  });

  it('begins anew with a model that was deleted and registered again', async () => {
    const w = cycleWorld();
    for (const day of [0, 1, 2]) w.stored.set(day, 100);
    const cycle = w.cycle();
    await cycle.run();
    w.models.pop();
    for (const map of [w.stored, w.profiled, w.runs]) map.clear();
    await cycle.run();
    w.models.push(model);
    for (const day of [0, 1, 2]) w.stored.set(day, 50);
    await cycle.run();
    expect(w.judged).toEqual([0, 1, 0, 1]);
  });

  it('records a day without rows between days with rows', async () => {
    const w = cycleWorld();
    w.stored.set(0, 5);
    w.stored.set(3, 5);
    await w.cycle().run();
    expect([...w.runs.values()].map((run) => run.status)).toEqual(['judged', 'no_data', 'no_data']);
  });

  it('is not kept busy by one row from decades ago: of a long gap only the newest days are recorded', async () => {
    const w = cycleWorld();
    const cycle = w.cycle();
    w.stored.set(0, 1);
    w.stored.set(20_000, 5);
    w.stored.set(20_001, 5);
    const result = await cycle.run();
    expect(result.windowsJudged).toBe(26);
    expect(w.judged).toEqual([0, ...Array.from({ length: 25 }, (_, i) => 19_976 + i)]);
    // A day left out is judged like any other once rows for it come.
    w.stored.set(700, 9);
    await cycle.run();
    expect(w.judged.slice(26)).toEqual([700]);
    expect(w.runs.get(701 * DAY_MS)?.status).toBe('judged');
  });

  it('judges no half first day, whatever labels and rows come for it later', async () => {
    const w = cycleWorld();
    w.beginning.offsetMs = 10 * HOUR_MS;
    for (const day of [0, 1, 2]) w.stored.set(day, 100);
    const cycle = w.cycle();
    await cycle.run();
    w.labels.set(0, 50).set(1, 50);
    w.stored.set(0, 120);
    await cycle.run();
    expect(w.judged).toEqual([1, 1]);
    expect(w.revised).toEqual([[0]]);
    // Rows from the day's first hour make it whole.
    w.beginning.offsetMs = 0;
    w.stored.set(0, 200);
    await cycle.run();
    expect(w.judged).toEqual([1, 1, 0]);
  });

  it('forgets nothing that was counted before the counting failed', async () => {
    const w = cycleWorld();
    for (const day of [0, 3, 4]) w.stored.set(day, 100);
    w.labels.set(0, 20);
    const cycle = w.cycle();
    await cycle.run();
    w.labels.set(0, 60);
    w.stored.set(1, 100);
    w.failures.labels = 1;
    await expect(cycle.run()).rejects.toThrow('planned labels failure');
    await cycle.run();
    expect(w.runs.get(DAY_MS)?.labels).toBe(60);
    expect(w.runs.get(2 * DAY_MS)?.rows).toBe(100);
  });

  it('leaves what was judged as it is when windows get another length, but for late rows', async () => {
    const w = cycleWorld();
    for (let day = 0; day < 20; day++) w.stored.set(day, 100);
    await w.cycle().run();
    const before = w.judged.length;
    w.spec.lengthMs = 2 * DAY_MS;
    await w.cycle().run();
    w.stored.set(20, 100);
    for (let restart = 0; restart < 3; restart++) await w.cycle().run();
    w.labels.set(5, 90);
    const cycle = w.cycle();
    await cycle.run();
    expect(w.judged.slice(before)).toEqual([18]);
    w.stored.set(5, 101);
    await cycle.run();
    await w.cycle().run();
    expect(w.judged.slice(before)).toEqual([18, 4, 5]);
  });

  it('finds windows that were never judged, whose late rows were counted before a failure, after any time', async () => {
    const w = cycleWorld();
    for (const day of [5, 6, 7]) w.stored.set(day, 100);
    await w.cycle().run();
    for (const day of [0, 1, 2]) w.stored.set(day, 100);
    w.failures.judge = 1;
    await expect(w.cycle().run()).rejects.toThrow('planned');
    await w.cycle().run();
    expect(w.judged).toEqual([5, 6, 0, 1, 2]);
  });

  it('judges a window again when late rows came, without alerting about the past', async () => {
    const w = cycleWorld();
    const cycle = w.cycle();
    for (let day = 0; day < 4; day++) w.stored.set(day, 100);
    await cycle.run();
    w.stored.set(0, 101);
    const result = await cycle.run();
    expect(result.windowsJudged).toBe(1);
    expect(w.judged).toEqual([0, 1, 2, 0]);
    expect(w.alerted).toEqual([0, 1, 2]);
    expect(w.runs.get(DAY_MS)?.rows).toBe(101);
    expect(w.revised).toEqual([[0]]);
  });

  it('judges the newest window again when late rows came, and alerts', async () => {
    const w = cycleWorld();
    const cycle = w.cycle();
    for (let day = 0; day < 3; day++) w.stored.set(day, 100);
    await cycle.run();
    w.stored.set(1, 150);
    await cycle.run();
    expect(w.alerted).toEqual([0, 1, 1]);
  });

  it('repeats a window whose judgement or record failed, and only that', async () => {
    const w = cycleWorld();
    for (let day = 0; day < 4; day++) w.stored.set(day, 100);
    w.failures.record = 1;
    const cycle = w.cycle();
    await expect(cycle.run()).rejects.toThrow('planned record failure');
    await cycle.run();
    expect(w.judged).toEqual([0, 0, 1, 2]);
    w.stored.set(4, 1);
    w.failures.judge = 1;
    await expect(cycle.run()).rejects.toThrow('planned judge failure');
    await cycle.run();
    expect(w.judged).toEqual([0, 0, 1, 2, 3]);
  });

  it('finds after a restart a window that grew while the service was down between profiling and judging', async () => {
    const w = cycleWorld();
    const cycle = w.cycle();
    for (let day = 0; day < 3; day++) w.stored.set(day, 100);
    await cycle.run();
    w.stored.set(0, 120);
    w.failures.judge = 1;
    await expect(cycle.run()).rejects.toThrow('planned');
    await w.cycle().run();
    expect(w.judged).toEqual([0, 1, 0]);
    expect(w.revised).toEqual([[0], [0]]);
  });
});
