import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { type ClickHouseClientConfigOptions, parseError } from '@clickhouse/client';
import { formatQueryParams } from '@clickhouse/client-common';
import { drainPending } from 'chdb';
import { type ChdbConnection, createChdbConnection } from 'chdb/connection';
import { withholdStdin } from './engine-stdin.js';
import { createScratchFiles, type ScratchFiles } from './scratch-file.js';

type Connection = NonNullable<ClickHouseClientConfigOptions['connection']>;
/** What the client hands over with each statement. */
type Call = Parameters<Connection['query']>[0];
type Settings = Readonly<Record<string, string | number>>;

const NO_SUMMARY = {
  read_rows: '0',
  read_bytes: '0',
  written_rows: '0',
  written_bytes: '0',
  result_rows: '0',
  result_bytes: '0',
  total_rows_to_read: '0',
  elapsed_ns: '0',
};

/**
 * The engine in this process as a connection of the ClickHouse client. It replaces two paths of chdb's own connection:
 * - parameters: chdb runs every parameterised query of the process through one chain, so that an API call would wait
 *   behind a long job. `SET param_x` belongs to one connection, and connections run in parallel.
 * - inserts: chdb joins statement and body into one string on the main thread. Here the body's buffer goes to the
 *   engine as it is, read off the event loop, with the settings inside the statement, where they cannot leak. The
 *   binding takes text alone from memory; a Native block goes through a file without a name (docs/adr/0005).
 */
export async function openEmbeddedConnection(options: {
  readonly path: string;
  readonly database: string;
  readonly settings: Settings;
}): Promise<Connection> {
  const { path, database, settings } = options;
  withholdStdin();
  const inner = createChdbConnection({ path });
  const scratch = createScratchFiles(path);
  const run = (sql: string, params: Pick<Call, 'abort_signal'>, format?: string) =>
    runSql(inner, sql, params, format);
  try {
    await run(`CREATE DATABASE IF NOT EXISTS ${identifier(database)} ENGINE = Atomic`, {});
    await run(`USE ${identifier(database)}`, {});
    await run(setStatement(settings), {});
  } catch (error) {
    await inner.close();
    throw error;
  }
  const statement = (params: Call): string =>
    `${bindings(params.clickhouse_settings, params.query_params)}${params.query}`;
  const base = () => ({ query_id: randomUUID(), response_headers: {}, http_status_code: 200 });

  return {
    query: async (params) => {
      const bytes = await run(statement(params), params);
      return { ...base(), stream: readable(bytes) };
    },
    command: async (params) => {
      await run(statement(params), params);
      return { ...base(), summary: NO_SUMMARY };
    },
    exec: async (params) => {
      const bytes =
        params.values === undefined
          ? await run(statement(params), params)
          : await insertBody(inner, scratch, params, await collect(params.values));
      return { ...base(), stream: readable(bytes), summary: NO_SUMMARY };
    },
    insert: async (params) => {
      await insertBody(inner, scratch, params, await collect(params.values));
      return { ...base(), summary: NO_SUMMARY };
    },
    ping: async () => {
      try {
        await run('SELECT 1', {});
        return { success: true };
      } catch (error) {
        return { success: false, error: error instanceof Error ? error : new Error(String(error)) };
      }
    },
    close: async () => {
      await scratch.close();
      await inner.close();
      await drainPending();
    },
  };
}

async function runSql(
  connection: ChdbConnection,
  sql: string,
  params: Pick<Call, 'abort_signal'>,
  format = 'JSONEachRow',
): Promise<Uint8Array> {
  try {
    const result = await connection.chdb.queryAsync(sql, { format, ...signalOf(params) });
    return result.bytes();
  } catch (error) {
    throw engineError(error);
  }
}

const INSERT = /^INSERT INTO ([\w.]+) \(([\w, ]+)\) FORMAT (JSONEachRow|Native)$/;

async function insertBody(
  connection: ChdbConnection,
  scratch: ScratchFiles,
  params: Call,
  parts: readonly Uint8Array[],
): Promise<Uint8Array> {
  const match = INSERT.exec(params.query.trim());
  const [, table, columns, format] = match ?? [];
  if (table === undefined || columns === undefined || format === undefined)
    throw new TypeError(
      `an embedded insert reads INSERT INTO table (columns) FORMAT JSONEachRow or Native, got ${params.query.slice(0, 80)}`,
    );
  const settings = scalars(params.clickhouse_settings);
  try {
    if (format === 'Native') {
      const list = assignments(settings);
      const into = `INSERT INTO ${table} (${columns})`;
      await scratch.use(parts, params.abort_signal, (file) =>
        connection.chdb.queryAsync(`${into} FROM INFILE ${literal(file)} SETTINGS ${list} FORMAT Native`),
      );
    } else {
      await connection.chdb.rawInsert({
        table,
        columns: columns.split(', '),
        format: 'JSONEachRow',
        values: Buffer.concat(parts),
        settings,
        ...signalOf(params),
      });
    }
  } catch (error) {
    throw engineError(error);
  }
  return new Uint8Array(0);
}

function signalOf(params: Pick<Call, 'abort_signal'>): { signal?: AbortSignal } {
  return params.abort_signal === undefined ? {} : { signal: params.abort_signal };
}

/** `Code: N. DB::Exception: …` becomes the client's own ClickHouseError, as over HTTP. */
function engineError(error: unknown): Error {
  const mapped = parseError(error instanceof Error ? error : String(error));
  if (mapped !== error) mapped.cause = error;
  return mapped;
}

/** The settings and `{name:Type}` parameters of one statement. They stay set on the connection, so each call gives all it uses. */
function bindings(settings: Call['clickhouse_settings'], params: Call['query_params']): string {
  const values: Record<string, string | number> = { ...scalars(settings) };
  for (const [name, value] of Object.entries(params ?? {}))
    values[`param_${name}`] = formatQueryParams({ value });
  return Object.keys(values).length === 0 ? '' : `${setStatement(values)}; `;
}

function setStatement(values: Settings): string {
  return `SET ${assignments(values)}`;
}

function assignments(values: Settings): string {
  return Object.entries(values)
    .map(([name, value]) => `${identifier(name)} = ${literal(value)}`)
    .join(', ');
}

/** Settings that exist only in the HTTP layer of a server. */
const HTTP_ONLY = /^(wait_end_of_query|send_progress_in_http_headers|http_|enable_http_)/;

function scalars(settings: Call['clickhouse_settings']): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(settings ?? {})) {
    if (HTTP_ONLY.test(name) || value === undefined) continue;
    if (typeof value === 'number' || typeof value === 'string') values[name] = value;
    else if (typeof value === 'boolean') values[name] = value ? 1 : 0;
    else throw new TypeError(`the setting ${name} must be a number, string or boolean`);
  }
  return values;
}

function literal(value: string | number): string {
  if (typeof value === 'number') return String(value);
  return `'${value.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`;
}

function identifier(name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new TypeError(`not an identifier: ${JSON.stringify(name)}`);
  return name;
}

async function collect(values: string | Readable): Promise<Uint8Array[]> {
  if (typeof values === 'string') return [Buffer.from(values)];
  const chunks: Uint8Array[] = [];
  for await (const chunk of values) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return chunks;
}

function readable(bytes: Uint8Array): Readable {
  const stream = Readable.from([Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)], {
    objectMode: false,
  });
  // An unread result is closed with an error by the client; without a listener that would end the process.
  stream.on('error', () => undefined);
  return stream;
}
