/** A column as the forest needs it; a model's declared features fit. */
export interface ForestColumn {
  readonly name: string;
  readonly kind: 'numeric' | 'categorical';
}

export type CellValue = number | string | null;

/** Beyond so many distinct values a column is close to an identifier: the rest reads as unseen, share 0. */
export const MAX_CATEGORIES = 10_000;
/** Looked at without a pause. */
const SLICE_ROWS = 10_000;

/**
 * How one column becomes numbers.
 *
 * Numeric: a finite number is itself; −∞ and +∞ are `low` and `high`, one reference range beyond the reference's least
 * and greatest value, so that they are extreme without stretching every split; missing (null, NaN, text) is the
 * reference's median, which says nothing by itself, and `indicator` adds a 0/1 column that tells missing from present.
 * The indicator exists only where the reference has both: a column that is constant in the reference is never split on.
 * Categorical: the share of the reference's rows that have this value, unseen values 0, so that rare means far out;
 * missing is a value of its own.
 */
export type ColumnEncoding =
  | {
      readonly kind: 'numeric';
      readonly name: string;
      readonly median: number;
      readonly low: number;
      readonly high: number;
      readonly indicator: boolean;
    }
  | {
      readonly kind: 'categorical';
      readonly name: string;
      /** Share in (0, 1] by value, most frequent first. */
      readonly shares: ReadonlyMap<string, number>;
      readonly missingShare: number;
    };

export type ForestEncoding = readonly ColumnEncoding[];

/**
 * Learns the encoding from reference rows, each in the order of `columns`. Rejects with RangeError without rows or columns.
 *
 * @param pause called each time 10,000 values have been looked at, and after each column
 */
export async function fitEncoding(
  columns: readonly ForestColumn[],
  rows: readonly (readonly CellValue[])[],
  pause: () => Promise<void> = async () => undefined,
): Promise<ForestEncoding> {
  if (columns.length === 0) throw new RangeError('there are no columns to encode: declare at least one');
  if (rows.length === 0) throw new RangeError('there are no reference rows: an encoding needs at least one');
  checkWidths(columns.length, rows);
  const encoding: ColumnEncoding[] = [];
  for (const [index, { kind, name }] of columns.entries()) {
    const cells = { rows, index, pause };
    encoding.push(kind === 'numeric' ? await fitNumeric(name, cells) : await fitCategorical(name, cells));
    await pause();
  }
  return encoding;
}

/** The values of one column. */
interface Cells {
  readonly rows: readonly (readonly CellValue[])[];
  readonly index: number;
  readonly pause: () => Promise<void>;
}

async function eachCell({ rows, index, pause }: Cells, visit: (value: CellValue | undefined) => void) {
  for (let from = 0; from < rows.length; from += SLICE_ROWS) {
    const to = Math.min(rows.length, from + SLICE_ROWS);
    for (let row = from; row < to; row++) visit(rows[row]?.[index]);
    await pause();
  }
}

async function fitNumeric(name: string, cells: Cells): Promise<ColumnEncoding> {
  const finite: number[] = [];
  let missing = 0;
  await eachCell(cells, (value) => {
    if (Number.isFinite(value)) finite.push(value as number);
    else if (isMissingNumber(value)) missing++;
  });
  const sorted = Float64Array.from(finite).sort();
  const min = sorted[0] ?? 0;
  const max = sorted.at(-1) ?? 0;
  const range = max - min;
  return {
    kind: 'numeric',
    name,
    median: median(sorted) + 0,
    // + 0 turns −0 into 0, which JSON keeps.
    low: Math.max(-Number.MAX_VALUE, min - range) + 0,
    high: Math.min(Number.MAX_VALUE, max + range) + 0,
    indicator: missing > 0 && missing < cells.rows.length,
  };
}

async function fitCategorical(name: string, cells: Cells): Promise<ColumnEncoding> {
  const counts = new Map<string, { count: number }>();
  let missing = 0;
  await eachCell(cells, (value) => {
    if (value === null || value === undefined) {
      missing++;
      return;
    }
    const category = String(value);
    const known = counts.get(category);
    if (known === undefined) counts.set(category, { count: 1 });
    else known.count++;
  });
  const ranked = [...counts]
    .map(([value, { count }]): [string, number] => [value, count])
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, MAX_CATEGORIES);
  return {
    kind: 'categorical',
    name,
    shares: new Map(ranked.map(([value, count]) => [value, count / cells.rows.length])),
    missingShare: missing / cells.rows.length,
  };
}

/** Columns of the encoded matrix. */
export function encodedWidth(encoding: ForestEncoding): number {
  return encoding.reduce((width, column) => width + (hasIndicator(column) ? 2 : 1), 0);
}

/** Encodes rows into a row-major matrix, rows × encodedWidth, all finite. An indicator follows its own column. */
export function encodeRows(encoding: ForestEncoding, rows: readonly (readonly CellValue[])[]): Float64Array {
  checkWidths(encoding.length, rows);
  const matrix = new Float64Array(rows.length * encodedWidth(encoding));
  let at = 0;
  for (const row of rows) {
    for (let i = 0; i < encoding.length; i++) {
      const column = encoding[i] as ColumnEncoding;
      const value = row[i] ?? null;
      if (column.kind === 'categorical') {
        matrix[at++] = value === null ? column.missingShare : (column.shares.get(String(value)) ?? 0);
        continue;
      }
      const missing = isMissingNumber(value);
      matrix[at++] = missing ? column.median : clampInfinite(value as number, column.low, column.high);
      if (column.indicator) matrix[at++] = missing ? 1 : 0;
    }
  }
  return matrix;
}

export function hasIndicator(column: ColumnEncoding): boolean {
  return column.kind === 'numeric' && column.indicator;
}

function isMissingNumber(value: CellValue | undefined): boolean {
  return typeof value !== 'number' || Number.isNaN(value);
}

function clampInfinite(value: number, low: number, high: number): number {
  if (value === Infinity) return high;
  return value === -Infinity ? low : value;
}

function median(sorted: Float64Array): number {
  if (sorted.length === 0) return 0;
  const below = sorted[Math.floor((sorted.length - 1) / 2)] as number;
  const above = sorted[Math.floor(sorted.length / 2)] as number;
  return below === above ? below : below / 2 + above / 2;
}

function checkWidths(width: number, rows: readonly (readonly CellValue[])[]): void {
  const at = rows.findIndex((row) => row.length !== width);
  if (at >= 0)
    throw new RangeError(`row ${at} has ${rows[at]?.length} values: the encoding has ${width} columns`);
}
