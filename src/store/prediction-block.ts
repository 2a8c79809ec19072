import type { PredictionRow } from '../domain/prediction.js';
import type { PlainText } from '../domain/row-list.js';
import { createKeyHasher } from './identity.js';
import {
  createLowCardinalityColumn,
  createMapColumn,
  createTextColumn,
  nativeBlock,
} from './native-block.js';
import {
  createFloat64Column,
  createLongColumn,
  createNullableFloat64Column,
  createWordColumn,
  FIRST_ROWS,
  giveBytes,
  grown,
  makeWords,
} from './native-numbers.js';
import { appendSource, createTimeColumn, sourceColumns, storedText } from './row-encoding.js';

/** Predictions in columns, as the engine takes them. */
export interface PredictionBlock {
  readonly length: number;
  /** `plainId` is the row's id, where it is known as bytes. */
  append(row: PredictionRow, plainId: PlainText | null): void;
  /** The row as it was appended. */
  read(index: number): PredictionRow;
  /** Hashes of the rows' keys: high half, low half, and so on. */
  hashes(): Uint32Array;
  /** About what the block takes so far, bytes. */
  size(): number;
  /** `ingestedAtMs` is the batch's time. The same rows and time always give the same bytes. */
  finish(ingestedAtMs: number): Uint8Array[];
  /** Gives the memory back; neither the block nor what it was finished to may be used any more. */
  release(): void;
}

/** Shared by all blocks: one is filled after the other, and most with rows of the same version. */
const hashKey = createKeyHasher();

export function createPredictionBlock(): PredictionBlock {
  const columns = {
    model: createLowCardinalityColumn(),
    version: createLowCardinalityColumn(),
    prediction_id: createTextColumn(),
    row_index: createWordColumn('UInt32'),
    ts: createTimeColumn(),
    num: createMapColumn(createFloat64Column()),
    cat: createMapColumn(createLowCardinalityColumn()),
    prediction_num: createNullableFloat64Column(),
    prediction_cat: createLowCardinalityColumn(true),
    proba: createNullableFloat64Column(),
    probas: createMapColumn(createFloat64Column()),
    latency_ms: createNullableFloat64Column(),
    tags: createMapColumn(createTextColumn()),
    ...sourceColumns(),
  };
  const all = Object.values(columns);
  /** Ids that are stored otherwise than they came, by row. */
  const oddIds = new Map<number, string>();
  let hashes = makeWords(2 * FIRST_ROWS);
  let rows = 0;

  return {
    get length() {
      return rows;
    },
    append(row, plainId) {
      const { prediction } = row;
      columns.model.append(row.model);
      columns.version.append(row.modelVersion);
      if (plainId === null) {
        const { predictionId } = row;
        columns.prediction_id.append(predictionId);
        if (storedText(predictionId) !== predictionId) oddIds.set(rows, predictionId);
      } else columns.prediction_id.appendPlain(plainId);
      columns.row_index.append(row.rowIndex);
      columns.ts.append(row.timestampMs);
      columns.num.append(row.numeric);
      columns.cat.append(row.categorical);
      columns.prediction_num.append(typeof prediction === 'number' ? prediction : null);
      columns.prediction_cat.append(typeof prediction === 'string' ? prediction : null);
      columns.proba.append(row.proba);
      columns.probas.append(row.probas);
      columns.latency_ms.append(row.latencyMs);
      columns.tags.append(row.tags);
      appendSource(columns, row.source);
      if (2 * rows === hashes.length) hashes = grown(hashes, makeWords);
      hashKey(row, plainId, hashes, 2 * rows);
      rows += 1;
    },
    read: (index) => ({
      model: columns.model.read(index),
      modelVersion: columns.version.read(index),
      predictionId: oddIds.get(index) ?? columns.prediction_id.read(index),
      rowIndex: columns.row_index.read(index),
      timestampMs: columns.ts.read(index),
      numeric: columns.num.read(index),
      categorical: columns.cat.read(index),
      prediction: columns.prediction_num.read(index) ?? columns.prediction_cat.read(index),
      proba: columns.proba.read(index),
      probas: columns.probas.read(index),
      latencyMs: columns.latency_ms.read(index),
      tags: columns.tags.read(index),
      source: {
        kind: columns.source_kind.read(index),
        topic: columns.source_topic.read(index),
        partition: columns.source_partition.read(index),
        offset: columns.source_offset.read(index),
      },
    }),
    hashes: () => hashes.subarray(0, 2 * rows),
    size: () => all.reduce((bytes, column) => bytes + column.size(), 16 * rows),
    finish(ingestedAtMs) {
      const identity = createLongColumn('UInt64');
      const ingested_at = createTimeColumn();
      for (let row = 0; row < rows; row += 1) {
        identity.appendHalves(hashes[2 * row] as number, hashes[2 * row + 1] as number);
        ingested_at.append(ingestedAtMs);
      }
      return nativeBlock(rows, { ...columns, identity, ingested_at });
    },
    release() {
      for (const column of all) column.release();
      giveBytes(hashes);
    },
  };
}

export const PREDICTION_COLUMNS: readonly string[] = [
  'model',
  'version',
  'prediction_id',
  'row_index',
  'ts',
  'num',
  'cat',
  'prediction_num',
  'prediction_cat',
  'proba',
  'probas',
  'latency_ms',
  'tags',
  'source_kind',
  'source_topic',
  'source_partition',
  'source_offset',
  'identity',
  'ingested_at',
];
