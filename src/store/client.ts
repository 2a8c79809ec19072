import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ClickHouseClient, ClickHouseLogLevel, createClient, drainStream } from '@clickhouse/client';
import { AppError } from '../errors.js';
import { explainOpenFailure, prepareDataDir } from './data-dir.js';
import { openEmbeddedConnection } from './embedded-connection.js';
import { encodeRows } from './encoding.js';
import { safeToken } from './identity.js';
import { withLongParams } from './long-params.js';
import { toStoreError } from './store-error.js';

/** Where the data lives: the engine inside this process, or a ClickHouse server. */
export type StoreLocation =
  | { readonly kind: 'embedded'; readonly dataDir: string; readonly database?: string }
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly database: string;
      readonly username: string;
      readonly password: string;
    };

/** Values of `{name:Type}` placeholders; times as `dateTime64(ms)` of encoding.js. */
export type SqlParams = Readonly<Record<string, unknown>>;

export interface StoreClient {
  readonly kind: StoreLocation['kind'];
  readonly database: string;
  /** Rows of a SELECT without FORMAT. Float64 ±inf and nan arrive as the strings `inf`, `-inf`, `nan`; 64-bit integers as numbers. */
  query<T>(sql: string, params?: SqlParams, options?: CallOptions): Promise<T[]>;
  /** The rows of a SELECT without FORMAT as bytes of the engine's Native format: for what is too big for JSON. */
  queryNative(sql: string, params?: SqlParams, options?: CallOptions): Promise<Uint8Array>;
  /** A statement without an answer. */
  command(sql: string, params?: SqlParams, options?: CallOptions): Promise<void>;
  /**
   * Inserts rows of objects (all with the keys of the first) as one block; durable when it resolves. The same token
   * inserts nothing twice; without a token every call inserts. Numbers may be ±Infinity, NaN or bigint.
   */
  insert(table: string, rows: readonly object[], token?: string): Promise<void>;
  /** Inserts one block in the engine's Native format (native-block.ts), whose columns are `columns`. */
  insertBlock(
    table: string,
    columns: readonly string[],
    parts: readonly Uint8Array[],
    token: string,
  ): Promise<void>;
  /**
   * Writes the answer of a statement that is not ours to a file, as Parquet. The engine is told to let it read tables and views only
   * (no files, no network, no change of settings), and to end it beyond the limits.
   */
  exportForeign(sql: string, path: string, limits: ExportLimits): Promise<void>;
  /** Creates the database on a server; an embedded one exists once the client is open. */
  createDatabase(): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface ExportLimits {
  readonly timeoutMs: number;
  readonly maxRows: number;
  /** Of the answer in the engine's memory, and of the file. */
  readonly maxBytes: number;
}

export interface CallOptions {
  readonly timeoutMs?: number;
}

export type StoreClientOptions = StoreLocation & {
  /** Longest wait for one statement; the engine is told to stop then, too. Default 60,000 ms. */
  readonly timeoutMs?: number;
};

const DEFAULT_DATABASE = 'plumbline';
const DEFAULT_TIMEOUT_MS = 60_000;

/** Set explicitly on every client, since defaults differ between engine versions. */
const SESSION_SETTINGS = {
  max_query_size: '67108864',
  max_ast_elements: '1000000',
  date_time_input_format: 'basic',
  output_format_json_quote_denormals: 1,
  output_format_json_quote_64bit_integers: 0,
  output_format_json_named_tuples_as_objects: 1,
  join_use_nulls: 0,
  // Times without a zone, in reference files, are UTC, wherever the machine stands.
  session_timezone: 'UTC',
  // A CSV column that turns from whole numbers into decimals after many rows is still decimal.
  input_format_max_rows_to_read_for_schema_inference: '1000000',
  input_format_max_bytes_to_read_for_schema_inference: '268435456',
  // The fast parser is off by one unit in the last place for one decimal in 130: 28.04 would miss the cut point 28.04.
  precise_float_parsing: 1,
  // A CSV column with 1e-05 in it is a column of numbers; without this it would be one of text.
  input_format_try_infer_exponent_floats: 1,
} as const;

/** An acknowledged insert is in the table, and a repeated token changes nothing (proven at each start: `assertDedup`). */
const INSERT_SETTINGS = {
  async_insert: 0,
  wait_for_async_insert: 1,
  insert_deduplicate: 1,
  date_time_input_format: 'basic',
  input_format_null_as_default: 0,
  precise_float_parsing: 1,
  // A query's limit stays set on an embedded connection; an insert is limited by our signal alone.
  max_execution_time: 0,
  input_format_skip_unknown_fields: 0,
} as const;

/** Parameters of a query that may go in a form. */
const FORM_LENGTH = 64 * 1_024;

/** Above the size of a block, so that its parts go through the stream in one turn. */
const HIGH_WATER = 64 * 1_024 * 1_024;

/**
 * Opens one client: one connection, on which one statement runs at a time in the embedded engine, so ingest, jobs and
 * API each open their own on the same directory. Throws data_dir_in_use, data_dir_unusable (embedded).
 */
export async function createStoreClient(options: StoreClientOptions): Promise<StoreClient> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const database = options.database ?? DEFAULT_DATABASE;
  const client =
    options.kind === 'embedded'
      ? await openEmbedded(options.dataDir, database)
      : openHttp(options, database, timeoutMs);

  const call = async <T>(operation: string, limitMs: number, run: (signal: AbortSignal) => Promise<T>) => {
    const signal = AbortSignal.timeout(limitMs);
    try {
      return await run(signal);
    } catch (cause) {
      if (signal.aborted)
        throw new AppError('store_unavailable', `the store did not ${operation} within ${limitMs} ms`, {
          cause,
          retryable: true,
        });
      throw toStoreError(cause, operation);
    }
  };
  /** The client puts those of a query into a form when they do not fit the address; those of other statements always into the address. */
  const fitted = (sql: string, params: SqlParams, most?: number) =>
    options.kind === 'http' ? withLongParams(sql, params, most) : { sql, params };
  const executionLimit = (limitMs: number) => ({ max_execution_time: Math.ceil(limitMs / 1_000) });

  const insertParts = (
    table: string,
    columns: readonly string[],
    format: string,
    parts: readonly Uint8Array[],
    token: string,
  ) =>
    call(`insert into ${table}`, timeoutMs, async (signal) => {
      const result = await client.exec({
        query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT ${format}`,
        values: Readable.from(parts, { objectMode: false, highWaterMark: HIGH_WATER }),
        clickhouse_settings: { ...INSERT_SETTINGS, insert_deduplication_token: safeToken(token) },
        abort_signal: signal,
      });
      await drainStream(result.stream);
    });

  return {
    kind: options.kind,
    database,
    query: <T>(sql: string, params: SqlParams = {}, { timeoutMs: limitMs = timeoutMs }: CallOptions = {}) =>
      call('answer a query', limitMs, async (signal) => {
        const statement = fitted(sql, params, FORM_LENGTH);
        const result = await client.query({
          query: statement.sql,
          query_params: { ...statement.params },
          format: 'JSONEachRow',
          clickhouse_settings: executionLimit(limitMs),
          abort_signal: signal,
        });
        return await result.json<T>();
      }),
    queryNative: (sql, params = {}, { timeoutMs: limitMs = timeoutMs } = {}) =>
      call('answer a query', limitMs, async (signal) => {
        const statement = fitted(sql, params);
        const result = await client.exec({
          query: `${statement.sql} FORMAT Native`,
          query_params: { ...statement.params },
          clickhouse_settings: executionLimit(limitMs),
          abort_signal: signal,
        });
        const chunks: Buffer[] = [];
        for await (const chunk of result.stream) chunks.push(chunk);
        const [only] = chunks;
        return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
      }),
    command: (sql, params = {}, { timeoutMs: limitMs = timeoutMs } = {}) =>
      call('run a statement', limitMs, async (signal) => {
        const statement = fitted(sql, params);
        await client.command({
          query: statement.sql,
          query_params: { ...statement.params },
          clickhouse_settings: executionLimit(limitMs),
          abort_signal: signal,
        });
      }),
    insert: async (table, rows, token = randomUUID()) => {
      const [first] = rows;
      if (first === undefined) return;
      await insertParts(table, Object.keys(first), 'JSONEachRow', await encodeRows(rows), token);
    },
    insertBlock: (table, columns, parts, token) => insertParts(table, columns, 'Native', parts, token),
    exportForeign: (sql, path, { timeoutMs: limitMs, maxRows, maxBytes }) =>
      call('answer a query', limitMs, async (signal) => {
        const result = await client.exec({
          query: `${sql}\nFORMAT Parquet`,
          clickhouse_settings: {
            ...executionLimit(limitMs),
            max_result_rows: String(maxRows),
            max_result_bytes: String(maxBytes),
            result_overflow_mode: 'throw',
            output_format_parquet_string_as_string: 1,
            // An error in the middle must not look like a file.
            wait_end_of_query: 1,
            readonly: '1',
          },
          abort_signal: signal,
        });
        await pipeline(result.stream, byteLimit(maxBytes), createWriteStream(path), { signal });
      }),
    createDatabase: async () => {
      if (options.kind === 'embedded') return;
      // The database of the session must exist already, so this statement runs outside it.
      const admin = openHttp(options, 'default', timeoutMs);
      try {
        await call('create the database', timeoutMs, (signal) =>
          admin.command({
            query: 'CREATE DATABASE IF NOT EXISTS {database:Identifier}',
            query_params: { database },
            abort_signal: signal,
          }),
        );
      } finally {
        await admin.close();
      }
    },
    ping: () =>
      call('answer a ping', timeoutMs, async (signal) => {
        const result = await client.ping({ select: true, abort_signal: signal });
        if (!result.success) throw result.error;
      }),
    close: () => client.close(),
  };
}

async function openEmbedded(dataDir: string, database: string): Promise<ClickHouseClient> {
  const path = prepareDataDir(dataDir);
  try {
    const connection = await openEmbeddedConnection({ path, database, settings: SESSION_SETTINGS });
    return createClient({ connection, log: { level: ClickHouseLogLevel.OFF } });
  } catch (cause) {
    throw explainOpenFailure(path, cause);
  }
}

function openHttp(
  location: Extract<StoreLocation, { kind: 'http' }>,
  database: string,
  timeoutMs: number,
): ClickHouseClient {
  return createClient({
    url: location.url,
    username: location.username,
    password: location.password,
    database,
    application: 'plumbline',
    // Our own signal ends a call; the client's limit must not come first.
    request_timeout: timeoutMs + 60_000,
    compression: { request: true, response: true },
    use_multipart_params_auto: true,
    clickhouse_settings: SESSION_SETTINGS,
    log: { level: ClickHouseLogLevel.OFF },
  });
}

function byteLimit(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= maxBytes) done(null, chunk);
      else
        done(
          new AppError(
            'payload_too_large',
            `the answer is larger than ${maxBytes} bytes: ask for fewer rows`,
          ),
        );
    },
  });
}
