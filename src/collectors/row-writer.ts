import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../domain/clock.js';
import type { ErasedRows } from '../domain/erasure.js';
import type { Logger, RowBatch, RowStore } from '../domain/ports.js';
import type { IngestCounts, LabelRow, PredictionRow, RejectedRow } from '../domain/prediction.js';
import { type PredictionList, type RowList, tallyOf } from '../domain/row-list.js';
import { AppError, messageOf } from '../errors.js';
import type { Metrics } from '../metrics.js';
import { type ErasedPositions, NOTHING_ERASED, placedBack, withoutErased } from './erased-rows.js';
import type { Privacy } from './privacy.js';

export interface RowWriterOptions {
  readonly store: RowStore;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long one batch is tried again while the store fails, ms. */
  readonly retryForMs?: number;
  /** What may be kept of rejected messages and of calls' sides; all of it when left out. */
  readonly privacy?: Pick<Privacy, 'redact' | 'seal'> | undefined;
  /** What was erased, as far as is known by now; nothing when left out. */
  readonly erased?: (() => ErasedRows | null) | undefined;
}

export interface WriteResult {
  readonly predictions: IngestCounts;
  readonly labels: IngestCounts;
  /** Positions of the batch's rows that were known already, or came earlier in the same batch. */
  readonly duplicatePredictions: ReadonlySet<number>;
  readonly duplicateLabels: ReadonlySet<number>;
  /** Positions of rows that were erased before, and are not stored. */
  readonly erased: ErasedPositions;
}

const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 2_000;

/** Batches decided on and not yet stored: one in the engine, one being encoded. */
const MAX_UNDER_WAY = 2;

/**
 * The one door to the store for rows from everywhere: finds duplicates, inserts what is fresh under the batch's token, counts. What
 * is a duplicate is decided for one batch after the other, and while it is, of two equal rows in flight one is always seen: rows
 * that are not certainly new wait for the inserts under way before they are looked up. The first to come wins. A batch is decided
 * on and encoded while the one before it is stored.
 */
export function createRowWriter(options: RowWriterOptions) {
  const { store, metrics, clock, logger, privacy, erased, retryForMs = 20_000 } = options;
  let lastDecision: Promise<unknown> = Promise.resolve();
  /** Ends of inserts, whatever they end with. */
  const underWay = new Set<Promise<unknown>>();
  const settled = () => Promise.all(underWay);

  /** Unknown failures are tried again with the same rows and token until the time is up. Throws the last one. */
  async function persistently<T>(what: string, run: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + retryForMs;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, MAX_WAIT_MS)) {
      try {
        return await run();
      } catch (error) {
        const final = error instanceof AppError && !error.retryable;
        if (final || performance.now() + waitMs > deadline) throw error;
        logger.warn({ what, waitMs, error: messageOf(error) }, 'the store failed, trying again');
        await sleep(waitMs);
      }
    }
  }

  async function insert(batch: RowBatch): Promise<void> {
    const { predictions, labels, rejected, halves = [] } = batch;
    if (predictions.length + labels.length + rejected.length + halves.length === 0) return;
    const end = metrics.insertDuration.startTimer();
    await persistently('insert', () => store.insertRows(batch));
    end();
  }

  /** Begins the insert of what is fresh. */
  async function decide(whole: RowBatch) {
    while (underWay.size >= MAX_UNDER_WAY) await Promise.race(underWay);
    const refused = erased?.() ?? null;
    const { batch, positions } =
      refused === null
        ? { batch: whole, positions: NOTHING_ERASED }
        : await withoutErased(whole, refused, (rows) =>
            persistently('note what is refused', () => refused.refuse(rows)),
          );
    const find = <List extends { readonly length: number }>(
      rows: List,
      look: (rows: List, settled: () => Promise<unknown>) => Promise<ReadonlySet<number>>,
    ) => (rows.length === 0 ? NONE : persistently('find duplicates', () => look(rows, settled)));
    const duplicatePredictions = await find(batch.predictions, store.findDuplicatePredictions);
    const duplicateLabels = await find(batch.labels, store.findDuplicateLabels);
    const fresh: RowBatch = {
      ...batch,
      predictions: without<PredictionRow, PredictionList>(batch.predictions, duplicatePredictions),
      labels: without<LabelRow, readonly LabelRow[]>(batch.labels, duplicateLabels),
    };
    const inserted = insert(fresh);
    const ended: Promise<unknown> = inserted.then(
      () => underWay.delete(ended),
      () => underWay.delete(ended),
    );
    underWay.add(ended);
    return {
      fresh,
      duplicatePredictions: placedBack(duplicatePredictions, positions.predictions),
      duplicateLabels: placedBack(duplicateLabels, positions.labels),
      erased: positions,
      inserted,
    };
  }

  function record(fresh: RowBatch, source: string | undefined, result: WriteResult): void {
    let newestMs = Number.NEGATIVE_INFINITY;
    for (const version of tallyOf(fresh.predictions).versions()) {
      const labels = { model: version.model, model_version: version.modelVersion };
      metrics.predictions.inc(labels, version.rows);
      const { observe } = metrics.predictionLatency.labels(labels);
      for (const latencyMs of version.latenciesMs) observe(latencyMs / 1_000);
      newestMs = Math.max(newestMs, version.newestMs);
    }
    for (const row of fresh.labels) {
      metrics.labels.inc({ model: row.model, model_version: row.modelVersion });
      newestMs = Math.max(newestMs, row.timestampMs);
    }
    for (const row of fresh.rejected) metrics.rejected.inc({ kind: row.kind, reason: row.reason });
    for (const kind of ['prediction', 'label'] as const) {
      const { duplicate, erased: gone = 0 } = kind === 'prediction' ? result.predictions : result.labels;
      if (duplicate > 0) metrics.duplicates.inc({ kind }, duplicate);
      if (gone > 0) metrics.erased.inc({ kind }, gone);
    }
    if (newestMs > Number.NEGATIVE_INFINITY) clock.observe(newestMs);
    if (source === undefined) return;
    metrics.received.inc({ kind: 'prediction', source }, result.predictions.received);
    metrics.received.inc({ kind: 'label', source }, result.labels.received);
  }

  return {
    /** Durable when it resolves. Safe to repeat with the same batch and token. */
    async write(received: RowBatch): Promise<WriteResult> {
      const batch = privacy === undefined ? received : keepable(received, privacy);
      // A batch comes from one collector, so its first row tells the source of all.
      const source = (batch.predictions.at(0) ?? batch.labels[0] ?? batch.rejected[0])?.source.kind;
      const decision = lastDecision.then(() => decide(batch));
      lastDecision = decision.catch(() => undefined);
      const { fresh, duplicatePredictions, duplicateLabels, erased: gone, inserted } = await decision;
      await inserted;
      const countsOf = (
        kind: RejectedRow['kind'],
        rows: number,
        duplicates: ReadonlySet<number>,
        erasedRows: ReadonlySet<number>,
      ): IngestCounts => {
        let rejected = 0;
        let erasedCount = erasedRows.size;
        for (const [index, row] of batch.rejected.entries()) {
          if (row.kind !== kind) continue;
          if (gone.rejected.has(index)) erasedCount += 1;
          else rejected += 1;
        }
        return {
          received: rows + rejected + erasedCount - erasedRows.size,
          accepted: rows - duplicates.size - erasedRows.size,
          duplicate: duplicates.size,
          rejected,
          ...(erasedCount === 0 ? {} : { erased: erasedCount }),
        };
      };
      const { predictions, labels } = batch;
      const result = {
        predictions: countsOf('prediction', predictions.length, duplicatePredictions, gone.predictions),
        labels: countsOf('label', labels.length, duplicateLabels, gone.labels),
        duplicatePredictions,
        duplicateLabels,
        erased: gone,
      };
      record(fresh, source, result);
      return result;
    },

    /** Resolves when all that was given by now is stored, or has failed. */
    async settled(): Promise<void> {
      await lastDecision;
      await settled();
    },
  };
}

function keepable(batch: RowBatch, { redact, seal }: Pick<Privacy, 'redact' | 'seal'>): RowBatch {
  return { ...batch, rejected: batch.rejected.map(redact), halves: (batch.halves ?? []).map(seal) };
}

const NONE: ReadonlySet<number> = new Set();

/** The list itself when nothing is taken out: the store knows it again by that. */
function without<Row, List extends RowList<Row>>(rows: List, positions: ReadonlySet<number>): List | Row[] {
  if (positions.size === 0) return rows;
  if (positions.size === rows.length) return [];
  return [...rows].filter((_, index) => !positions.has(index));
}

export type RowWriter = ReturnType<typeof createRowWriter>;
