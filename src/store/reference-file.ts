import { accessSync, constants } from 'node:fs';
import { extname, resolve } from 'node:path';
import { type FeatureSchema, LABEL, LATENCY, PREDICTION, PREDICTION_PROBA } from '../domain/model.js';
import { type ColumnRole, columnOfRole, contentOf } from '../domain/reference-columns.js';
import { AppError, messageOf } from '../errors.js';
import type { StoreClient } from './client.js';
import { gapOrNumber } from './missing-words.js';
import { engineErrorCode } from './store-error.js';

const FORMATS: ReadonlyMap<string, string> = new Map([
  ['.parquet', 'Parquet'],
  ['.csv', 'CSVWithNames'],
  ['.ndjson', 'JSONEachRow'],
  ['.jsonl', 'JSONEachRow'],
]);
/** What people call them. */
const FORMAT_WORDS: ReadonlyMap<string, string> = new Map([
  ['CSVWithNames', 'CSV with a header'],
  ['JSONEachRow', 'NDJSON'],
]);
/** Compressions that the engine knows by the ending, over a text format. */
const COMPRESSED = /\.(?:gz|zst|xz|bz2|lz4)$/i;
/** The engine's `file` would read these as patterns or archives. */
const PATTERN = /[*?{}]|::/;
const TIMEOUT_MS = 600_000;

/** The roles of columns that are no features, and the names they are counted under. */
const ROLE_OF: ReadonlyMap<string, ColumnRole> = new Map([
  [PREDICTION, 'prediction'],
  [PREDICTION_PROBA, 'proba'],
  [LABEL, 'label'],
  [LATENCY, 'latency'],
]);
/** Times as text, so that a number of four digits is none. */
const ISO_TIME =
  '^\\\\d{4}-\\\\d{2}-\\\\d{2}(?:[T ]\\\\d{2}:\\\\d{2}(?::\\\\d{2}(?:[.,]\\\\d+)?)?(?: ?Z|[+-]\\\\d{2}:?\\\\d{2})?)?$';

/** Engine errors that a sound file meets too: time limit, memory, disk. Without a code it is the connection. */
const NOT_THE_FILE: ReadonlySet<number> = new Set([159, 241, 243]);

export interface FileColumn {
  readonly name: string;
  /** The engine's type, e.g. Nullable(Float64). */
  readonly type: string;
}

/** A reference file as a table of the engine. Column names may hold anything: they are quoted, and qualified by the table. */
export interface ReferenceFile {
  readonly columns: readonly FileColumn[];
  /** Whether reading one column costs a column, and not the file. */
  readonly columnar: boolean;
  /** Whether types are guessed from what the texts look like. */
  readonly untyped: boolean;
  /** Goes after FROM. */
  readonly table: string;
  /** Parameters of `table` and of all expressions. */
  readonly params: Readonly<Record<string, unknown>>;
  /** The column as it is. */
  raw(name: string): string;
  /** Expression: the name under which the column is counted. */
  nameOf(column: FeatureSchema): string;
  /** Expression: Float64, NaN where the value is missing. A NaN in a file means that, too: events say null. */
  number(column: FeatureSchema): string;
  /** Expression: Nullable(String) as events would carry the value. */
  text(column: FeatureSchema): string;
  /** Whether the file has the column, under any name of its role. */
  has(name: string): boolean;
  /** Expression: 1 when all values, of at least one, are times. An aggregate. */
  areTimes(name: string): string;
  /** Expression: 1 when all values of a column without a type are numbers or words for gaps, and there are both. An aggregate. */
  areGappedNumbers(name: string): string;
  /** Expression: Nullable(Int64), ms since the epoch. Numbers are seconds, ms, µs or ns by their size. */
  timeMs(name: string): string;
  /** Throws invalid_reference when the file cannot be read as what its name says. */
  query<T>(sql: string, params?: Readonly<Record<string, unknown>>): Promise<T[]>;
}

/** Looks at a file. Throws file_unreadable, or invalid_reference with what to do. */
export async function openReferenceFile(client: StoreClient, path: string): Promise<ReferenceFile> {
  const format = formatOf(path);
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    throw new AppError(
      'file_unreadable',
      `cannot read ${path}: ${messageOf(cause)}; give a file that this process may read`,
      { cause },
    );
  }
  const query = async <T>(sql: string, params: Readonly<Record<string, unknown>> = {}): Promise<T[]> => {
    try {
      return await client.query<T>(sql, params, { timeoutMs: TIMEOUT_MS });
    } catch (cause) {
      const code = engineErrorCode(cause);
      if (code === null || NOT_THE_FILE.has(code)) throw cause;
      throw new AppError(
        'invalid_reference',
        `cannot read ${path} as ${FORMAT_WORDS.get(format) ?? format}: ${plainly(messageOf(cause).split('\n')[0] ?? '')}; is it complete, and in the format its name says?`,
        { cause },
      );
    }
  };
  const location = { path: resolve(path), format };
  const columns = await query<FileColumn>('DESCRIBE TABLE file({path:String}, {format:String})', location);
  const [only] = columns;
  const separator =
    columns.length === 1 && format === 'CSVWithNames' ? /[;\t]/.exec(only?.name ?? '')?.[0] : undefined;
  if (separator !== undefined)
    throw new AppError(
      'invalid_reference',
      `the header of ${path} is separated by ${JSON.stringify(separator)}: write the file with commas`,
    );
  if (format === 'CSVWithNames' && columns.length > 1 && columns.filter(isDatum).length > columns.length / 2)
    throw new AppError(
      'invalid_reference',
      `the first line of ${path} looks like data (${columns
        .slice(0, 3)
        .map(({ name }) => name)
        .join(', ')}, …): begin the file with a line of column names`,
    );
  return tableOf(columns, location, query);
}

/** Whether the "name" of a column is a value: a number with a point or sign, a gap, or one that was numbered to be different. */
function isDatum({ name }: FileColumn): boolean {
  return /^[-+]?(?:\d+[.,]\d+|\d+(?:\.\d+)?e[-+]?\d+)$/i.test(name) || /^-\d+$/.test(name);
}

/** The engine's own words, without where they come from: the reader asked about a file. */
export function plainly(message: string): string {
  return message
    .replace(/the store cannot [\w ]+: (?:engine error \d+: )?/, '')
    .replace(/[ .:]+(?:Error:?)?\s*$/, '')
    .replace(/^Cannot read rows from the data$/, 'it has no rows')
    .replace(
      /^The number of column names (\d+) differs with the number of types (\d+)$/,
      'its header has $1 column(s) and its rows $2, are they separated by commas',
    );
}

function formatOf(path: string): string {
  const format = FORMATS.get(extname(path.replace(COMPRESSED, '')).toLowerCase());
  if (format === undefined)
    throw new AppError(
      'invalid_reference',
      `cannot tell the format of ${path}: it must end in ${[...FORMATS.keys()].join(', ')}, text formats also in .gz or .zst after it`,
    );
  if (PATTERN.test(path))
    throw new AppError('invalid_reference', `the path ${path} holds one of * ? { } ::, rename the file`);
  return format;
}

function tableOf(
  columns: readonly FileColumn[],
  location: { readonly path: string; readonly format: string },
  query: ReferenceFile['query'],
): ReferenceFile {
  const names = new Set(columns.map((column) => column.name));
  const positions = new Map(columns.map((column, index) => [column.name, index]));
  /** Columns with a role may have other names in the file. */
  const inFile = (name: string): string => {
    const role = ROLE_OF.get(name);
    return role === undefined ? name : (columnOfRole(role, names) ?? name);
  };
  const counted = (name: string): string =>
    [...ROLE_OF.keys()].find((reserved) => inFile(reserved) === name) ?? name;
  const find = (name: string) => {
    const position = positions.get(inFile(name));
    const column = position === undefined ? undefined : columns[position];
    if (position === undefined || column === undefined)
      throw new AppError(
        'invalid_reference',
        `${location.path} has no column ${name}: add it, or leave it out of the schema`,
      );
    return { position, sql: `file_rows.${quoted(column.name)}`, content: contentOf(column.type) };
  };
  const timeMs = (name: string): string => {
    const { sql, content } = find(name);
    if (content === 'time') return `toNullable(toUnixTimestamp64Milli(toDateTime64(${sql}, 3, 'UTC')))`;
    if (content === 'text')
      return `toNullable(toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(toString(${sql}), 3, 'UTC')))`;
    return timeOfNumber(`toFloat64(${sql})`);
  };
  return {
    columns,
    columnar: location.format === 'Parquet',
    untyped: location.format === 'CSVWithNames',
    table: 'file({path:String}, {format:String}) AS file_rows',
    params: {
      ...location,
      ...Object.fromEntries(columns.map(({ name }, index) => [`n${index}`, counted(name)])),
    },
    query,
    raw: (name) => find(name).sql,
    nameOf: ({ name }) => `{n${find(name).position}:String}`,
    has: (name) => positions.has(inFile(name)),
    number: ({ name, time }) => {
      if (time === true) return `ifNull(${ageSeconds(timeMs(eventTime(name)), timeMs(name))}, nan)`;
      const { sql, content } = find(name);
      // + 0 makes −0 and 0 one value.
      return `(ifNull(${content === 'text' ? `toFloat64OrNull(toString(${sql}))` : `toFloat64(${sql})`}, nan) + 0)`;
    },
    text: ({ name }) => {
      const { sql, content } = find(name);
      // Predictions arrive as numbers or text, never as booleans: true becomes 1 (collectors).
      const [yes, no] = ROLE_OF.has(name) ? ['1', '0'] : ['true', 'false'];
      if (content === 'boolean')
        return `if(isNull(${sql}), NULL, if(assumeNotNull(${sql}), '${yes}', '${no}'))`;
      const text = `CAST(toString(${sql}), 'Nullable(String)')`;
      if (content !== 'text' || location.format !== 'CSVWithNames') return text;
      // Python writes booleans into text files like this; events carry them as JSON booleans.
      return `multiIf(${text} = 'True', '${yes}', ${text} = 'False', '${no}', ${text})`;
    },
    areTimes: (name) => {
      const { sql, content } = find(name);
      if (content !== 'text') return content === 'time' ? '1' : '0';
      return `countIf(isNotNull(${sql})) > 0 AND countIf(isNotNull(${sql}) AND NOT match(toString(assumeNotNull(${sql})), '${ISO_TIME}')) = 0`;
    },
    areGappedNumbers: (name) => {
      const { sql, content } = find(name);
      if (content !== 'text' || location.format !== 'CSVWithNames') return '0';
      const kinds = `groupUniqArrayIf(${gapOrNumber(`assumeNotNull(toString(${sql}))`)}, isNotNull(${sql}))`;
      return `arraySort(${kinds}) = [0, 1]`;
    },
    timeMs,
  };

  /** The column that says when a row's event was. */
  function eventTime(name: string): string {
    const column = columnOfRole('timestamp', names);
    if (column === undefined)
      throw new AppError(
        'invalid_reference',
        `${location.path} has no timestamp to measure the age of ${name} from: add one, or leave ${name} out`,
      );
    return column;
  }
}

/** A name as an identifier. Not as a parameter: the client escapes those as text, which the engine does not undo for identifiers. */
function quoted(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}

/** Expression: seconds by which a time lies before its event, both in ms. */
export function ageSeconds(eventMs: string, timeMs: string): string {
  return `((${eventMs} - ${timeMs}) / 1000)`;
}

/** Expression: a number as Nullable(Int64), ms since the epoch: seconds, ms, µs or ns by its size. */
export function timeOfNumber(number: string): string {
  return `toNullable(accurateCastOrNull(floor(multiIf(abs(${number}) < 1e11, ${number} * 1000, abs(${number}) < 1e14, ${number},
        abs(${number}) < 1e17, ${number} / 1000, ${number} / 1000000)), 'Int64'))`;
}
