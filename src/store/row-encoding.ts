import type { LabelRow, RejectedRow, RowSource } from '../domain/prediction.js';
import { hash64Into, rowIdentity, rowKey } from './identity.js';
import { createLowCardinalityColumn, createTextColumn, nativeBlock } from './native-block.js';
import {
  createLongColumn,
  createNullableFloat64Column,
  createWordColumn,
  type NativeColumn,
} from './native-numbers.js';

/** Rows of one table on their way into one block of the engine's Native format. */
export interface RowBlock<Row> {
  /** `index` is the row's position in its batch, which the batch's hashes are read at. */
  append(row: Row, index: number): void;
  /** About what the block takes so far, bytes. */
  size(): number;
  readonly columnNames: readonly string[];
  finish(): Uint8Array[];
}

/** `hashes` holds two halves per row of the batch, the high one first. */
function createHashColumn(hashes: Uint32Array) {
  const column = createLongColumn('UInt64');
  return {
    ...column,
    appendHash: (index: number) =>
      column.appendHalves(hashes[2 * index] as number, hashes[2 * index + 1] as number),
  };
}

export const createTimeColumn = () => createLongColumn("DateTime64(3, 'UTC')");

export function sourceColumns() {
  return {
    source_kind: createLowCardinalityColumn(),
    source_topic: createLowCardinalityColumn(),
    source_partition: createWordColumn('Int32'),
    source_offset: createLongColumn('Int64'),
  };
}

export function appendSource(columns: ReturnType<typeof sourceColumns>, source: RowSource): void {
  columns.source_kind.append(source.kind);
  columns.source_topic.append(source.topic);
  columns.source_partition.append(source.partition);
  columns.source_offset.append(source.offset);
}

export function createLabelBlock(ingestedAtMs: number, fingerprints: Uint32Array): RowBlock<LabelRow> {
  const identity = new Uint32Array(2);
  const columns = {
    model: createLowCardinalityColumn(),
    version: createLowCardinalityColumn(),
    prediction_id: createTextColumn(),
    row_index: createWordColumn('UInt32'),
    identity: createHashColumn(identity),
    fingerprint: createHashColumn(fingerprints),
    ts: createTimeColumn(),
    ingested_at: createTimeColumn(),
    label_num: createNullableFloat64Column(),
    label_cat: createLowCardinalityColumn(true),
    ...sourceColumns(),
  };
  return rowBlock(columns, (row, index) => {
    const { label } = row;
    columns.model.append(row.model);
    columns.version.append(row.modelVersion);
    columns.prediction_id.append(row.predictionId);
    columns.row_index.append(row.rowIndex);
    hash64Into(rowKey(row), identity, 0);
    columns.identity.appendHash(0);
    columns.fingerprint.appendHash(index);
    columns.ts.append(row.timestampMs);
    columns.ingested_at.append(ingestedAtMs);
    columns.label_num.append(typeof label === 'number' ? label : null);
    columns.label_cat.append(typeof label === 'string' ? label : null);
    appendSource(columns, row.source);
  });
}

export function createRejectedBlock(ingestedAtMs: number): RowBlock<RejectedRow> {
  const columns = {
    ingested_at: createTimeColumn(),
    kind: createLowCardinalityColumn(),
    reason: createLowCardinalityColumn(),
    detail: createTextColumn(),
    payload: createTextColumn(),
    model: createTextColumn(),
    row_index: createWordColumn('UInt32'),
    ...sourceColumns(),
  };
  return rowBlock(columns, (row) => {
    columns.ingested_at.append(ingestedAtMs);
    columns.kind.append(row.kind);
    columns.reason.append(row.reason);
    columns.detail.append(row.detail);
    columns.payload.append(row.payload);
    columns.model.append(row.model);
    columns.row_index.append(row.rowIndex);
    appendSource(columns, row.source);
  });
}

function rowBlock<Row>(
  columns: Readonly<Record<string, NativeColumn>>,
  append: (row: Row, index: number) => void,
): RowBlock<Row> {
  const all = Object.values(columns);
  let rows = 0;
  return {
    append(row, index) {
      append(row, index);
      rows += 1;
    },
    size: () => all.reduce((bytes, column) => bytes + column.size(), 0),
    columnNames: Object.keys(columns),
    finish: () => nativeBlock(rows, columns),
  };
}

/** The text whose hash is the identity of a label with its value and time. */
export function labelKeyText(row: LabelRow): string {
  return `${rowIdentity(row)}\0${row.timestampMs}\0${typeof row.label}\0${row.label}`;
}

const ANY_SURROGATE = /[\ud800-\udfff]/;
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** Text as the store keeps it: half a surrogate pair has no UTF-8 form and becomes U+FFFD. */
export function storedText(text: string): string {
  return ANY_SURROGATE.test(text) ? text.replace(LONE_SURROGATES, '\ufffd') : text;
}
