import { createHash } from 'node:crypto';
import type { Clock } from '../domain/clock.js';
import type { WindowExplanation } from '../domain/explanation.js';
import type { ModelVersion } from '../domain/model.js';
import type { OutlierStore } from '../domain/outlier-ports.js';
import type { RunRecord, VersionKey } from '../domain/ports.js';
import { BY_HAND, type ReportFacts, type StoredReport } from '../domain/report.js';
import type { Periods } from '../domain/schedule.js';
import type { VersionComparison } from '../domain/version-comparison.js';
import type { Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { ReportData } from '../views/data.js';
import { formatNumber, formatPercent } from '../views/format.js';
import { loadPerformance, type PerformanceSources } from '../views/load-performance.js';
import { loadReport } from '../views/load-report.js';
import type { ViewStore } from '../views/load-sides.js';
import { PERFORMANCE_WORDS } from '../views/performance.js';
import { windowSentence } from '../views/report.js';
import { changesOf, mainFigure } from '../views/report-changes.js';
import { type LoadedVersion, versionFacts } from '../views/report-facts.js';
import { retrainingSentence, retrainingsShown } from '../views/retrainings.js';
import { type DrawnVersion, renderScheduledReport } from '../views/scheduled-report.js';
import { comparisonsOf } from './build-report.js';
import type { VersionComparer } from './compare-versions.js';
import type { RetrainingReader } from './read-retrainings.js';

/** Of one model; those with the most rows. */
const MAX_VERSIONS = 4;
const MAX_CHANGES = 60;
/** Retrainings that the opening tells of. */
const OPENING_RETRAININGS = 2;

export interface ReportMakerDeps {
  readonly store: ViewStore & Pick<OutlierStore, 'outlierCounts'>;
  /** Real time, for when a report was made. */
  readonly wallClock: Pick<Clock, 'now'>;
  /** Why what drifted in a period did. */
  readonly explain: (key: VersionKey, period: Window) => Promise<{ explanation: WindowExplanation }>;
  readonly performance: PerformanceSources;
  readonly compareVersions: VersionComparer;
  readonly retrainings: RetrainingReader;
}

export interface ReportRequest extends Periods {
  readonly id: string;
  readonly model: string;
  /** Name of the schedule, or `manual`. */
  readonly schedule: string;
  readonly timeZone: string;
  readonly missed: number;
  /** Only this version; those with rows in one of the periods when left out. */
  readonly modelVersion?: string | undefined;
}

/** `rep_` and 32 hex digits of SHA-256 over model, schedule and the period's end: whoever makes it, it is the same. */
export function reportId(model: string, schedule: string, periodEndMs: number): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([model, schedule, periodEndMs]))
    .digest('hex');
  return `rep_${digest.slice(0, 32)}`;
}

/** From the start of the earliest window that ended in the period: each window belongs to one period, also where days of a zone cut it. */
function rangeOf(period: Window, runs: readonly RunRecord[]): Window {
  const starts = runs.map(({ window }) => window.startMs);
  return { startMs: Math.min(period.startMs, ...starts), endMs: period.endMs };
}

/** Makes reports on whole models. Throws AppError `unknown_model`. */
export function createReportMaker(deps: ReportMakerDeps) {
  const { store, wallClock } = deps;

  async function dataOf(key: VersionKey, period: Window, nowMs: number): Promise<ReportData> {
    const runs = await store.listRuns(key, period.startMs, period.endMs);
    const data = await loadReport(store, key, period, nowMs, rangeOf(period, runs));
    if (data === null)
      throw new AppError('unknown_model', `model ${key.model} has no version ${key.modelVersion} any more`);
    return data;
  }

  async function load(key: VersionKey, { period, previous }: Periods, nowMs: number): Promise<LoadedVersion> {
    const now = await dataOf(key, period, nowMs);
    const before = await dataOf(key, previous, nowMs);
    const counted = [
      await store.outlierCounts(key, period),
      await store.outlierCounts(key, previous),
    ] as const;
    const { performance } = deps.performance;
    const whole = { ...key, bucket: 'all', segment: null } as const;
    return {
      now,
      previous: before,
      performance:
        performance === undefined
          ? null
          : {
              now: await performance({ ...whole, period }),
              previous: await performance({ ...whole, period: previous }),
            },
      outliers: {
        scored: { now: counted[0].scored, previous: counted[1].scored },
        flagged: { now: counted[0].flagged, previous: counted[1].flagged },
      },
      retrainings: retrainingsShown(await deps.retrainings(key.model, key.modelVersion), key, now.episodes),
    };
  }

  async function draw(key: VersionKey, periods: Periods, nowMs: number): Promise<DrawnVersion> {
    const loaded = await load(key, periods, nowMs);
    const { explanation } = await deps.explain(key, periods.period);
    const known = await loadPerformance(deps.performance, key, periods.period);
    return { ...loaded, explanation, known, facts: versionFacts(loaded) };
  }

  /** Versions with rows in one of the periods, most rows first; without any the one that was registered last. */
  async function versionsOf({ model, modelVersion, period, previous }: ReportRequest) {
    const all = (await store.listModels()).filter((each) => each.model === model);
    const own = modelVersion === undefined ? all : all.filter((each) => each.modelVersion === modelVersion);
    if (own.length === 0)
      throw new AppError(
        'unknown_model',
        `model ${model} has no registered version${modelVersion === undefined ? '' : ` ${modelVersion}`}: register it first`,
      );
    const marks = (await store.watermarks()).filter(
      (mark) =>
        mark.model === model && mark.firstEventMs < period.endMs && mark.watermarkMs >= previous.startMs,
    );
    const active = own.filter((each) => marks.some((mark) => mark.modelVersion === each.modelVersion));
    if (active.length > 0) return active;
    return [...own].sort((a, b) => b.registeredAtMs - a.registeredAtMs).slice(0, 1);
  }

  async function comparisonsFor(
    versions: readonly ModelVersion[],
    period: Window,
  ): Promise<VersionComparison[]> {
    // Each beside the one that was registered first.
    const [champion] = [...versions].sort((a, b) => a.registeredAtMs - b.registeredAtMs);
    if (champion === undefined || versions.length < 2) return [];
    return comparisonsOf({ store, compareVersions: deps.compareVersions }, champion, period);
  }

  return async function makeReport(request: ReportRequest): Promise<StoredReport> {
    const nowMs = wallClock.now();
    const { id, model, schedule, timeZone, missed, period, previous } = request;
    const versions = await versionsOf(request);
    const drawn: DrawnVersion[] = [];
    for (const { modelVersion } of versions)
      drawn.push(await draw({ model, modelVersion }, { period, previous }, nowMs));
    const shown = drawn.sort((a, b) => b.facts.rows.now - a.facts.rows.now).slice(0, MAX_VERSIONS);
    const comparisons = request.modelVersion === undefined ? await comparisonsFor(versions, period) : [];
    const facts: ReportFacts = {
      format: 1,
      ...{ id, model, schedule, timeZone, period, previous, missed },
      madeAtMs: nowMs,
      summary: summaryOf(shown),
      changes: shown.flatMap((version) => changesOf(version, version.facts)).slice(0, MAX_CHANGES),
      versions: shown.map((version) => version.facts),
      versionsLeftOut: drawn.length - shown.length,
      comparisons: comparisons.map(({ champion, challenger, summary }) => ({
        champion: champion.modelVersion,
        challenger: challenger.modelVersion,
        summary,
      })),
    };
    return { facts, html: renderScheduledReport(facts, shown, comparisons) };
  };
}

/** The report in a few sentences: windows, episodes, performance, and what became of retraining. */
function summaryOf(versions: readonly DrawnVersion[]): string {
  const told = new Set<string>();
  const sentences = versions.map((version) => {
    const cures = version.retrainings
      .slice(0, OPENING_RETRAININGS)
      .map(retrainingSentence)
      .filter((sentence) => !told.has(sentence));
    for (const sentence of cures) told.add(sentence);
    const prefix = versions.length > 1 ? `Version ${version.facts.modelVersion}: ` : '';
    return [`${prefix}${windowSentence(version.now)}`, performanceSentence(version), ...cures]
      .filter((sentence) => sentence !== '')
      .join(' ');
  });
  return sentences.join(' ');
}

function performanceSentence({ facts: { task, performance } }: DrawnVersion): string {
  const now = performance?.now;
  const main = now == null ? null : mainFigure(task, now.figures);
  const figure = main === null ? undefined : now?.figures[main];
  if (now == null || main === null || figure === undefined) return '';
  const before = performance?.previous?.figures[main];
  const earlier = before === undefined ? '' : `, after ${formatNumber(before.value)}`;
  const doubt = now.status === 'undecided' ? ', which is too few to tell' : '';
  return `${PERFORMANCE_WORDS[main] ?? main} ${formatNumber(figure.value)}${earlier}, with ${formatPercent(now.maturity)} labelled${doubt}.`;
}

export type ReportMaker = ReturnType<typeof createReportMaker>;

/** A report that somebody asks for is another each time. */
export function handId(model: string, period: Window, nonce: string): string {
  return reportId(model, JSON.stringify([BY_HAND, period.startMs, nonce]), period.endMs);
}
