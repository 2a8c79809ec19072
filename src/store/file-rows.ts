import { accessSync, constants } from 'node:fs';
import { extname, resolve } from 'node:path';
import { columnOfRole, contentOf } from '../domain/reference-columns.js';
import { AppError, messageOf } from '../errors.js';
import type { StoreClient } from './client.js';
import { quotedText } from './encoding.js';
import { type FileColumn, plainly } from './reference-file.js';

const FORMATS: ReadonlyMap<string, string> = new Map([
  ['.parquet', 'Parquet'],
  ['.csv', 'CSVWithNames'],
]);
/** Compressions that the engine knows by the ending. */
const COMPRESSED = /\.(?:gz|zst|xz|bz2|lz4)$/i;
/** The engine's `file` would read these as patterns or archives. */
const PATTERN = /[*?{}]|::/;
const TIMEOUT_MS = 3_600_000;

const formatOf = (path: string) => FORMATS.get(extname(path.replace(COMPRESSED, '')).toLowerCase());

/** Whether the engine has to read it: a Parquet or CSV file. */
export function isTable(path: string): boolean {
  return formatOf(path) !== undefined;
}

/** As programs write numbers: a zero or a plus before the digits is of a code, a phone or a card. */
const NUMBER = String.raw`(?i)^\s*(?:-?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]?(?:nan|inf|infinity)|)\s*$`;
const WHOLE = String.raw`^\s*-?\d+\s*$`;
const BOOLEAN = '(?i)^(?:true|false)$';
const columnName = (name: string) => `\`${name.replace(/[\\`]/g, '\\$&')}\``;

/**
 * The columns of a CSV file with the types they are read as. The engine takes all that has digits for a number, by which 007 and 7 would be
 * one; here a column holds numbers where every text in it is one and would be the same number again, and ids are always text. So are dates
 * that are not the time of the row.
 */
async function csvColumns(client: StoreClient, source: string): Promise<FileColumn[]> {
  const columns = await client.query<FileColumn>(
    `DESCRIBE TABLE file(${source})`,
    {},
    { timeoutMs: TIMEOUT_MS },
  );
  const names = new Set(columns.map(({ name }) => name));
  const ids = new Set([columnOfRole('predictionId', names), 'model', 'model_version']);
  const time = columnOfRole('timestamp', names);
  const typed = columns.map(({ name, type }) => {
    const content = ids.has(name) ? 'text' : contentOf(type);
    if (content === 'other' || (content === 'time' && name === time)) return { name, type };
    if (content === 'integer' || content === 'decimal') return { name, type: 'Nullable(Float64)' };
    return { name, type: content === 'boolean' ? 'Nullable(Bool)' : 'Nullable(String)' };
  });
  const guessed = typed.filter(({ type }) => /Float64|Bool/.test(type));
  if (guessed.length === 0) return typed;
  const exceptions = guessed.map(({ name, type }, index) => {
    const text = `ifNull(${columnName(name)}, '')`;
    const isMeant =
      type === 'Nullable(Bool)'
        ? `(${text} = '' OR match(${text}, ${quotedText(BOOLEAN)}))`
        : `match(${text}, ${quotedText(NUMBER)})
           AND NOT (match(${text}, ${quotedText(WHOLE)}) AND abs(toFloat64OrZero(${text})) > ${Number.MAX_SAFE_INTEGER})`;
    return `countIf(NOT (${isMeant})) AS c${index}`;
  });
  const [counts = {}] = await client.query<Record<string, number>>(
    `SELECT ${exceptions.join(', ')} FROM file(${source})
     SETTINGS input_format_csv_use_best_effort_in_schema_inference = 0, max_execution_time = 0`,
    {},
    { timeoutMs: TIMEOUT_MS },
  );
  const texts = new Set(guessed.filter((_, index) => counts[`c${index}`] !== 0).map(({ name }) => name));
  return typed.map((column) => (texts.has(column.name) ? { ...column, type: 'Nullable(String)' } : column));
}

/**
 * Writes the rows of a Parquet or CSV file as lines of JSON; NaN and infinity as null, times as ISO 8601. Throws file_unreadable with what
 * is wrong.
 */
export async function writeRowsAsLines(client: StoreClient, path: string, target: string): Promise<void> {
  if (PATTERN.test(path))
    throw new AppError('file_unreadable', `the path ${path} holds one of * ? { } ::, rename the file`);
  try {
    accessSync(path, constants.R_OK);
    const format = formatOf(path) ?? '';
    const source = `${quotedText(resolve(path))}, ${quotedText(format)}`;
    const columns = format === 'Parquet' ? [] : await csvColumns(client, source);
    const structure = columns.map(({ name, type }) => `${columnName(name)} ${type}`).join(', ');
    await client.command(
      `INSERT INTO FUNCTION file(${quotedText(resolve(target))}, 'JSONEachRow')
       SELECT * FROM file(${source}${structure === '' ? '' : `, ${quotedText(structure)}`})
       SETTINGS output_format_json_quote_denormals = 0, date_time_output_format = 'iso', max_execution_time = 0`,
      {},
      { timeoutMs: TIMEOUT_MS },
    );
  } catch (cause) {
    const why = plainly(messageOf(cause).split('\n')[0] ?? '');
    throw new AppError(
      'file_unreadable',
      `cannot read ${path}: ${why}; is it complete, and in the format its name says?`,
      { cause },
    );
  }
}
