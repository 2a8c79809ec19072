import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../domain/clock.js';
import type { Logger, RowBatch, RowStore, VersionKey } from '../domain/ports.js';
import type { IngestCounts, LabelRow, PredictionRow } from '../domain/prediction.js';
import { AppError, messageOf } from '../errors.js';
import type { Metrics } from '../metrics.js';

export interface RowWriterOptions {
  readonly store: RowStore;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long one batch is tried again while the store fails, ms. */
  readonly retryForMs?: number;
}

export interface WriteResult {
  readonly predictions: IngestCounts;
  readonly labels: IngestCounts;
  /** Positions of the batch's rows that were known already, or came earlier in the same batch. */
  readonly duplicatePredictions: ReadonlySet<number>;
  readonly duplicateLabels: ReadonlySet<number>;
}

const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 2_000;

const predictionKey = (row: PredictionRow) =>
  `${row.model}\0${row.modelVersion}\0${row.rowIndex}\0${row.predictionId}`;
const labelKey = (row: LabelRow) =>
  `${row.model}\0${row.modelVersion}\0${row.rowIndex}\0${row.timestampMs}\0${typeof row.label}${row.label}\0${row.predictionId}`;

function byVersion<Row extends VersionKey>(rows: readonly Row[]): [Row, ...Row[]][] {
  const groups = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const key = `${row.model}\0${row.modelVersion}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

function repeatsWithin<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Set<number> {
  const seen = new Set<string>();
  const repeats = new Set<number>();
  rows.forEach((row, index) => {
    const key = keyOf(row);
    if (seen.has(key)) repeats.add(index);
    else seen.add(key);
  });
  return repeats;
}

/**
 * The one door to the store for rows from everywhere: finds duplicates, inserts what is fresh under the batch's token, counts.
 * One batch at a time, so that of two equal rows in flight one is always seen as stored. The first to come wins.
 */
export function createRowWriter(options: RowWriterOptions) {
  const { store, metrics, clock, logger, retryForMs = 20_000 } = options;
  let tail: Promise<unknown> = Promise.resolve();

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

  async function findDuplicates(batch: RowBatch) {
    const predictions = repeatsWithin(batch.predictions, predictionKey);
    const labels = repeatsWithin(batch.labels, labelKey);
    if (batch.predictions.length > 0)
      for (const index of await persistently('find duplicates', () =>
        store.findDuplicatePredictions(batch.predictions),
      ))
        predictions.add(index);
    if (batch.labels.length > 0)
      for (const index of await persistently('find duplicates', () =>
        store.findDuplicateLabels(batch.labels),
      ))
        labels.add(index);
    return { predictions, labels };
  }

  async function writeNow(batch: RowBatch): Promise<WriteResult> {
    const known = await findDuplicates(batch);
    const fresh: RowBatch = {
      ...batch,
      predictions: batch.predictions.filter((_, index) => !known.predictions.has(index)),
      labels: batch.labels.filter((_, index) => !known.labels.has(index)),
    };
    if (fresh.predictions.length + fresh.labels.length + fresh.rejected.length > 0) {
      const end = metrics.insertDuration.startTimer();
      await persistently('insert', () => store.insertRows(fresh));
      end();
    }
    const rejectedOf = (kind: string) => batch.rejected.filter((row) => row.kind === kind).length;
    const count = (received: number, duplicate: number, rejected: number): IngestCounts => ({
      received: received + rejected,
      accepted: received - duplicate,
      duplicate,
      rejected,
    });
    const result = {
      predictions: count(batch.predictions.length, known.predictions.size, rejectedOf('prediction')),
      labels: count(batch.labels.length, known.labels.size, rejectedOf('label')),
      duplicatePredictions: known.predictions,
      duplicateLabels: known.labels,
    };
    record(fresh, result);
    countReceived(batch, result);
    return result;
  }

  function record(fresh: RowBatch, result: WriteResult): void {
    let newestMs = Number.NEGATIVE_INFINITY;
    for (const rows of byVersion(fresh.predictions)) {
      const labels = { model: rows[0].model, model_version: rows[0].modelVersion };
      metrics.predictions.inc(labels, rows.length);
      for (const row of rows) {
        if (row.latencyMs !== null) metrics.predictionLatency.observe(labels, row.latencyMs / 1_000);
        newestMs = Math.max(newestMs, row.timestampMs);
      }
    }
    for (const rows of byVersion(fresh.labels)) {
      metrics.labels.inc({ model: rows[0].model, model_version: rows[0].modelVersion }, rows.length);
      for (const row of rows) newestMs = Math.max(newestMs, row.timestampMs);
    }
    for (const row of fresh.rejected) metrics.rejected.inc({ kind: row.kind, reason: row.reason });
    for (const kind of ['prediction', 'label'] as const) {
      const counts = kind === 'prediction' ? result.predictions : result.labels;
      if (counts.duplicate > 0) metrics.duplicates.inc({ kind }, counts.duplicate);
    }
    if (newestMs > Number.NEGATIVE_INFINITY) clock.observe(newestMs);
  }

  /** A batch comes from one collector, so its first row tells the source of all. */
  function countReceived(batch: RowBatch, result: WriteResult): void {
    const source = (batch.predictions[0] ?? batch.labels[0] ?? batch.rejected[0])?.source.kind;
    if (source === undefined) return;
    metrics.received.inc({ kind: 'prediction', source }, result.predictions.received);
    metrics.received.inc({ kind: 'label', source }, result.labels.received);
  }

  return {
    /** Durable when it resolves. Safe to repeat with the same batch and token. */
    write(batch: RowBatch): Promise<WriteResult> {
      const turn = tail.then(
        () => writeNow(batch),
        () => writeNow(batch),
      );
      tail = turn.catch(() => undefined);
      return turn;
    },
  };
}

export type RowWriter = ReturnType<typeof createRowWriter>;
