import type { Clock } from '../domain/clock.js';
import type { Episode } from '../domain/episode.js';
import type { ModelVersion } from '../domain/model.js';
import type { Logger, RunRecord, Store, VersionKey } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import type { Verdict, WindowOutcome } from '../domain/verdict.js';
import type { Window, WindowSpec } from '../domain/window.js';
import type { Metrics } from '../metrics.js';
import { createChangeCounter, spanOf } from './count-changes.js';
import {
  createGapFilter,
  type DueWindow,
  firstWholeEndMs,
  grown,
  outstanding,
  readyWindows,
  runFinder,
  slices,
} from './due-windows.js';
import { createDueJudge } from './judge-due.js';
import type { MeasuredVersion } from './measure-performance.js';
import { MODELS_AT_ONCE, sideBySide } from './side-by-side.js';
import { createVersionStates, seen } from './version-states.js';

const GRACE_MS = 3_600_000;
const MAX_EMPTY_WINDOWS = 24;
/** Models whose hours are counted before the first of them is judged; the next ones are while these are. */
const MODELS_COUNTED_TOGETHER = 16;

export interface CycleSettings {
  readonly window: WindowSpec;
  /** Share of rows with a label from which performance is told; never when left out. */
  readonly minimumMaturity?: number;
}

export interface CycleDeps {
  readonly store: Pick<
    Store,
    | 'listModels'
    | 'watermarks'
    | 'dirtyBuckets'
    | 'profileHours'
    | 'profileLabels'
    | 'currentReference'
    | 'findReference'
    | 'listRuns'
    | 'profiledRows'
    | 'labelledRows'
    | 'recentOutcomes'
  >;
  /** Judges one window and stores its verdicts and outcomes. */
  readonly judge: (
    model: ModelVersion,
    reference: Reference,
    window: Window,
    level: number,
  ) => Promise<{ verdicts: Verdict[]; outcomes: WindowOutcome[]; referenceHash: string }>;
  /** Probability that a drift-free window has any flag: what the model's false-alarm budget comes to. */
  readonly levelFor: (model: ModelVersion, reference: Reference, window: Window) => Promise<number>;
  /** The reference with the null that a window is judged by; as it is when left out. */
  readonly referenceFor?: (model: ModelVersion, reference: Reference, window: Window) => Promise<Reference>;
  /** Counts the rows of segments that get verdicts of their own; nothing to do when left out. */
  readonly profileSegments?: (model: ModelVersion, hourStartsMs: readonly number[]) => Promise<void>;
  /**
   * Judges the volume of later windows again, now that these hold other rows than when they were judged, and returns what changed; nothing
   * to do when left out.
   */
  readonly reviseVolumes?: (key: VersionKey, changed: readonly Window[]) => Promise<Verdict[]>;
  /** Counts predictions against labels in the hours where either has changed; left out to do without. */
  readonly measurePerformance?: (
    models: readonly ModelVersion[],
    /** Hears of each version before the next one is counted: what was corrected is told once. */
    measured: (version: MeasuredVersion) => Promise<void>,
  ) => Promise<void>;
  /** Marks the window as done; called last. */
  readonly record: (
    model: ModelVersion,
    referenceHash: string,
    window: Window,
    counted: { rows: number; labels: number },
  ) => Promise<void>;
  readonly scoreOutliers: (model: ModelVersion, reference: Reference) => Promise<{ scored: number }>;
  readonly alerts: { windowJudged(outcomes: readonly WindowOutcome[]): Promise<Episode[]> };
  readonly gauges: {
    windowJudged(key: VersionKey, verdicts: readonly Verdict[]): void;
    /** Shows verdicts that were revised alone, where their window is the one that is shown. */
    verdictsRevised(key: VersionKey, verdicts: readonly Verdict[]): void;
    /** Removes the series of versions that are not among these. */
    retain(keys: readonly VersionKey[]): void;
    /** Of the newest window whose performance is decided. */
    performanceJudged?(key: VersionKey, verdicts: readonly Verdict[]): void;
  };
  readonly metrics: Pick<Metrics, 'ingestLag'>;
  readonly settings: (model: string) => CycleSettings;
  readonly clock: Clock;
  /** Milliseconds that never go back, and go on where a replay's data stop. */
  readonly monotonicMs: () => number;
  readonly logger: Logger;
}

export interface CycleResult {
  readonly hoursProfiled: number;
  readonly rowsScored: number;
  readonly windowsJudged: number;
}

/**
 * The detection cycle: profile what changed, score what is new, judge what is due, in that order, for every version; while some are judged
 * the next ones are profiled.
 * Each step is idempotent, so a crash anywhere is mended by the next run.
 */
export function createCycle(deps: CycleDeps) {
  const { store, logger } = deps;
  const states = createVersionStates(store, (model) => deps.settings(model).window, deps.monotonicMs);
  const countChanges = createChangeCounter(deps, states);
  const dueJudge = createDueJudge(deps);

  async function countedIn(key: VersionKey, windows: readonly Window[]): Promise<DueWindow[]> {
    const rows = await store.profiledRows(key, windows);
    const labels = await store.labelledRows(key, windows);
    return windows.map((window, i) => ({ window, rows: rows[i] ?? 0, labels: labels[i] ?? 0 }));
  }

  async function judgeVersion(
    model: ModelVersion,
    reference: Reference,
    rows: { firstEventMs: number; watermarkMs: number },
    nowMs: number,
  ): Promise<number> {
    const { window: spec, minimumMaturity } = deps.settings(model.model);
    const state = await states.of(model);
    const ready = readyWindows(
      { spec, ...rows, nowMs, graceMs: GRACE_MS, maxEmptyWindows: MAX_EMPTY_WINDOWS },
      state.frontierMs,
    );
    let judged = 0;
    async function judge(
      dues: readonly DueWindow[],
      runs: readonly RunRecord[] = [],
      loud: ReadonlySet<DueWindow> = new Set(dues),
    ): Promise<void> {
      const runOf = runFinder(runs);
      for (const due of dues) {
        const run = runOf(due.window);
        await dueJudge.judge(model, await dueJudge.referenceOf(reference, run), state, due, loud.has(due));
        judged += 1;
      }
    }
    // Late labels touch every window of their rows; a half one is judged for those no more than for the rows themselves.
    const firstEndMs = firstWholeEndMs(spec, rows.firstEventMs);
    const touched = [...state.touched]
      .sort((a, b) => a - b)
      .map((endMs) => ({ startMs: endMs - spec.lengthMs, endMs }));
    const halves = touched.filter((window) => window.endMs < firstEndMs);
    const again = touched.slice(halves.length);
    await dueJudge.reviseVolumes(model, halves);
    for (const { endMs } of halves) {
      seen(state, endMs);
      state.waits.end(endMs);
    }
    for (const slice of slices(again)) {
      const counted = await countedIn(model, slice);
      const runs = await store.listRuns(model, (slice[0]?.endMs ?? 0) - 1, slice.at(-1)?.endMs ?? 0);
      const found = outstanding(counted, runs, minimumMaturity);
      const isDue = (each: DueWindow) => found.due.has(each) || state.corrected.has(each.window.endMs);
      const isTaken = (each: DueWindow) => isDue(each) || state.waited.has(each.window.endMs);
      const due = counted.filter(isTaken);
      const waiting = found.waiting.filter((each) => !isTaken(each));
      // Before these are recorded as judged: what a crash leaves undone is then seen again.
      await dueJudge.reviseVolumes(model, grown(due, runs));
      const loud = new Set(due.filter(isDue));
      await judge(due, runs, loud);
      for (const { window } of waiting) state.waits.begin(window.endMs);
      for (const { endMs } of slice) seen(state, endMs);
    }
    const gaps = createGapFilter(MAX_EMPTY_WINDOWS);
    for (const slice of slices(ready.windows)) {
      for (const due of await countedIn(model, slice)) await judge(gaps.next(due));
    }
    const { rest, skipped } = gaps.end();
    await judge(rest);
    if (ready.skipped + skipped > 0)
      logger.warn(
        { model: model.model, modelVersion: model.modelVersion, skipped: ready.skipped + skipped },
        'empty windows skipped',
      );
    return judged;
  }

  async function look(nowMs: number) {
    const watermarks = await store.watermarks();
    const models = await store.listModels();
    deps.gauges.retain(models);
    deps.metrics.ingestLag.reset();
    for (const mark of watermarks)
      if (models.some((m) => m.model === mark.model && m.modelVersion === mark.modelVersion))
        deps.metrics.ingestLag.set(
          { model: mark.model, model_version: mark.modelVersion },
          Math.max(0, nowMs - mark.watermarkMs) / 1_000,
        );
    return { watermarks, models };
  }

  return {
    /** Shows how old the newest rows are, and no model that is gone, while another process does the rest. */
    async watch(): Promise<void> {
      await look(deps.clock.now());
    },
    /** What is remembered may be old: another process has judged meanwhile. */
    forget: () => states.retain([]),
    /** Windows with a few more labels than when they were judged wait no longer: the next run judges them. Returns how many these are. */
    endWaiting: () => states.endWaiting(true),
    async run(): Promise<CycleResult> {
      // Read before the counting: whatever these have passed is counted below, while rows go on coming in.
      const nowMs = deps.clock.now();
      const { watermarks, models } = await look(nowMs);
      states.retain(models);
      const dirtyBuckets = await store.dirtyBuckets(nowMs - GRACE_MS);
      states.endWaiting();
      let hoursProfiled = 0;
      let rowsScored = 0;
      let windowsJudged = 0;
      async function follow(model: ModelVersion): Promise<void> {
        const rows = spanOf(model, { watermarks, dirtyBuckets });
        const reference = rows === undefined ? null : await store.currentReference(model);
        if (rows === undefined || reference === null) return;
        const { scored } = await deps.scoreOutliers(model, reference);
        rowsScored += scored;
        const judged = await judgeVersion(model, reference, rows, nowMs);
        windowsJudged += judged;
      }
      // Versions of one model share its hooks' limits and follow one another.
      const byModel = new Map<string, ModelVersion[]>();
      for (const model of models) byModel.set(model.model, [...(byModel.get(model.model) ?? []), model]);
      async function* counted() {
        const groups = [...byModel.values()];
        for (let at = 0; at < groups.length; at += MODELS_COUNTED_TOGETHER) {
          const some = groups.slice(at, at + MODELS_COUNTED_TOGETHER);
          try {
            hoursProfiled += await countChanges(some.flat(), { watermarks, dirtyBuckets });
          } catch (error) {
            states.doubt(some.flat());
            throw error;
          }
          yield* some;
        }
      }
      await sideBySide(counted(), MODELS_AT_ONCE, async (versions) => {
        for (const version of versions) await follow(version);
      });
      return { hoursProfiled, rowsScored, windowsJudged };
    },
  };
}

export type Cycle = ReturnType<typeof createCycle>;
