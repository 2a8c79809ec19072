import { describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { RunRecord } from '../../../src/domain/ports.js';
import type { Reference } from '../../../src/domain/reference.js';
import { DAY_MS, HOUR_MS, type Window } from '../../../src/domain/window.js';
import { createCycle } from '../../../src/jobs/run-cycle.js';
import { createLogger } from '../../../src/logger.js';
import { createMetrics } from '../../../src/metrics.js';

const model: ModelVersion = {
  model: 'm',
  modelVersion: '1',
  schema: { task: 'binary', features: [] },
  registeredAtMs: 0,
};
const reference: Reference = {
  model: 'm',
  modelVersion: '1',
  hash: 'h',
  rows: 1,
  period: null,
  provenance: 'test',
  createdAtMs: 0,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  forest: null,
};
const silent = createLogger({ level: 'silent' });
const key = { model: 'm', modelVersion: '1' };

/** One version whose rows per day are a plain map; profiling copies stored counts to profiled ones. */
function world() {
  const stored = new Map<number, number>();
  const profiled = new Map<number, number>();
  const labels = new Map<number, number>();
  const countedLabels = new Map<number, number>();
  const runs = new Map<number, RunRecord>();
  const references = [reference];
  const models = [model];
  const judged: number[] = [];
  const alerted: number[] = [];
  const revised: number[][] = [];
  const failures = { judge: 0, record: 0 };
  const clock = { nowMs: 0 };
  /** How late on its first day the version begins. */
  const beginning = { offsetMs: 0 };

  const dayOf = (window: Window) => window.startMs / DAY_MS;
  function failing(what: keyof typeof failures) {
    if (failures[what] > 0) {
      failures[what] -= 1;
      throw new Error(`planned ${what} failure`);
    }
  }

  const cycle = () =>
    createCycle({
      store: {
        listModels: async () => [...models],
        watermarks: async () => {
          const days = [...stored.keys()];
          if (days.length === 0) return [];
          return [
            {
              ...key,
              firstEventMs: Math.min(...days) * DAY_MS + beginning.offsetMs,
              watermarkMs: Math.max(...days) * DAY_MS + HOUR_MS,
              rows: 1,
            },
          ];
        },
        dirtyBuckets: async () => {
          const days = [...stored.keys()].filter((day) => stored.get(day) !== profiled.get(day));
          return days.length === 0 ? [] : [{ ...key, hourStartsMs: days.map((day) => day * DAY_MS) }];
        },
        profileHours: async (_model, hours) => {
          for (const hour of hours) profiled.set(hour / DAY_MS, stored.get(hour / DAY_MS) ?? 0);
        },
        profileLabels: async () => {
          const days = [...labels.keys()].filter((day) => labels.get(day) !== countedLabels.get(day));
          for (const day of days) countedLabels.set(day, labels.get(day) ?? 0);
          return days.length === 0 ? [] : [{ ...key, hourStartsMs: days.map((day) => day * DAY_MS) }];
        },
        currentReference: async () => references.at(-1) ?? null,
        findReference: async ({ hash }) => references.find((known) => known.hash === hash) ?? null,
        listRuns: async (_key, afterMs, untilMs) =>
          [...runs.values()]
            .filter((run) => run.window.endMs > afterMs && run.window.endMs <= untilMs)
            .sort((a, b) => a.window.endMs - b.window.endMs),
        profiledRows: async (_key, windows) => windows.map((window) => profiled.get(dayOf(window)) ?? 0),
        recentOutcomes: async () => [],
        labelledRows: async (_key, windows) => windows.map((window) => countedLabels.get(dayOf(window)) ?? 0),
      },
      judge: async (_model, used, window) => {
        failing('judge');
        judged.push(dayOf(window));
        return {
          referenceHash: used.hash,
          verdicts: [],
          outcomes: [{ ...key, category: 'drift', window, state: 'clean', drivers: [] }],
        };
      },
      record: async (_model, referenceHash, window, { rows, labels: labelled }) => {
        failing('record');
        runs.set(window.endMs, {
          ...key,
          window,
          rows,
          labels: labelled,
          referenceHash,
          status: rows === 0 ? 'no_data' : 'judged',
          atMs: 0,
        });
      },
      scoreOutliers: async () => ({ scored: 0 }),
      alerts: {
        windowJudged: async (outcomes) => {
          alerted.push(...outcomes.map((outcome) => dayOf(outcome.window)));
          return [];
        },
      },
      gauges: { windowJudged: () => undefined, verdictsRevised: () => undefined, retain: () => undefined },
      reviseVolumes: async (_key, changed) => {
        if (changed.length > 0) revised.push(changed.map(dayOf));
        return [];
      },
      metrics: createMetrics(),
      settings: () => ({ window: { lengthMs: DAY_MS, stepMs: DAY_MS, latenessMs: 0 } }),
      levelFor: async () => 0.05,
      clock: { now: () => clock.nowMs, observe: () => undefined },
      logger: silent,
    });
  return {
    stored,
    profiled,
    labels,
    runs,
    models,
    references,
    judged,
    alerted,
    revised,
    failures,
    clock,
    beginning,
    cycle,
  };
}

describe('the cycle', () => {
  it('judges each due window once, in order, over many runs and restarts', async () => {
    const w = world();
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
    const w = world();
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
    const w = world();
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
    const w = world();
    w.stored.set(0, 5);
    w.stored.set(3, 5);
    await w.cycle().run();
    expect([...w.runs.values()].map((run) => run.status)).toEqual(['judged', 'no_data', 'no_data']);
  });

  it('is not kept busy by one row from decades ago: of a long gap only the newest days are recorded', async () => {
    const w = world();
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
    const w = world();
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

  it('judges a window again when it has notably more labels, before and after a restart', async () => {
    const w = world();
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

  it('judges a window again when late rows came, without alerting about the past', async () => {
    const w = world();
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
    const w = world();
    const cycle = w.cycle();
    for (let day = 0; day < 3; day++) w.stored.set(day, 100);
    await cycle.run();
    w.stored.set(1, 150);
    await cycle.run();
    expect(w.alerted).toEqual([0, 1, 1]);
  });

  it('repeats a window whose judgement or record failed, and only that', async () => {
    const w = world();
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
    const w = world();
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
