import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../domain/clock.js';
import type { WindowExplanation } from '../domain/explanation.js';
import type { VersionKey } from '../domain/ports.js';
import { DAY_MS, type Window } from '../domain/window.js';
import { AppError, messageOf } from '../errors.js';
import type { ReportData } from '../views/data.js';
import { loadReport } from '../views/load-report.js';
import type { ViewStore } from '../views/load-sides.js';
import { bucketFor } from '../views/performance.js';
import { renderReport, reportSentence } from '../views/report.js';
import type { PerformanceReader } from './read-performance.js';

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
    /** How good a version was; not told when left out. */
    readonly performance?: PerformanceReader;
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
  const question = { ...key, period, bucket: bucketFor(period), segment: null };
  const performance = (await deps.performance?.(question)) ?? null;
  const path = join(resolve(request.directory), reportFileName(key, period));
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(request.directory, { recursive: true });
    await writeFile(draft, renderReport(data, explanation, performance));
    await rename(draft, path);
  } catch (cause) {
    throw new AppError(
      'file_unreadable',
      `cannot write the report ${path}: ${messageOf(cause)}; choose a directory that can be written`,
      { cause },
    );
  }
  return { path, summary: reportSentence(data), data };
}
