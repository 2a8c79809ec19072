import type { ModelVersion } from '../../src/domain/model.js';
import type { RunRecord } from '../../src/domain/ports.js';
import type { Reference } from '../../src/domain/reference.js';
import type { WindowOutcome } from '../../src/domain/verdict.js';
import { DAY_MS, HOUR_MS, type Window } from '../../src/domain/window.js';
import { type CycleDeps, createCycle } from '../../src/jobs/run-cycle.js';
import { createLogger } from '../../src/logger.js';
import { createMetrics } from '../../src/metrics.js';

export const model: ModelVersion = {
  model: 'm',
  modelVersion: '1',
  schema: { task: 'binary', features: [] },
  registeredAtMs: 0,
};
export const reference: Reference = {
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
export function cycleWorld() {
  const stored = new Map<number, number>();
  const profiled = new Map<number, number>();
  const labels = new Map<number, number>();
  const countedLabels = new Map<number, number>();
  const runs = new Map<number, RunRecord>();
  const references = [reference];
  const models = [model];
  const judged: number[] = [];
  const alerted: number[] = [];
  /** Whether the performance of a day is decided; without one of those that are not named. */
  const performance = new Map<number, boolean>();
  const revised: number[][] = [];
  const failures = { judge: 0, record: 0, labels: 0 };
  const spec = { lengthMs: DAY_MS, stepMs: DAY_MS, latenessMs: 0 };
  const clock = { nowMs: 0, monotonicMs: 0 };
  /** How late on its first day the version begins. */
  const beginning = { offsetMs: 0 };
  /** What happens whenever the store is asked, before it answers: rows may come in at any time. */
  const meanwhile: { happens: () => void } = { happens: () => undefined };

  /** The first hour with rows of a day. */
  const hourOf = (day: number) =>
    day * DAY_MS + (day === Math.min(...stored.keys()) ? beginning.offsetMs : 0);
  const dayOf = (window: Window) => window.startMs / DAY_MS;
  function failing(what: keyof typeof failures) {
    if (failures[what] > 0) {
      failures[what] -= 1;
      throw new Error(`planned ${what} failure`);
    }
  }

  /** A store that lets something happen before each answer. */
  function interrupted<Methods extends object>(store: Methods): Methods {
    return new Proxy(store, {
      get: (target, name, receiver) => {
        const method = Reflect.get(target, name, receiver) as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => {
          meanwhile.happens();
          return method(...args);
        };
      },
    });
  }

  const cycle = () =>
    createCycle({
      store: interrupted<CycleDeps['store']>({
        listModels: async () => [...models],
        watermarks: async () => {
          const days = [...stored.keys()];
          if (days.length === 0) return [];
          return [
            {
              ...key,
              firstEventMs: hourOf(Math.min(...days)),
              watermarkMs: Math.max(...days) * DAY_MS + HOUR_MS,
              rows: 1,
            },
          ];
        },
        dirtyBuckets: async () => {
          const days = [...stored.keys()].filter((day) => stored.get(day) !== profiled.get(day));
          return days.length === 0 ? [] : [{ ...key, hourStartsMs: days.map(hourOf).sort((a, b) => a - b) }];
        },
        profileHours: async (_model, hours) => {
          for (const hour of hours) {
            const day = Math.floor(hour / DAY_MS);
            profiled.set(day, stored.get(day) ?? 0);
          }
        },
        profileLabels: async () => {
          const days = [...labels.keys()].filter((day) => labels.get(day) !== countedLabels.get(day));
          for (const day of days) countedLabels.set(day, labels.get(day) ?? 0);
          failing('labels');
          return days.length === 0 ? [] : [{ ...key, hourStartsMs: days.map(hourOf) }];
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
      }),
      judge: async (_model, used, window) => {
        failing('judge');
        judged.push(dayOf(window));
        return {
          referenceHash: used.hash,
          verdicts: [],
          outcomes: [
            { ...key, category: 'drift', window, state: 'clean', drivers: [] },
            ...[performance.get(dayOf(window))]
              .filter((isDecided) => isDecided !== undefined)
              .map((isDecided): WindowOutcome => {
                const state = isDecided ? 'clean' : 'undecided';
                return { ...key, category: 'performance', window, state, drivers: [] };
              }),
          ],
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
      settings: () => ({ window: spec }),
      levelFor: async () => 0.05,
      clock: { now: () => clock.nowMs, observe: () => undefined },
      monotonicMs: () => clock.monotonicMs,
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
    performance,
    revised,
    failures,
    spec,
    clock,
    beginning,
    meanwhile,
    cycle,
  };
}
