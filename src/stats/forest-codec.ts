import type { ColumnEncoding, ForestColumn } from './forest-encoding.js';
import { encodedWidth } from './forest-encoding.js';
import { compileTrees, MAX_COLUMNS, MAX_SUBSAMPLE, type TreeRecords } from './forest-layout.js';
import type { ForestModel, ForestPiece } from './forest-model.js';
import { averagePathLength } from './isolation-forest.js';

/** Raised when the layout of the text changes; an older text is then refused with a remedy. */
const FORMAT = 'plumbline-forest/1';

/**
 * The model as one line of JSON, trees as base64 of little-endian arrays (about 1.5 kB per tree of 256 rows).
 * The same model gives the same text.
 */
export function serialiseForest(model: ForestModel): string {
  const { records } = model.forest;
  return JSON.stringify({
    format: FORMAT,
    seed: model.seed,
    rows: model.rows,
    flagged: model.flagged,
    quantile: model.quantile,
    threshold: model.threshold,
    pieces: model.pieces.map((piece) => [piece.rows, piece.flagged]),
    encoding: model.encoding.map((column) =>
      column.kind === 'numeric' ? column : { ...column, shares: [...column.shares] },
    ),
    trees: records.trees,
    subsample: records.subsample,
    features: encodeUint16(records.features),
    thresholds: encodeFloat64(records.thresholds),
    sizes: encodeUint16(records.sizes),
  });
}

/** Reads what serialiseForest wrote. Throws RangeError on anything else: a wrong format, a truncated or altered text. */
export function parseForest(text: string): ForestModel {
  const root = asRecord(parseJson(text), 'the forest');
  if (root.format !== FORMAT)
    throw new RangeError(
      `the forest has the format ${String(root.format)} instead of ${FORMAT}: fit it again from its reference`,
    );
  const encoding = asArray(root.encoding, 'encoding').map(parseColumn);
  const records: TreeRecords = {
    columns: encodedWidth(encoding),
    trees: asCount(root.trees, 'trees', 1, 10_000),
    subsample: asCount(root.subsample, 'subsample', 1, MAX_SUBSAMPLE),
    features: decodeUint16(root.features, 'features'),
    thresholds: decodeFloat64(root.thresholds, 'thresholds'),
    sizes: decodeUint16(root.sizes, 'sizes'),
  };
  if (records.columns < 1 || records.columns > MAX_COLUMNS)
    throw new RangeError(`the forest has ${records.columns} encoded columns: it is damaged`);
  const rows = asCount(root.rows, 'rows', 1, Number.MAX_SAFE_INTEGER);
  const flagged = asCount(root.flagged, 'flagged', 0, rows);
  return {
    columns: encoding.map(({ name, kind }): ForestColumn => ({ name, kind })),
    encoding,
    forest: compileTrees(records, averagePathLength),
    threshold: asNumber(root.threshold, 'threshold', 0, 1),
    quantile: asNumber(root.quantile, 'quantile', 0, 1),
    seed: asCount(root.seed, 'seed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    rows,
    flagged,
    referenceShare: flagged / rows,
    pieces: asArray(root.pieces, 'pieces').map(parsePiece),
  };
}

function parsePiece(value: unknown): ForestPiece {
  const [rows, flagged] = asArray(value, 'piece');
  const count = asCount(rows, 'piece rows', 1, Number.MAX_SAFE_INTEGER);
  return { rows: count, flagged: asCount(flagged, 'piece flagged', 0, count) };
}

function parseColumn(value: unknown): ColumnEncoding {
  const column = asRecord(value, 'column');
  const name = asText(column.name, 'column name');
  if (column.kind === 'numeric') {
    const bound = Number.MAX_VALUE;
    return {
      kind: 'numeric',
      name,
      median: asNumber(column.median, 'median', -bound, bound),
      low: asNumber(column.low, 'low', -bound, bound),
      high: asNumber(column.high, 'high', -bound, bound),
      indicator: column.indicator === true,
    };
  }
  if (column.kind !== 'categorical')
    throw new RangeError(`a column of the forest has the kind ${String(column.kind)}: it is damaged`);
  const shares = asArray(column.shares, 'shares').map((entry): [string, number] => {
    const [category, share] = asArray(entry, 'share');
    return [asText(category, 'category'), asNumber(share, 'share', 0, 1)];
  });
  return {
    kind: 'categorical',
    name,
    shares: new Map(shares),
    missingShare: asNumber(column.missingShare, 'missingShare', 0, 1),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RangeError('the forest is not JSON: fit it again from its reference', { cause });
  }
}

function asRecord(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(name);
  return value as Readonly<Record<string, unknown>>;
}

function asArray(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw damaged(name);
  return value;
}

function asText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw damaged(name);
  return value;
}

function asNumber(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most)) throw damaged(name);
  return value;
}

function asCount(value: unknown, name: string, least: number, most: number): number {
  const count = asNumber(value, name, least, most);
  if (!Number.isInteger(count)) throw damaged(name);
  return count;
}

function damaged(name: string): RangeError {
  return new RangeError(`${name} is not what a stored forest holds: fit it again from its reference`);
}

function encodeUint16(values: Uint16Array): string {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, i) => {
    bytes.writeUInt16LE(value, 2 * i);
  });
  return bytes.toString('base64');
}

function encodeFloat64(values: Float64Array): string {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, i) => {
    bytes.writeDoubleLE(value, 8 * i);
  });
  return bytes.toString('base64');
}

function decodeUint16(value: unknown, name: string): Uint16Array {
  const bytes = decodeBytes(value, name, 2);
  return Uint16Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i));
}

function decodeFloat64(value: unknown, name: string): Float64Array {
  const bytes = decodeBytes(value, name, 8);
  return Float64Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(8 * i));
}

function decodeBytes(value: unknown, name: string, size: number): Buffer {
  const bytes = Buffer.from(asText(value, name), 'base64');
  if (bytes.length % size !== 0) throw damaged(name);
  return bytes;
}
