import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../domain/clock.js';
import type { WindowExplanation } from '../domain/explanation.js';
import type { VersionKey } from '../domain/ports.js';
import type { VersionComparison } from '../domain/version-comparison.js';
import { DAY_MS, HOUR_MS, type Window } from '../domain/window.js';
import { AppError, messageOf, whereMissing } from '../errors.js';
import type { ReportData } from '../views/data.js';
import { loadPerformance, type PerformanceSources } from '../views/load-performance.js';
import { loadReport } from '../views/load-report.js';
import type { ViewStore } from '../views/load-sides.js';
import { renderReport, reportSentence } from '../views/report.js';
import { retrainingsShown } from '../views/retrainings.js';
import type { VersionComparer } from './compare-versions.js';
import type { RetrainingReader } from './read-retrainings.js';

export interface BuiltReport {
  /** Absolute path of the HTML file. */
  readonly path: string;
  readonly summary: string;
  readonly data: ReportData;
}

/** Safe in any file system; names that had to change get a hash, so that two of them never share a file. */
function filePart(name: string): string {
  const plain = name
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 60);
  if (plain === name) return plain;
  return `${plain || 'model'}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

/** The file name of a report: one per version and period, written again in place. */
export function reportFileName(key: VersionKey, period: Window): string {
  const stamp = (ms: number) => {
    const text = new Date(ms).toISOString();
    return ms % DAY_MS === 0 ? text.slice(0, 10) : text.slice(0, 16).replace(':', '');
  };
  return `${filePart(key.model)}_${filePart(key.modelVersion)}_${stamp(period.startMs)}_${stamp(period.endMs)}.html`;
}

/** Names of the files in which reports of a model are; of none where the directory is not there. */
export async function reportsOf(directory: string, model: string): Promise<string[]> {
  const files = await readdir(directory).catch(whereMissing([]));
  return files.filter((file) => file.startsWith(`${filePart(model)}_`) && file.endsWith('.html'));
}

/**
 * Writes the report of one version and period as one self-contained HTML file into `directory`.
 * The file appears whole or not at all. Throws AppError `unknown_model`, or `file_unreadable` when it cannot be written.
 */
export async function buildReport(
  deps: {
    readonly store: ViewStore;
    readonly clock: Pick<Clock, 'now'>;
    /** Why what drifted in a period did. */
    readonly explain: (key: VersionKey, period: Window) => Promise<{ explanation: WindowExplanation }>;
    /** How good a version was and was expected to be; not told when left out. */
    readonly performance?: PerformanceSources;
    /** The version beside others; not told when left out. */
    readonly compareVersions?: VersionComparer;
    /** Versions trained for episodes, and what became of it; not told when left out. */
    readonly retrainings?: RetrainingReader;
  },
  request: VersionKey & { readonly period: Window; readonly directory: string },
): Promise<BuiltReport> {
  const { period } = request;
  if (!(period.startMs < period.endMs))
    throw new RangeError(`a report needs a period, got ${period.startMs} to ${period.endMs} ms`);
  const key = { model: request.model, modelVersion: request.modelVersion };
  const data = await loadReport(deps.store, key, period, deps.clock.now());
  if (data === null) {
    throw new AppError(
      'unknown_model',
      `model ${key.model} has no registered version ${key.modelVersion}: register it first`,
    );
  }
  const { explanation } = await deps.explain(key, period);
  const performance = await loadPerformance(deps.performance ?? {}, key, period);
  const comparisons = await comparisonsOf(deps, key, period);
  const judged = (await deps.retrainings?.(key.model, key.modelVersion)) ?? [];
  const retrainings = retrainingsShown(judged, key, data.episodes);
  const path = join(resolve(request.directory), reportFileName(key, period));
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(request.directory, { recursive: true });
    await writeFile(draft, renderReport(data, explanation, performance, comparisons, retrainings));
    await rename(draft, path);
  } catch (cause) {
    throw new AppError(
      'file_unreadable',
      `cannot write the report ${path}: ${messageOf(cause)}; choose a directory that can be written`,
      { cause },
    );
  }
  return { path, summary: reportSentence(data, retrainings), data };
}

/** Beside at most so many other versions. */
const MAX_COMPARED = 3;

/** The version beside others that had predictions in the period; the one that was registered first is the champion. */
export async function comparisonsOf(
  { store, compareVersions }: { readonly store: ViewStore; readonly compareVersions?: VersionComparer },
  key: VersionKey,
  period: Window,
): Promise<VersionComparison[]> {
  if (compareVersions === undefined) return [];
  const marks = (await store.watermarks()).filter(
    ({ model, firstEventMs, watermarkMs }) =>
      model === key.model && firstEventMs < period.endMs && watermarkMs >= period.startMs,
  );
  const active = (await store.listModels())
    .filter(
      ({ model, modelVersion }) =>
        model === key.model && marks.some((mark) => mark.modelVersion === modelVersion),
    )
    .sort((a, b) => a.registeredAtMs - b.registeredAtMs);
  if (!active.some(({ modelVersion }) => modelVersion === key.modelVersion)) return [];
  const own = marks.find((mark) => mark.modelVersion === key.modelVersion);
  const comparisons: VersionComparison[] = [];
  for (const other of active
    .filter(({ modelVersion }) => modelVersion !== key.modelVersion)
    .slice(-MAX_COMPARED)) {
    const mark = marks.find((each) => each.modelVersion === other.modelVersion);
    const both = bothIn(period, own, mark);
    if (both === null) continue;
    const [champion, challenger] = active
      .map(({ modelVersion }) => modelVersion)
      .filter((version) => version === key.modelVersion || version === other.modelVersion);
    if (champion === undefined || challenger === undefined) continue;
    comparisons.push(
      await compareVersions({
        ...{ model: key.model, champion, challenger },
        ...{ from: both.startMs, to: both.endMs, bucket: null },
      }),
    );
  }
  return comparisons;
}

type Mark = { readonly firstEventMs: number; readonly watermarkMs: number } | undefined;

/** The whole hours of a period in which both have rows. */
function bothIn(period: Window, a: Mark, b: Mark): Window | null {
  if (a === undefined || b === undefined) return null;
  const startMs = Math.max(period.startMs, a.firstEventMs, b.firstEventMs);
  const endMs = Math.min(period.endMs, a.watermarkMs + HOUR_MS, b.watermarkMs + HOUR_MS);
  const whole = {
    startMs: Math.floor(startMs / HOUR_MS) * HOUR_MS,
    endMs: Math.floor(endMs / HOUR_MS) * HOUR_MS,
  };
  return whole.startMs < whole.endMs ? whole : null;
}
