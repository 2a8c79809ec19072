import { comparePairs, type NotComparable, type PairComparison } from './pair-classifier.js';
import type { PairColumn, PairRows } from './pair-rows.js';

export interface PieceInput {
  readonly columns: readonly PairColumn[];
  /** Best in shared memory, which threads read at once. */
  readonly data: PairRows;
  /** Numbers of rows in random order. */
  readonly reference: Int32Array;
  readonly piece: Int32Array;
}

/** Compares some rows with others of the same data. */
export function comparePieces({
  columns,
  data,
  reference,
  piece,
}: PieceInput): PairComparison | NotComparable {
  return comparePairs({
    columns,
    reference: takeRows(data, columns.length, reference),
    current: takeRows(data, columns.length, piece),
  });
}

function takeRows({ values }: PairRows, width: number, rows: Int32Array): PairRows {
  const taken = new Float64Array(rows.length * width);
  rows.forEach((row, i) => {
    taken.set(values.subarray(row * width, (row + 1) * width), i * width);
  });
  return { values: taken, rows: rows.length };
}
