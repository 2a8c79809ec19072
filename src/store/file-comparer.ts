import { stat } from 'node:fs/promises';
import type { FileComparer, SideColumn, SideContent } from '../domain/compared-files.js';
import { contentOf } from '../domain/reference-columns.js';
import { AppError, messageOf } from '../errors.js';
import type { StoreClient } from './client.js';
import { createComparedSide, type SideSource } from './compared-side.js';
import { expandPattern } from './expand-pattern.js';
import { openReferenceFile, plainly, type ReferenceFile } from './reference-file.js';

const MAX_FILES = 1_000;
const TIMEOUT_MS = 3_600_000;

interface OpenFile {
  readonly path: string;
  readonly file: ReferenceFile;
}

/**
 * Opens sides on an engine that nobody else uses: a single Parquet file is read where it lies, column by column; text files and
 * several files are loaded once into a table of the engine.
 */
export function createFileComparer(client: StoreClient): FileComparer {
  let tables = 0;

  return {
    async open(patterns) {
      const paths = [...new Set((await Promise.all(patterns.map(expandPattern))).flat())];
      if (paths.length > MAX_FILES)
        throw new AppError(
          'file_unreadable',
          `${patterns.join(' ')} stands for ${paths.length} files: join them into ${MAX_FILES} or fewer`,
        );
      const opened: OpenFile[] = [];
      for (const path of paths) opened.push(await open(client, path));
      const columns = columnsOf(opened);
      const [only] = opened;
      const source =
        opened.length === 1 && only?.file.columnar
          ? fileSource(client, only.file)
          : await loadTable(client, opened, columns, `side_${tables++}`);
      const [row] = await source.query<{ rows: number }>(
        `SELECT count() AS rows FROM ${source.from}`,
        source.params,
      );
      const rows = row?.rows ?? 0;
      if (rows === 0)
        throw new AppError(
          'file_unreadable',
          `${paths.join(', ')} has no rows: nothing can be compared with it`,
        );
      return createComparedSide(source, { files: paths, rows, columns });
    },
  };
}

/** What is wrong with a file is the same for a comparison as for a registration, but no reference is meant here. */
async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof AppError && cause.code === 'invalid_reference')) throw cause;
    throw new AppError('file_unreadable', cause.message, { cause });
  }
}

async function open(client: StoreClient, path: string): Promise<OpenFile> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile() && found.size === 0)
    throw new AppError('file_unreadable', `${path} is empty: nothing can be compared with it`);
  return { path, file: await readable(() => openReferenceFile(client, path)) };
}

/** Every column of any file, in order of appearance, with what the files hold under its name together. */
function columnsOf(opened: readonly OpenFile[]): SideColumn[] {
  const found = new Map<string, { contents: Set<SideContent>; files: number }>();
  for (const { path, file } of opened) {
    const names = new Set<string>();
    for (const { name, type } of file.columns) {
      if (names.has(name))
        throw new AppError('file_unreadable', `${path} has two columns named ${name}: rename one`);
      names.add(name);
      const entry = found.get(name) ?? { contents: new Set(), files: 0 };
      entry.files++;
      entry.contents.add(/Nothing/.test(type) ? 'empty' : contentOf(type));
      found.set(name, entry);
    }
  }
  return [...found].map(([name, { contents, files }]) => ({
    name,
    content: together(contents),
    integer: contents.has('integer') && !contents.has('decimal'),
    untyped: opened.every(({ file }) => file.untyped),
    filesWithout: opened.length - files,
  }));
}

function together(contents: ReadonlySet<SideContent>): SideContent {
  const kinds = new Set([...contents].filter((content) => content !== 'empty'));
  if (kinds.has('integer') && kinds.has('decimal')) kinds.delete('integer');
  const [first = 'empty', ...others] = kinds;
  return others.length > 0 ? 'mixed' : first;
}

const SQL_TYPES: Readonly<Record<SideContent, string | null>> = {
  integer: 'Float64',
  decimal: 'Float64',
  boolean: 'Nullable(String)',
  text: 'Nullable(String)',
  mixed: 'Nullable(String)',
  time: 'Nullable(Int64)',
  empty: null,
  other: null,
};

function queries(client: StoreClient): Pick<SideSource, 'query' | 'native'> {
  const limits = { timeoutMs: TIMEOUT_MS };
  return {
    query: (sql, params) => client.query(sql, params, limits),
    native: (sql, params) => client.queryNative(sql, params, limits),
  };
}

function fileSource(client: StoreClient, file: ReferenceFile): SideSource {
  const asFeature = (name: string, kind: 'numeric' | 'categorical') => ({ name, kind });
  const { native } = queries(client);
  return {
    from: file.table,
    params: file.params,
    number: ({ name }) => file.number(asFeature(name, 'numeric')),
    text: ({ name }) => file.text(asFeature(name, 'categorical')),
    timeMs: ({ name }) => file.timeMs(name),
    // The file's own query explains what is wrong with a file that breaks in the middle.
    query: (sql, params) => readable(() => file.query(sql, usedBy(sql, params))),
    native: (sql, params) =>
      native(sql, usedBy(sql, params)).catch((cause: unknown) => {
        throw new AppError(
          'file_unreadable',
          `cannot read ${String(file.params.path)} to its end: ${plainly(messageOf(cause).split('\n')[0] ?? '')}; is it complete?`,
          { cause },
        );
      }),
  };
}

/** The parameters that a statement names: a file has one for each of its columns, and each costs time. */
function usedBy(sql: string, params: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const named = new Set(Array.from(sql.matchAll(/\{(\w+):/g), ([, name]) => name));
  return Object.fromEntries(Object.entries(params).filter(([name]) => named.has(name)));
}

/** Copies the files' columns into a table in which a column has one type. */
async function loadTable(
  client: StoreClient,
  opened: readonly OpenFile[],
  columns: readonly SideColumn[],
  table: string,
): Promise<SideSource> {
  const kept = columns.filter(({ content }) => SQL_TYPES[content] !== null);
  const indexOf = new Map(kept.map(({ name }, index) => [name, index]));
  const definitions = kept.map(({ content }, index) => `c${index} ${SQL_TYPES[content]}`);
  await client.command(
    `CREATE TABLE ${table} (row_mark UInt8${definitions.map((d) => `, ${d}`).join('')}) ENGINE = Log`,
  );
  for (const { file } of opened) {
    const names = new Set(file.columns.map((column) => column.name));
    const values = kept.map((column) => valueIn(file, column, names.has(column.name)));
    await readable(() =>
      file.query(
        `INSERT INTO ${table} SELECT ${['1', ...values].join(', ')} FROM ${file.table}
         SETTINGS max_threads = 1, max_insert_threads = 1, input_format_parallel_parsing = 1, input_format_parquet_preserve_order = 1`,
        file.params,
      ),
    );
  }
  const column = ({ name }: SideColumn) => `c${indexOf.get(name) ?? ''}`;
  const isNumber = ({ content }: SideColumn) => content === 'integer' || content === 'decimal';
  const absent = (name: SideColumn) => !indexOf.has(name.name);
  return {
    ...queries(client),
    from: table,
    params: {},
    number: (c) => {
      if (absent(c)) return 'toFloat64(nan)';
      if (isNumber(c)) return column(c);
      if (c.content === 'time') return `ifNull(toFloat64(${column(c)}), nan)`;
      return `(ifNull(toFloat64OrNull(${c.content === 'boolean' ? `transform(${column(c)}, ['true', 'false'], ['1', '0'], NULL)` : column(c)}), nan) + 0)`;
    },
    text: (c) => {
      if (absent(c)) return "CAST(NULL, 'Nullable(String)')";
      if (isNumber(c)) return `if(isNaN(${column(c)}), NULL, toString(${column(c)}))`;
      return c.content === 'time' ? `toString(${column(c)})` : column(c);
    },
    timeMs: (c) => {
      if (absent(c)) return "CAST(NULL, 'Nullable(Int64)')";
      if (c.content === 'time') return column(c);
      if (!isNumber(c))
        return `toNullable(toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(${column(c)}, 3, 'UTC')))`;
      return numberTimeMs(column(c));
    },
  };
}

/** Numbers are seconds, ms, µs or ns by their size, as in reference files. */
const numberTimeMs = (x: string) =>
  `accurateCastOrNull(floor(multiIf(abs(${x}) < 1e11, ${x} * 1000, abs(${x}) < 1e14, ${x}, abs(${x}) < 1e17, ${x} / 1000, ${x} / 1000000)), 'Int64')`;

function valueIn(file: ReferenceFile, column: SideColumn, has: boolean): string {
  const type = SQL_TYPES[column.content] ?? 'Nullable(String)';
  if (!has) return type === 'Float64' ? 'nan' : `CAST(NULL, '${type}')`;
  if (type === 'Float64') return file.number({ name: column.name, kind: 'numeric' });
  if (column.content === 'time') return file.timeMs(column.name);
  return file.text({ name: column.name, kind: 'categorical' });
}
