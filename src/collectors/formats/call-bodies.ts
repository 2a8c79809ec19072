import { type Fields, unusable } from '../decode-event.js';
import { at, isFields } from './paths.js';
import { checkRows, columnRows, namedTensorRows, tensorRows } from './tensors.js';

/** What a body holds: one entry for each row. Names are those of the places of rows that are lists, where the body tells them. */
export interface BodyRows {
  readonly names: readonly string[] | null;
  readonly rows: readonly unknown[];
}

/** How servers write rows: the field that marks a form, and what is read at it. The first mark that is there counts. */
type BodyForm = readonly [mark: string, read: (content: unknown) => BodyRows];

const unnamed = (rows: readonly unknown[]): BodyRows => ({ names: null, rows });

function list(content: unknown): BodyRows {
  if (Array.isArray(content)) return unnamed(content);
  return isFields(content) ? columnsOrRow(content) : unnamed([content]);
}

/** `{"a": [1, 2], "b": [3, 4]}`, or one row as an object. */
function columnsOrRow(content: Fields): BodyRows {
  const columns = Object.entries(content);
  const isColumns = columns.length > 0 && columns.every(([, values]) => Array.isArray(values));
  return unnamed(isColumns ? columnRows(columns as [string, unknown[]][]) : [content]);
}

/** `{"columns": ["a", "b"], "data": [[1, 3], [2, 4]]}` as pandas and MLflow write it. */
function split(content: unknown): BodyRows {
  const columns = at(content, 'columns');
  const data = at(content, 'data');
  if (!Array.isArray(data)) unusable('unsupported_payload', 'dataframe_split has no data');
  return { names: Array.isArray(columns) ? columns.map(String) : null, rows: data };
}

/** Tensors by name (V2), else columns or rows (TensorFlow Serving, MLflow). */
function tensorsOrColumns(content: unknown): BodyRows {
  const isTensors =
    Array.isArray(content) && content.length > 0 && content.every((one) => isFields(one) && 'name' in one);
  return isTensors ? unnamed(namedTensorRows(content)) : list(content);
}

/** Seldon's `data`: `{"names": [], "ndarray": [[]]}` or `{"names": [], "tensor": {"shape": [], "values": []}}`. */
function seldonData(content: unknown): BodyRows {
  const names = at(content, 'names');
  const ndarray = at(content, 'ndarray');
  const tensor = at(content, 'tensor');
  const rows = Array.isArray(ndarray)
    ? ndarray
    : isFields(tensor)
      ? tensorRows(tensor.shape, tensor.values)
      : null;
  if (rows === null) return list(content);
  return { names: Array.isArray(names) && names.length > 0 ? names.map(String) : null, rows };
}

const REQUESTS: readonly BodyForm[] = [
  ['instances', list],
  ['dataframe_split', split],
  ['dataframe_records', list],
  ['inputs', tensorsOrColumns],
  ['jsonData', list],
  ['data', seldonData],
];
const RESPONSES: readonly BodyForm[] = [
  ['predictions', list],
  ['outputs', tensorsOrColumns],
  ['jsonData', list],
  ['data', seldonData],
];

function rowsOf(body: unknown, forms: readonly BodyForm[], otherwise: (body: unknown) => BodyRows): BodyRows {
  const form = isFields(body) ? forms.find(([mark]) => Object.hasOwn(body, mark)) : undefined;
  const found = form === undefined ? otherwise(body) : form[1]((body as Fields)[form[0]]);
  checkRows(found.rows.length);
  return found;
}

/** The rows that were asked for. Throws unsupported_payload when the body is of no known form. */
export function requestRows(body: unknown): BodyRows {
  return rowsOf(body, REQUESTS, (other) =>
    Array.isArray(other)
      ? list(other)
      : unusable(
          'unsupported_payload',
          'the request is of no form that is read here: instances, inputs, dataframe_split, dataframe_records, data, or a list',
        ),
  );
}

/** The rows that were answered; a body of no known form is one row. */
export function responseRows(body: unknown): BodyRows {
  return rowsOf(body, RESPONSES, (other) => unnamed(Array.isArray(other) ? other : [other]));
}

/** One list of n answers where n rows were asked for: each row's answer is one of them. */
export function spread(outputs: BodyRows, count: number): BodyRows {
  const [only] = outputs.rows;
  const isOnePerRow = count > 1 && outputs.rows.length === 1 && Array.isArray(only) && only.length === count;
  return isOnePerRow ? unnamed(only) : outputs;
}
