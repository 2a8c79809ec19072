import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RowBatch, RowStore, VersionKey } from '../domain/ports.js';
import type { LabelRow, PredictionRow } from '../domain/prediction.js';
import { tallyOf } from '../domain/row-list.js';
import { insertHalves } from './call-half-store.js';
import type { StoreClient } from './client.js';
import { createDuplicateFinder } from './duplicate-finder.js';
import { float64 } from './encoding.js';
import { type RowKey, rowKey } from './identity.js';
import type { KnownIdentities } from './known-identities.js';
import { joinPredictions, PackedPredictions, packPredictions } from './packed-predictions.js';
import { PREDICTION_COLUMNS, type PredictionBlock } from './prediction-block.js';
import {
  createLabelBlock,
  createRejectedBlock,
  labelKeyText,
  type RowBlock,
  storedText,
} from './row-encoding.js';

/** Most rows encoded before the size of their block is looked at. */
const MAX_STRIDE = 250;
/** Bytes encoded before the event loop gets a turn: a few milliseconds of work. */
const SLICE_BYTES = 512 * 1_024;

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

/** What is certainly new can be told without asking the engine: only where no other process writes. */
export interface KnownRows {
  readonly predictions: KnownIdentities;
  readonly labels: KnownIdentities;
}

/** `wallClock` is the real time, ms: a row's age and expiry count from it, also when event time is replayed. */
export function createRowStore(
  client: StoreClient,
  wallClock: () => number = Date.now,
  known: KnownRows | null = null,
): RowStore {
  const predictions = createDuplicateFinder<PredictionRow>({
    hashedText: rowKey,
    hashesOf: (rows) => (rows instanceof PackedPredictions ? rows.hashes() : null),
    nameOf: rowKey,
    storedNameOf: keyOf,
    known: known?.predictions ?? null,
    lookUp: async (rows, hashes) => {
      const found = await client.query<StoredRow>(
        `SELECT model, version, prediction_id, row_index FROM predictions
         PREWHERE identity IN {hashes:Array(UInt64)}
         WHERE model IN {models:Array(String)} AND version IN {versions:Array(String)}`,
        { hashes: `[${hashes.join(',')}]`, ...versionsOf(tallyOf(rows).versions()) },
      );
      return new Set(found.map(keyOfStored));
    },
  });
  const labels = createDuplicateFinder<LabelRow>({
    hashedText: labelKeyText,
    nameOf: (row) => labelKey(rowKey(row), row.timestampMs, row.label),
    storedNameOf: (row) =>
      labelKey(
        keyOf(row),
        row.timestampMs,
        typeof row.label === 'string' ? storedText(row.label) : row.label,
      ),
    known: known?.labels ?? null,
    lookUp: async (rows, hashes) => {
      const found = await client.query<StoredLabel>(
        `SELECT model, version, prediction_id, row_index, toUnixTimestamp64Milli(ts) AS ms,
                label_num AS number, label_cat AS text
         FROM labels
         PREWHERE fingerprint IN {hashes:Array(UInt64)}
         WHERE model IN {models:Array(String)} AND version IN {versions:Array(String)}`,
        { hashes: `[${hashes.join(',')}]`, ...versionsOf(rows) },
      );
      return new Set(
        found.map((row) =>
          labelKey(keyOfStored(row), row.ms, row.number === null ? (row.text ?? '') : float64(row.number)),
        ),
      );
    },
  });
  /** A token dedups within one partition, and partitions are days of ingestion: a retry after midnight keeps its first day. */
  const firstTried = new Map<string, number>();

  const insertBlocks = async <Row>(
    table: string,
    rows: readonly Row[],
    createBlock: () => RowBlock<Row>,
    token: string,
  ) => {
    let part = 0;
    for await (const { columnNames, body } of encodeBlocks(rows, createBlock)) {
      await client.insertBlock(table, columnNames, body, partToken(token, part));
      part += 1;
    }
  };

  const insertAt = async (batch: RowBatch, atMs: number) => {
    const { rejected, token } = batch;
    const packed = await packPredictions(batch.predictions);
    predictions.note(packed);
    const fingerprints = labels.note(batch.labels);
    await insertHalves(client, batch.halves ?? [], atMs, `${token}/h`);
    await insertBlocks('rejected', rejected, () => createRejectedBlock(atMs), rejectedToken(token));
    await insertBlocks('labels', batch.labels, () => createLabelBlock(atMs, fingerprints), `${token}/l`);
    for (const [part, blocks] of bodiesOf(packed.blocks()).entries()) {
      await client.insertBlock(
        'predictions',
        PREDICTION_COLUMNS,
        blocks.flatMap((block) => block.finish(atMs)),
        partToken(`${token}/p`, part),
      );
    }
    packed.release();
  };

  return {
    newPredictions: () => new PackedPredictions(),
    joinPredictions,
    findDuplicatePredictions: predictions.find,
    findDuplicateLabels: labels.find,

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

/** The rows as blocks of bounded size, made in slices. The same rows always give the same blocks. */
async function* encodeBlocks<Row>(
  rows: readonly Row[],
  createBlock: () => RowBlock<Row>,
): AsyncGenerator<{ columnNames: readonly string[]; body: Uint8Array[] }, void, undefined> {
  let block = createBlock();
  let size = 0;
  let turnAt = SLICE_BYTES;
  let stride = 1;
  let lookAt = stride;
  for (let index = 0; index < rows.length; index += 1) {
    block.append(rows[index] as Row, index);
    if (index + 1 < lookAt || index + 1 === rows.length) continue;
    const before = size;
    size = block.size();
    // A quarter of a slice at most if the next rows are as wide, so that neither blocks nor slices grow far beyond their bounds.
    stride = Math.max(
      1,
      Math.min(2 * stride, MAX_STRIDE, Math.floor((SLICE_BYTES / 4) * (stride / (size - before)))),
    );
    lookAt = index + 1 + stride;
    if (size < turnAt) continue;
    turnAt = size + SLICE_BYTES;
    if (size >= BODY_BYTES) {
      yield { columnNames: block.columnNames, body: block.finish() };
      block = createBlock();
      size = 0;
      turnAt = SLICE_BYTES;
    }
    await nextTurn();
  }
  if (rows.length > 0) yield { columnNames: block.columnNames, body: block.finish() };
}

/** Blocks of lists that were joined, as many as one insert may take: the engine makes one part of them. */
function bodiesOf(blocks: readonly PredictionBlock[]): PredictionBlock[][] {
  const bodies: PredictionBlock[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const block of blocks) {
    if (bytes + block.size() > BODY_BYTES) {
      bodies.push([]);
      bytes = 0;
    }
    bodies.at(-1)?.push(block);
    bytes += block.size();
  }
  return bodies;
}

/** Of the rejected rows of a batch; of a second block of them, a part's token. */
export const rejectedToken = (token: string) => `${token}/r`;

const partToken = (token: string, part: number) => (part === 0 ? token : `${token}/${part}`);

function versionsOf(rows: Iterable<VersionKey>): { models: string[]; versions: string[] } {
  const all = [...rows];
  return {
    models: [...new Set(all.map((row) => row.model))],
    versions: [...new Set(all.map((row) => row.modelVersion))],
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
