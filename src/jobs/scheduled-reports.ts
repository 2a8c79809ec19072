import type { Clock } from '../domain/clock.js';
import type { Logger, ModelStore, ProfileStore, VerdictStore } from '../domain/ports.js';
import { BY_HAND, type ReportRun, type ReportStore, type StoredReport } from '../domain/report.js';
import {
  firingsIn,
  latestFiring,
  type PeriodLength,
  type Periods,
  periodsBefore,
  type WallTimes,
} from '../domain/schedule.js';
import { DAY_MS } from '../domain/window.js';
import { AppError, messageOf } from '../errors.js';
import type { Metrics } from '../metrics.js';
import { handId, type ReportMaker, reportId } from './make-report.js';

/** One of a model's reports, as it was configured. */
export interface ReportSetting {
  readonly name: string;
  readonly times: WallTimes;
  readonly period: PeriodLength;
  readonly keep: { readonly count?: number | undefined; readonly days?: number | undefined };
}

/** Longer than making a report or sending a mail takes; as long another process waits for one that died. */
export const LEASE_MS = 300_000;
/** How long a report waits for windows of its period that are not judged, by real time. */
const PATIENCE_MS = 3_600_000;
/** Waits after a failure, by real time; after the last one the report is given up. */
const RETRY_MS = [60_000, 300_000, 900_000, 3_600_000, 10_800_000] as const;
/** Counted of what was missed. */
const MAX_MISSED = 1_000;
/** Read to find what is kept no longer. */
const MAX_LISTED = 100_000;
/** Of reports that people asked for. */
const KEPT_BY_HAND = { count: 60 } as const;

export interface ScheduledReportsDeps<S extends ReportSetting> {
  readonly store: ReportStore &
    Pick<ModelStore, 'listModels' | 'currentReference'> &
    Pick<ProfileStore, 'watermarks'> &
    Pick<VerdictStore, 'listRuns'>;
  readonly settings: (model: string) => readonly S[];
  /** From one window's end to the next one's, ms. */
  readonly stepMs: (model: string) => number;
  readonly makeReport: ReportMaker;
  /** Writes what is owed to hooks and people into the outbox; doing it again changes nothing. */
  readonly announce: (report: StoredReport, setting: S) => Promise<void>;
  /** The service's: schedules follow it, as windows do. */
  readonly clock: Pick<Clock, 'now'>;
  readonly wallClock: Pick<Clock, 'now'>;
  /** Takes a schedule of a model for this process; false while it is another's. */
  readonly claim: (name: string) => Promise<boolean>;
  readonly metrics: Pick<Metrics, 'reports' | 'reportLastSuccess'>;
  readonly logger: Logger;
}

interface Due extends Periods {
  readonly model: string;
  readonly id: string;
  readonly firesAtMs: number;
  readonly attempts: number;
  readonly missed: number;
}

/**
 * Makes reports at their times. Which are due is read from the store, so that a time that passed while nobody was there is made up for
 * once: for the newest of them, which says how many there were. Ids are derived from model, schedule and period, so that whatever a crash
 * or a second process repeats changes nothing.
 */
export function createScheduledReports<S extends ReportSetting>(deps: ScheduledReportsDeps<S>) {
  const { store, settings, clock, wallClock, metrics } = deps;
  const logger = deps.logger.child({ component: 'reports' });
  /** When a report was first found to wait for its windows, by id, real time. */
  const waiting = new Map<string, number>();
  /** Schedules whose last success is shown, which a restart forgets, by model. */
  const shown = new Map<string, Set<string>>();
  /** The newest time of each schedule about which nothing is left to do, by model and schedule. */
  const done = new Map<string, Map<string, number>>();
  for (const outcome of ['made', 'failed', 'given_up']) metrics.reports.inc({ outcome }, 0);

  function showSuccess({ model, schedule, state, atMs }: ReportRun): void {
    shown.set(model, new Set(shown.get(model)).add(schedule));
    if (state === 'made') metrics.reportLastSuccess.set({ model, schedule }, atMs / 1_000);
  }

  function forget(models: ReadonlySet<string>): void {
    for (const model of done.keys()) if (!models.has(model)) done.delete(model);
    for (const [model, schedules] of shown) {
      if (models.has(model)) continue;
      for (const schedule of schedules) metrics.reportLastSuccess.remove({ model, schedule });
      shown.delete(model);
    }
  }

  const runOf = (due: Due, setting: S, state: ReportRun['state'], detail = ''): ReportRun => ({
    ...{ model: due.model, schedule: setting.name, id: due.id, firesAtMs: due.firesAtMs, state, detail },
    ...{ attempts: due.attempts + 1, missed: due.missed, atMs: wallClock.now() },
  });

  /** What is to be made now; null where nothing is. The first time that a schedule is seen it begins, and nothing is made. */
  async function dueOf(model: string, setting: S): Promise<Due | null> {
    const { name, times } = setting;
    const nowMs = clock.now();
    // A clock that follows the data shows nothing before the first of it.
    const firesAtMs = nowMs <= 0 ? null : latestFiring(times, nowMs);
    // Nothing is left to do about this time: most often so, and then the store need not be asked.
    if (firesAtMs === null || done.get(model)?.get(name) === firesAtMs) return null;
    const periods = periodsBefore(setting.period, times.zone, firesAtMs);
    const id = reportId(model, name, periods.period.endMs);
    const base = { model, id, firesAtMs, ...periods };
    const last = await store.lastReportRun(model, name);
    if (last === null) {
      await store.saveReportRun(runOf({ ...base, attempts: -1, missed: 0 }, setting, 'begun'));
      logger.info({ model, schedule: name, firesAtMs }, 'the schedule begins');
      return null;
    }
    if (last.firesAtMs === firesAtMs && last.state !== 'failed')
      done.set(model, new Map(done.get(model)).set(name, firesAtMs));
    if (shown.get(model)?.has(name) !== true) showSuccess(last);
    if (firesAtMs < last.firesAtMs) return null;
    if (firesAtMs === last.firesAtMs) {
      if (last.state !== 'failed' || last.id !== id) return null;
      const waitMs = RETRY_MS[last.attempts - 1] ?? 0;
      if (wallClock.now() < last.atMs + waitMs) return null;
      return { ...base, attempts: last.attempts, missed: last.missed };
    }
    if (last.id === id && last.state !== 'failed') {
      // Another time of the same period, whose report is there: not one that was missed.
      await store.saveReportRun({ ...last, firesAtMs });
      return null;
    }
    const between = firingsIn(times, last.firesAtMs, firesAtMs - 1, MAX_MISSED);
    const failed = last.state === 'failed' && last.id !== id ? 1 + last.missed : 0;
    return { ...base, attempts: 0, missed: Math.min(between + failed, MAX_MISSED) };
  }

  /** Whether every window of the period is judged that will be: of versions with rows in it, and with a reference. */
  async function isJudged({ model, period }: Due): Promise<boolean> {
    const stepMs = deps.stepMs(model);
    for (const { model: name, modelVersion, firstEventMs, watermarkMs } of await store.watermarks()) {
      if (name !== model || firstEventMs >= period.endMs || watermarkMs < period.startMs) continue;
      const key = { model, modelVersion };
      if ((await store.currentReference(key)) === null) continue;
      const last = (await store.listRuns(key, period.endMs - stepMs, period.endMs)).at(-1);
      if (last === undefined) return false;
    }
    return true;
  }

  async function mayBeMade(due: Due): Promise<boolean> {
    if (await isJudged(due)) return true;
    const sinceMs = waiting.get(due.id) ?? wallClock.now();
    waiting.set(due.id, sinceMs);
    if (wallClock.now() - sinceMs >= PATIENCE_MS) {
      logger.warn({ model: due.model, id: due.id }, 'made before all windows of its period are judged');
      return true;
    }
    return false;
  }

  async function make(due: Due, setting: S): Promise<StoredReport> {
    // One that a crash left without its announcement.
    const known = await store.findReport(due.model, due.id);
    if (known !== null) return known;
    const { id, model, period, previous, missed } = due;
    const report = await deps.makeReport({
      ...{ id, model, period, previous, missed },
      schedule: setting.name,
      timeZone: setting.times.zone,
    });
    await store.saveReport(report);
    return report;
  }

  async function expire(model: string, schedule: string, keep: ReportSetting['keep']): Promise<void> {
    const entries = await store.listReports({ model, schedule, limit: MAX_LISTED });
    const oldestMs = keep.days === undefined ? 0 : wallClock.now() - keep.days * DAY_MS;
    const old = entries.filter(
      ({ madeAtMs }, place) => place > 0 && (place >= (keep.count ?? MAX_LISTED) || madeAtMs < oldestMs),
    );
    const removed = await store.removeReports(
      model,
      old.map(({ id }) => id),
    );
    if (removed > 0) logger.info({ model, schedule, removed }, 'reports were kept long enough');
  }

  async function follow(model: string, setting: S): Promise<void> {
    const due = await dueOf(model, setting);
    if (due === null || !(await mayBeMade(due))) return;
    if (!(await deps.claim(`reports:${reportId(model, setting.name, 0)}`))) return;
    // It may have been made between the question and the claim.
    const last = await store.lastReportRun(model, setting.name);
    if (last !== null && last.id === due.id && ['made', 'given_up'].includes(last.state)) return;
    const fields = { model, schedule: setting.name, id: due.id };
    try {
      const report = await make(due, setting);
      await deps.announce(report, setting);
      const run = runOf(due, setting, 'made');
      await store.saveReportRun(run);
      metrics.reports.inc({ outcome: 'made' });
      showSuccess(run);
      logger.info({ ...fields, missed: due.missed }, 'report made');
      waiting.delete(due.id);
    } catch (error) {
      const last = RETRY_MS[due.attempts] === undefined;
      const outcome = last ? 'given_up' : 'failed';
      metrics.reports.inc({ outcome });
      logger.error(
        { ...fields, reason: messageOf(error) },
        last ? 'report given up' : 'report failed, will be tried again',
      );
      await store.saveReportRun(runOf(due, setting, outcome, messageOf(error).slice(0, 500)));
      return;
    }
    await expire(model, setting.name, setting.keep);
  }

  return {
    /** Makes what is due, one after the other. What fails is tried again later and keeps no other from being made. */
    async run(): Promise<void> {
      const models = new Set((await store.listModels()).map(({ model }) => model));
      forget(models);
      const errors: unknown[] = [];
      for (const model of models)
        for (const setting of settings(model))
          await follow(model, setting).catch((error: unknown) => errors.push(error));
      if (errors.length > 0) throw errors[0];
    },

    /**
     * Makes one now: of a schedule, by default the model's first, or of any period. Kept beside those that are made by themselves.
     *
     * @param announce also to whom the schedule's reports go
     * @throws AppError unknown_model; not_found for a schedule that is none; invalid_request without one to announce to
     */
    async runNow(request: {
      readonly model: string;
      readonly modelVersion?: string | undefined;
      readonly schedule?: string | undefined;
      readonly period?: Periods['period'] | undefined;
      readonly announce: boolean;
      readonly nonce: string;
    }): Promise<StoredReport> {
      const { model, modelVersion, announce } = request;
      const known = settings(model);
      const setting =
        request.schedule === undefined ? known[0] : known.find(({ name }) => name === request.schedule);
      if (setting === undefined && request.schedule !== undefined)
        throw new AppError(
          'not_found',
          `${model} has no report ${request.schedule}: it has ${known.map(({ name }) => name).join(', ') || 'none'}`,
        );
      if (setting === undefined && announce)
        throw new AppError(
          'invalid_request',
          `no report is configured for ${model}: there is nobody to tell`,
        );
      const timeZone = setting?.times.zone ?? 'UTC';
      const periods =
        request.period === undefined
          ? periodsBefore(setting?.period ?? 'week', timeZone, clock.now())
          : withPrevious(request.period);
      const report = await deps.makeReport({
        ...{ model, modelVersion, ...periods, timeZone, missed: 0, schedule: BY_HAND },
        id: handId(model, periods.period, request.nonce),
      });
      await store.saveReport(report);
      metrics.reports.inc({ outcome: 'made' });
      logger.info({ model, id: report.facts.id, announce }, 'report made by hand');
      if (setting !== undefined && announce) await deps.announce(report, setting);
      await expire(model, BY_HAND, KEPT_BY_HAND);
      return report;
    },
  };
}

/** The period as long before. */
function withPrevious(period: Periods['period']): Periods {
  const lengthMs = period.endMs - period.startMs;
  return { period, previous: { startMs: period.startMs - lengthMs, endMs: period.startMs } };
}

export type ScheduledReports = ReturnType<typeof createScheduledReports>;
