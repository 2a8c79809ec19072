import { accessSync, constants } from 'node:fs';
import { extname, resolve } from 'node:path';
import { AppError, messageOf } from '../errors.js';
import type { StoreClient } from './client.js';
import { quotedText } from './encoding.js';
import { plainly } from './reference-file.js';

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

/**
 * Writes the rows of a Parquet or CSV file as lines of JSON; NaN and infinity as null, times as ISO 8601. Throws file_unreadable with what
 * is wrong.
 */
export async function writeRowsAsLines(client: StoreClient, path: string, target: string): Promise<void> {
  if (PATTERN.test(path))
    throw new AppError('file_unreadable', `the path ${path} holds one of * ? { } ::, rename the file`);
  try {
    accessSync(path, constants.R_OK);
    await client.command(
      `INSERT INTO FUNCTION file(${quotedText(resolve(target))}, 'JSONEachRow')
       SELECT * FROM file(${quotedText(resolve(path))}, ${quotedText(formatOf(path) ?? '')})
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
