import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RowBatch, RowStore } from '../domain/ports.js';
import type { LabelRow, PredictionRow, RejectedRow } from '../domain/prediction.js';
import type { StoreClient } from './client.js';
import { dateTime64, float64 } from './encoding.js';
import { type RowKey, rowIdentity, rowKey } from './identity.js';
import {
  encodeLabel,
  encodePrediction,
  encodeRejected,
  LABEL_COLUMNS,
  labelFingerprint,
  PREDICTION_COLUMNS,
  REJECTED_COLUMNS,
  storedText,
} from './row-encoding.js';

/** Text encoded, or rows hashed, before the event loop gets a turn: about 10 ms of work. */
const SLICE_CHARS = 512 * 1_024;
const SLICE_ROWS = 5_000;

/** The largest body of one insert; a batch of wide rows becomes several. */
const BODY_BYTES = 32 * 1_024 * 1_024;

/** Failed batches whose first time of ingestion is remembered for their retry. */
const REMEMBERED_TOKENS = 10_000;

interface StoredRow {
  readonly model: string;
  readonly version: string;
  readonly prediction_id: string;
  readonly row_index: number;
}

interface StoredLabel extends StoredRow {
  readonly ms: number;
  readonly number: number | string | null;
  readonly text: string | null;
}

/** `wallClock` is the real time, ms: a row's age and expiry count from it, also when event time is replayed. */
export function createRowStore(client: StoreClient, wallClock: () => number = Date.now): RowStore {
  /** A token dedups within one partition, and partitions are days of ingestion: a retry after midnight keeps its first day. */
  const firstTried = new Map<string, number>();

  const insertLines = async <Row>(
    table: string,
    columns: readonly string[],
    rows: readonly Row[],
    encode: (row: Row) => string,
    token: string,
  ) => {
    let part = 0;
    for await (const body of encodeBodies(rows, encode)) {
      await client.insertEncoded(table, columns, body, part === 0 ? token : `${token}/${part}`);
      part += 1;
    }
  };

  const insertAt = async ({ predictions, labels, rejected, token }: RowBatch, atMs: number) => {
    const at = dateTime64(atMs);
    const asRejected = (row: RejectedRow) => encodeRejected(row, at);
    const asLabel = (row: LabelRow) => encodeLabel(row, at);
    const asPrediction = (row: PredictionRow) => encodePrediction(row, at);
    await insertLines('rejected', REJECTED_COLUMNS, rejected, asRejected, `${token}/r`);
    await insertLines('labels', LABEL_COLUMNS, labels, asLabel, `${token}/l`);
    await insertLines('predictions', PREDICTION_COLUMNS, predictions, asPrediction, `${token}/p`);
  };

  return {
    findDuplicatePredictions: async (predictions) => {
      if (predictions.length === 0) return new Set();
      const found = await client.query<StoredRow>(
        `SELECT model, version, prediction_id, row_index FROM predictions
         PREWHERE identity IN {hashes:Array(UInt64)}
         WHERE model IN {models:Array(String)} AND version IN {versions:Array(String)}`,
        { hashes: await hashList(predictions, rowIdentity), ...versionsOf(predictions) },
      );
      if (found.length === 0) return new Set();
      const stored = new Set(found.map(keyOfStored));
      return positions(predictions, (row) => stored.has(keyOf(row)));
    },

    findDuplicateLabels: async (labels) => {
      if (labels.length === 0) return new Set();
      const found = await client.query<StoredLabel>(
        `SELECT model, version, prediction_id, row_index, toUnixTimestamp64Milli(ts) AS ms,
                label_num AS number, label_cat AS text
         FROM labels
         PREWHERE fingerprint IN {hashes:Array(UInt64)}
         WHERE model IN {models:Array(String)} AND version IN {versions:Array(String)}`,
        { hashes: await hashList(labels, labelFingerprint), ...versionsOf(labels) },
      );
      if (found.length === 0) return new Set();
      const stored = new Set(
        found.map((row) =>
          labelKey(keyOfStored(row), row.ms, row.number === null ? (row.text ?? '') : float64(row.number)),
        ),
      );
      return positions(labels, (row) =>
        stored.has(
          labelKey(
            keyOf(row),
            row.timestampMs,
            typeof row.label === 'string' ? storedText(row.label) : row.label,
          ),
        ),
      );
    },

    insertRows: async (batch) => {
      const atMs = firstTried.get(batch.token) ?? wallClock();
      try {
        await insertAt(batch, atMs);
        firstTried.delete(batch.token);
      } catch (error) {
        firstTried.set(batch.token, atMs);
        const [oldest] = firstTried.keys();
        if (firstTried.size > REMEMBERED_TOKENS && oldest !== undefined) firstTried.delete(oldest);
        throw error;
      }
    },
  };
}

/** The rows as bodies of bounded size, made in slices. The same rows always give the same bodies. */
async function* encodeBodies<Row>(
  rows: readonly Row[],
  encode: (row: Row) => string,
): AsyncGenerator<Buffer, void, undefined> {
  let parts: Buffer[] = [];
  let bytes = 0;
  let text = '';
  for (const row of rows) {
    text += encode(row);
    if (text.length < SLICE_CHARS) continue;
    const part = Buffer.from(text);
    text = '';
    parts.push(part);
    bytes += part.length;
    if (bytes >= BODY_BYTES) {
      yield Buffer.concat(parts);
      parts = [];
      bytes = 0;
    }
    await nextTurn();
  }
  if (text !== '') parts.push(Buffer.from(text));
  if (parts.length > 0) yield Buffer.concat(parts);
}

/** Hashes of the rows as the text of an Array(UInt64): their decimal digits would lose precision as numbers. */
async function hashList<Row>(rows: readonly Row[], hash: (row: Row) => string): Promise<string> {
  const hashes: string[] = [];
  for (const row of rows) {
    hashes.push(hash(row));
    if (hashes.length % SLICE_ROWS === 0) await nextTurn();
  }
  return `[${hashes.join(',')}]`;
}

function versionsOf(rows: readonly RowKey[]): { models: string[]; versions: string[] } {
  return {
    models: [...new Set(rows.map((row) => row.model))],
    versions: [...new Set(rows.map((row) => row.modelVersion))],
  };
}

function keyOf(row: RowKey): string {
  const predictionId = storedText(row.predictionId);
  return rowKey(predictionId === row.predictionId ? row : { ...row, predictionId });
}

function keyOfStored(row: StoredRow): string {
  return rowKey({
    model: row.model,
    modelVersion: row.version,
    predictionId: row.prediction_id,
    rowIndex: row.row_index,
  });
}

function labelKey(key: string, ms: number, label: number | string): string {
  return `${key}\0${ms}\0${typeof label}\0${label}`;
}

function positions<Row>(rows: readonly Row[], isStored: (row: Row) => boolean): Set<number> {
  const found = new Set<number>();
  for (const [position, row] of rows.entries()) if (isStored(row)) found.add(position);
  return found;
}
