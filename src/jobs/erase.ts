import { randomUUID } from 'node:crypto';
import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../domain/clock.js';
import type { Erasure, ErasureStore, ErasureTarget, TargetsIn } from '../domain/erasure.js';
import type { Logger, ModelStore } from '../domain/ports.js';
import type { ReportStore } from '../domain/report.js';
import { AppError } from '../errors.js';
import { escapeHtml } from '../views/html.js';
import { reportsOf } from './build-report.js';

export interface EraserDeps {
  readonly store: Pick<ErasureStore, 'eraseRows' | 'saveErasure'> &
    Pick<ModelStore, 'listModels'> &
    Pick<ReportStore, 'removeReportsWith'>;
  /** Forms in which the target's id or value may be stored. Throws invalid_request where its tag never is. */
  readonly formsOf: (model: string, target: ErasureTarget) => readonly string[];
  /** Forms in which the id of a stored prediction may stand elsewhere: sides of calls hold it hashed. */
  readonly formsOfId: (model: string, predictionId: string) => readonly string[];
  readonly targetsIn: TargetsIn;
  /** Makes what was noted as erased known to those who write rows, and resolves when all taken before it is stored. */
  readonly settled: () => Promise<void>;
  readonly reportsDirectory: string;
  readonly wallClock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
}

export interface ErasureRequest {
  readonly model: string;
  readonly target: ErasureTarget;
  readonly by: string;
  readonly reason: string;
}

/** Of an id or value that is told in a report. */
const SHOWN_LENGTH = 50;

/** Erases rows on request: one request after the other, as each rewrites tables. Throws unknown_model. */
export function createEraser(deps: EraserDeps) {
  const { store, formsOf, formsOfId, targetsIn, settled, reportsDirectory, wallClock, logger } = deps;
  let last: Promise<unknown> = Promise.resolve();

  /** Kept reports hold no rows, but may name a segment: those that name one of a subject's values go, with the events about them. */
  function removeKept(model: string, values: readonly string[]): Promise<number> {
    const inPages = values.map((value) => escapeHtml(value.slice(0, SHOWN_LENGTH)));
    const inDocuments = values.map((value) => JSON.stringify(value.slice(0, SHOWN_LENGTH)).slice(1, -1));
    return store.removeReportsWith(model, [...new Set([...inPages, ...inDocuments])]);
  }

  /** Reports are made again on request: those in which one of the texts may stand go. */
  async function removeReports(model: string, texts: readonly string[]): Promise<number> {
    let removed = 0;
    const shown = texts.map((text) => escapeHtml(text.slice(0, SHOWN_LENGTH)));
    for (const file of await reportsOf(reportsDirectory, model)) {
      const path = join(reportsDirectory, file);
      const page = await readFile(path, 'utf8');
      if (!shown.some((text) => page.includes(text))) continue;
      await unlink(path);
      removed += 1;
    }
    return removed;
  }

  async function eraseOne({ model, target, by, reason }: ErasureRequest): Promise<Erasure> {
    if (!(await store.listModels()).some((known) => known.model === model))
      throw new AppError(
        'unknown_model',
        'this model is not registered: GET /v1/models lists those that are',
      );
    const values = formsOf(model, target);
    const atMs = wallClock.now();
    const { erased, predictionIds } = await store.eraseRows({
      model,
      target,
      values,
      formsOfId: (predictionId) => formsOfId(model, predictionId),
      targetsIn,
      atMs,
      settled,
    });
    const kept = target.kind === 'subject' ? await removeKept(model, values) : 0;
    const reports = kept + (await removeReports(model, [...values, ...predictionIds]));
    const erasure: Erasure = {
      id: randomUUID(),
      model,
      kind: target.kind,
      atMs,
      by,
      reason,
      erased: { ...erased, ...(reports === 0 ? {} : { reports }) },
      predictionIds: predictionIds.length,
    };
    await store.saveErasure(erasure);
    logger.warn({ model, kind: target.kind, by, erased: erasure.erased }, 'rows were erased');
    return erasure;
  }

  return function erase(request: ErasureRequest): Promise<Erasure> {
    const turn = last.then(() => eraseOne(request));
    last = turn.catch(() => undefined);
    return turn;
  };
}
