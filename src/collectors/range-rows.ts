import { createHash } from 'node:crypto';
import type { RowBatch } from '../domain/ports.js';
import type { RowListName } from '../domain/row-ports.js';

/** All lists of rows of a range, without the token they are inserted under. */
export type RangeRows = Omit<RowBatch & Required<Pick<RowBatch, 'halves'>>, 'token'>;

export const rowsOf = ({ predictions, labels, rejected, halves }: RangeRows): RangeRows => ({
  predictions,
  labels,
  rejected,
  halves,
});

export const withoutLists = (rows: RangeRows, lists: ReadonlySet<RowListName>): RangeRows => ({
  predictions: lists.has('predictions') ? [] : rows.predictions,
  labels: lists.has('labels') ? [] : rows.labels,
  rejected: lists.has('rejected') ? [] : rows.rejected,
  halves: lists.has('halves') ? [] : rows.halves,
});

export const countOf = ({ predictions, labels, rejected, halves }: RangeRows): number =>
  predictions.length + labels.length + rejected.length + halves.length;

/** Says which rows these are, whatever they hold: part of the token of a repair. */
export function digestOf({ predictions, labels, rejected, halves }: RangeRows): string {
  const rows = [...predictions, ...labels, ...rejected, ...halves];
  const places = rows.map((row) => `${row.source.offset}/${'rowIndex' in row ? row.rowIndex : 0}`).sort();
  return createHash('sha256').update(places.join()).digest('hex').slice(0, 16);
}
