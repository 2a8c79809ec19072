import { type Fields, unusable } from '../decode-event.js';
import { byName, isFields } from './paths.js';

/** Rows that one message may hold: a message is 1 MiB, and a row of it costs memory beyond its bytes. */
export const MAX_ROWS = 50_000;

export function checkRows(rows: number): void {
  if (rows > MAX_ROWS)
    unusable(
      'too_large',
      `the message holds ${rows} rows, at most ${MAX_ROWS} are taken: send smaller batches`,
    );
}

/**
 * The rows of a tensor: `shape[0]` of them, each a value, or a list where a row has several.
 *
 * @param data nested lists, or all values one after the other, the last dimension fastest
 */
export function tensorRows(shape: unknown, data: unknown): unknown[] {
  if (!Array.isArray(data))
    unusable('unsupported_payload', 'a tensor has no list of data: send tensors as JSON, not as raw bytes');
  const dims = Array.isArray(shape) ? shape : [data.length];
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0))
    unusable('invalid_field', 'the shape of a tensor must be a list of whole numbers');
  const [rows = 1] = dims as number[];
  checkRows(rows);
  if (data.length === rows && data.some(Array.isArray)) return data;
  const size = (dims as number[]).reduce((product, dim) => product * dim, 1);
  if (size !== data.length)
    unusable('invalid_field', `a tensor of ${dims.join('×')} has ${data.length} values instead of ${size}`);
  const width = rows === 0 ? 0 : size / rows;
  if (width === 1) return data;
  return Array.from({ length: rows }, (_, row) => data.slice(row * width, (row + 1) * width));
}

/** Columns of equal length as rows: objects by column name. */
export function columnRows(
  columns: readonly (readonly [name: string, values: readonly unknown[]])[],
): Fields[] {
  const lengths = new Set(columns.map(([, values]) => values.length));
  const [rows = 0] = lengths;
  if (lengths.size > 1) unusable('invalid_field', 'the columns of the message have different lengths');
  checkRows(rows);
  const names = columns.map(([name]) => name);
  return Array.from({ length: rows }, (_, row) => byName(names, (place) => columns[place]?.[1][row]));
}

/** A list of named tensors (Open Inference Protocol V2) as rows: of one tensor its own rows, of several objects by tensor name. */
export function namedTensorRows(tensors: readonly unknown[]): unknown[] {
  const columns = tensors.map((tensor): [string, unknown[]] => {
    if (!isFields(tensor) || typeof tensor.name !== 'string')
      unusable('unsupported_payload', 'a tensor has no name');
    return [tensor.name, tensorRows(tensor.shape, tensor.data)];
  });
  const [only] = columns;
  const isMatrix = columns.length === 1 && only?.[1].some(Array.isArray) === true;
  return isMatrix ? (only?.[1] ?? []) : columnRows(columns);
}
