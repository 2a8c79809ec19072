import type { Candidate } from '../detectors/measure-columns.js';
import { createPlantedShift } from '../detectors/planted-shift.js';
import { quickOutcomes } from '../detectors/quick-judgement.js';
import type { Backtest, PlantedShift, TriedPolicy } from '../domain/backtest.js';
import type { ModelVersion } from '../domain/model.js';
import type { Store } from '../domain/ports.js';
import type { Profile } from '../domain/profile.js';
import { type Reference, referenceBuckets } from '../domain/reference.js';
import type { Verdict } from '../domain/verdict.js';
import { DAY_MS, type Window, type WindowSpec, windowsEndingIn } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { EpisodeBudget } from '../stats/episode-budget.js';
import { createPopulations } from './backtest-populations.js';
import { type AlarmSettings, createLevelChooser } from './false-alarm-level.js';
import { createPolicyReplay, type DecideEpisode, outcomesOfRows } from './policy-replay.js';
import type { SegmentBaselines } from './segments.js';
import { createShiftRecord, shiftDelays } from './shift-delays.js';

/** Windows whose stored verdicts are read at once, and after which progress is told. */
const WINDOWS_PER_PART = 168;
/** Of one detector: windows of a part, overlapping ones too, with hundreds of segments. */
const MOST_STORED = 100_000;
/** Two years of hourly windows. */
const MOST_WINDOWS = 17_600;
const WEEK_MS = 7 * DAY_MS;
/** What cannot be counted from profiles: outliers, features together, and realised performance. */
const STORED_DETECTORS = [
  'isolationForest',
  'domainClassifier',
  'rocAuc',
  'accuracy',
  'meanAbsoluteError',
] as const;

export interface BacktesterDeps {
  readonly store: Pick<
    Store,
    | 'currentReference'
    | 'listGrids'
    | 'mergedProfiles'
    | 'profileSeries'
    | 'listRuns'
    | 'listVerdicts'
    | 'watermarks'
    | 'dirtyBuckets'
  >;
  readonly settings: (model: string) => AlarmSettings;
  /** The segments of a version that are judged as well; none when left out. */
  readonly segments?: SegmentBaselines | undefined;
  readonly budget: EpisodeBudget;
  readonly decide: DecideEpisode;
  /** Lets others have their turn when it is time to; called after each window. */
  readonly pause: () => Promise<void>;
}

export interface BacktestRequest {
  /** Event time to replay; all that is stored when null. */
  readonly period: Window | null;
  readonly policies: readonly TriedPolicy[];
  readonly shifts: readonly PlantedShift[];
}

export interface BacktestRun {
  /** Windows done, of how many. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** One planted shift: how profiles change, and what each policy's windows said. */
interface Planted {
  readonly shift: PlantedShift;
  readonly plant: (profile: Profile) => Profile;
  readonly records: readonly ReturnType<typeof createShiftRecord>[];
}

/**
 * Replays policies over stored profiles: each window's primary tests are measured once and decided at each policy's level, then the
 * policy's own rule opens and closes. Compares with the registered reference. Stores nothing; memory does not grow with the period but
 * for one byte per window, policy and shift.
 */
export function createBacktester(deps: BacktesterDeps) {
  const { store, pause } = deps;

  async function sidesOf(model: ModelVersion) {
    const reference = await store.currentReference(model);
    if (reference === null)
      throw new AppError('not_found', 'this model version has no reference yet: PUT …/reference');
    const key = { model: model.model, modelVersion: model.modelVersion };
    const scope = `reference:${reference.hash}`;
    const referenceProfiles = await store.mergedProfiles({ ...key, scope }, referenceBuckets(reference));
    return { key, reference, grids: await store.listGrids(model.model), referenceProfiles };
  }

  async function windowsOf(model: ModelVersion, spec: WindowSpec, period: Window | null): Promise<Window[]> {
    const rows = (await store.watermarks()).find(
      (known) => known.model === model.model && known.modelVersion === model.modelVersion,
    );
    if (rows === undefined)
      throw new AppError('invalid_request', 'this model version has no rows yet: there is nothing to replay');
    const startMs = Math.max(period?.startMs ?? 0, rows.firstEventMs);
    const endMs = Math.min(period?.endMs ?? Number.POSITIVE_INFINITY, rows.watermarkMs + spec.stepMs);
    const fromMs = Math.ceil(startMs / spec.stepMs) * spec.stepMs + spec.lengthMs - spec.stepMs;
    const count = Math.floor((endMs - fromMs) / spec.stepMs);
    if (count < 1)
      throw new AppError('invalid_request', 'from, to: no whole window with rows lies in this period');
    if (count > MOST_WINDOWS)
      throw new AppError(
        'invalid_request',
        `from, to: ${count} windows are too many, at most ${MOST_WINDOWS}: choose a shorter period`,
      );
    return windowsEndingIn(spec, fromMs, endMs);
  }

  /** Hours of the period whose rows no cycle has counted yet, or not all of them: they would pass for empty. */
  async function hoursNotCounted({ model, modelVersion }: ModelVersion, period: Window): Promise<number> {
    const dirty = (await store.dirtyBuckets()).find(
      (known) => known.model === model && known.modelVersion === modelVersion,
    );
    return dirty?.hourStartsMs.filter((ms) => ms >= period.startMs && ms < period.endMs).length ?? 0;
  }

  /** Outliers and performance cannot be counted from profiles: what the service has judged of them is taken over. */
  async function storedVerdicts(reference: Reference, spec: WindowSpec, slice: Window) {
    const found = new Map<number, Verdict[]>();
    const window = { startMs: slice.startMs - spec.lengthMs, endMs: slice.endMs };
    const { model, modelVersion, forest, multivariate, performance = [] } = reference;
    const hasRows: Readonly<Record<string, boolean>> = {
      isolationForest: forest !== null,
      domainClassifier: multivariate !== undefined,
    };
    for (const detector of STORED_DETECTORS) {
      const figure = performance.some((baseline) => baseline.figure === detector);
      if (!(hasRows[detector] ?? figure)) continue;
      const query = { model, modelVersion, window, detector, limit: MOST_STORED };
      const ofSegments = (reference.segments ?? []).some((part) =>
        part.performance?.some((baseline) => baseline.figure === detector),
      );
      const judged = [
        ...(await store.listVerdicts(query)),
        ...(ofSegments ? await store.listVerdicts({ ...query, segment: 'every' }) : []),
      ];
      for (const verdict of judged)
        if (verdict.window.endMs - verdict.window.startMs === spec.lengthMs)
          found.set(verdict.window.endMs, [...(found.get(verdict.window.endMs) ?? []), verdict]);
    }
    return found;
  }

  return async function backtest(
    model: ModelVersion,
    request: BacktestRequest,
    { onProgress, signal }: BacktestRun,
  ): Promise<Backtest> {
    const { window: spec } = deps.settings(model.model);
    const { key, reference, grids, referenceProfiles } = await sidesOf(model);
    const windows = await windowsOf(model, spec, request.period);
    const period = { startMs: startOf(windows), endMs: windows.at(-1)?.endMs ?? 0 };
    const notCounted = await hoursNotCounted(model, period);
    const segments = (await deps.segments?.(model, reference)) ?? [];
    const sides = { model, reference, grids, referenceProfiles };
    const populations = createPopulations(store, sides, segments, { key, spec, period });
    const [whole] = populations;
    const plantedShifts = request.shifts.map(
      (shift): Planted => ({
        shift,
        plant: createPlantedShift(shift, grids, referenceProfiles),
        records: request.policies.map(() => createShiftRecord(windows.length)),
      }),
    );
    const tried = request.policies.map((policy) => ({
      ...policy,
      levels: createLevelChooser({
        store,
        settings: () => ({ ...policy, window: spec }),
        budget: deps.budget,
        segments: async () => segments,
      }),
      replay: createPolicyReplay(key, policy.policy, spec.stepMs, deps.decide),
      least: Number.POSITIVE_INFINITY,
      greatest: 0,
      quiet: 0,
    }));
    let emptyWindows = 0;
    let done = 0;

    async function judge(window: Window, others: readonly Verdict[]) {
      const rows = whole?.rows() ?? 0;
      if (rows === 0) emptyWindows += 1;
      const levels: number[] = [];
      for (const policy of tried) {
        const level = await policy.levels.levelFor(model, reference, window);
        policy.least = Math.min(policy.least, level);
        policy.greatest = Math.max(policy.greatest, level);
        levels.push(level);
      }
      const most = Math.max(...levels);
      const parts = populations.map((population) => ({ population, measured: population.measure(most) }));
      const measured = parts.flatMap((part) => part.measured);
      const shifted = plantedShifts.map(({ shift: { feature }, plant }) =>
        parts.flatMap((part) => part.population.shifted(part.measured, { feature, plant }, most)),
      );
      for (const [number, policy] of tried.entries()) {
        const level = levels[number] ?? most;
        const outcomes = (candidates: readonly Candidate[]) =>
          outcomesOfRows(quickOutcomes(candidates, others, level), rows, policy.policy);
        if (rows < (policy.policy.minimumRows ?? 0)) policy.quiet += 1;
        policy.replay.next(window, outcomes(measured));
        for (const [at, { shift, records }] of plantedShifts.entries())
          records[number]?.note(done, shift.feature, outcomes(shifted[at] ?? measured));
      }
      done += 1;
    }

    let stored = new Map<number, Verdict[]>();
    let untilMs = period.startMs;
    try {
      for (let atMs = period.startMs; atMs < period.endMs; atMs += spec.stepMs) {
        signal.throwIfAborted();
        if (atMs >= untilMs) {
          untilMs = Math.min(period.endMs, atMs + WINDOWS_PER_PART * spec.stepMs);
          stored = await storedVerdicts(reference, spec, { startMs: atMs, endMs: untilMs });
          onProgress(done, windows.length);
        }
        for (const population of populations) await population.step(atMs);
        const window = windows[done];
        if (window === undefined || whole?.isFull() !== true) continue;
        await judge(window, stored.get(window.endMs) ?? []);
        await pause();
      }
    } finally {
      for (const population of populations) await population.close();
    }
    onProgress(done, windows.length);

    const weeks = (windows.length * spec.stepMs) / WEEK_MS;
    const policies: Backtest['policies'][number][] = [];
    for (const [number, { name, policy, replay, least, greatest, quiet }] of tried.entries()) {
      const { opened, episodes, driftedWindows } = replay.result();
      const shifts: Backtest['policies'][number]['shifts'][number][] = [];
      for (const { shift, records } of plantedShifts) {
        const record = records[number];
        if (record === undefined) continue;
        const { stepMs } = spec;
        shifts.push(
          await shiftDelays({ key, shift, windows, record, policy, stepMs, decide: deps.decide, pause }),
        );
      }
      policies.push({
        name,
        level: { least, greatest },
        driftedWindows,
        windowsBelowMinimum: quiet,
        opened,
        episodes,
        pagesPerWeek: opened / weeks,
        shifts,
      });
    }
    return {
      ...key,
      referenceHash: reference.hash,
      period,
      windowMs: spec.lengthMs,
      stepMs: spec.stepMs,
      windows: windows.length,
      emptyWindows,
      hoursNotCounted: notCounted,
      policies,
    };
  };
}

export type Backtester = ReturnType<typeof createBacktester>;

function startOf(windows: readonly Window[]): number {
  return windows[0]?.startMs ?? 0;
}
