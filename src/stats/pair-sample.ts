import type { PairColumn, PairRows } from './pair-rows.js';

/** Raised when the layout of the text changes; an older text is then refused with a remedy. */
const FORMAT = 'plumbline-rows/1';

/** Rows as numbers, with the table that made numbers of them. */
export interface PairSample {
  readonly columns: readonly PairColumn[];
  readonly rows: PairRows;
}

/** The sample as one line of JSON, numbers as base64 of little-endian doubles: 11 bytes each. */
export function serialisePairSample({ columns, rows }: PairSample): string {
  const bytes = Buffer.alloc(rows.values.length * 8);
  rows.values.forEach((value, i) => {
    bytes.writeDoubleLE(value, i * 8);
  });
  return JSON.stringify({ format: FORMAT, columns, rows: rows.rows, values: bytes.toString('base64') });
}

/** Reads what serialisePairSample wrote. Throws RangeError on anything else. */
export function parsePairSample(text: string): PairSample {
  const damaged = (what: string) =>
    new RangeError(`the sample of the reference ${what}: register the reference again`);
  let root: Partial<Record<'format' | 'columns' | 'rows' | 'values', unknown>>;
  try {
    root = JSON.parse(text) as typeof root;
  } catch (cause) {
    throw Object.assign(damaged('is no JSON'), { cause });
  }
  if (root?.format !== FORMAT) throw damaged(`has the format ${String(root?.format)} instead of ${FORMAT}`);
  const { columns, rows, values } = root;
  if (!Array.isArray(columns) || typeof rows !== 'number' || typeof values !== 'string')
    throw damaged('is damaged');
  const bytes = Buffer.from(values, 'base64');
  if (bytes.length !== rows * columns.length * 8)
    throw damaged(`has ${bytes.length} bytes for ${rows} rows of ${columns.length} columns`);
  const numbers = new Float64Array(rows * columns.length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = bytes.readDoubleLE(i * 8);
  return { columns: columns as PairColumn[], rows: { values: numbers, rows } };
}
