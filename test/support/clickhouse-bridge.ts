import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { drainPending } from 'chdb';
import { type ChdbConnection, createChdbConnection } from 'chdb/connection';
import { withholdStdin } from '../../src/store/engine-stdin.js';

const unzip = promisify(gunzip);
const zip = promisify(gzip);

/** What goes wrong with one request: it waits, then answers `status`, or loses its connection after (`cut`) the work is done. */
export interface Fault {
  readonly delayMs?: number;
  readonly status?: number;
  readonly cut?: boolean;
}

export interface ClickHouseBridge {
  readonly url: string;
  /** Statements answered so far, newest last; at most 1,000. */
  readonly statements: readonly BridgeStatement[];
  /** What clients have to send from now on. */
  password: string;
  /** Statements run as those of a user whose profile says `readonly`: the engine refuses what changes something. */
  readOnly: boolean;
  /** Asked before each statement; null is no fault. */
  fault: (statement: BridgeStatement) => Fault | null;
  stop(): Promise<void>;
}

export interface BridgeStatement {
  readonly sql: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly parameters: ReadonlyMap<string, string>;
  readonly bodyBytes: number;
  /** How the request and the answer were packed. */
  readonly requestEncoding: string;
  readonly multipart: boolean;
}

/**
 * ClickHouse's HTTP interface over the embedded engine, as far as the client uses it: statement in the body or in `query`, settings and
 * `param_*` in the URL or in a multipart body, gzip both ways, `X-ClickHouse-Summary`, exceptions as a real server words them. Each request
 * has a connection of its own, so that no setting outlives it.
 */
export async function startClickHouseBridge(options: {
  dataDir: string;
  port?: number;
  user?: string;
  password?: string;
}): Promise<ClickHouseBridge> {
  const { dataDir, port = 0, user = 'default', password = '' } = options;
  withholdStdin();
  const keeper = createChdbConnection({ path: dataDir });
  const statements: BridgeStatement[] = [];
  const credentials = () => `Basic ${Buffer.from(`${user}:${bridge.password}`).toString('base64')}`;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://bridge');
    if (url.pathname === '/ping') {
      response.end('Ok.\n');
      return;
    }
    if (request.headers.authorization !== undefined && request.headers.authorization !== credentials()) {
      const message = `Code: 516. DB::Exception: ${user}: Authentication failed. (AUTHENTICATION_FAILED)`;
      fail(response, 403, 516, message);
      return;
    }
    const call = await readCall(request, url);
    statements.push(call);
    if (statements.length > 1_000) statements.shift();
    const fault = bridge.fault(call);
    if (fault?.delayMs !== undefined) await delay(fault.delayMs);
    if (fault?.status !== undefined) {
      fail(response, fault.status, 999, 'Code: 999. DB::Exception: injected fault. (KEEPER_EXCEPTION)');
      return;
    }
    if (call.longestField > MAX_FIELD_BYTES) {
      fail(response, 400, 1000, 'Poco::Exception. Code: 1000, HTML Form Exception: Field value too long');
      return;
    }
    try {
      const bytes = await execute(dataDir, url, call, bridge.readOnly);
      if (fault?.cut === true) response.destroy();
      else await answer(request, response, url, call, bytes);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const code = Number(/Code: (\d+)/.exec(message)?.[1] ?? 1001);
      fail(response, code === 60 || code === 81 ? 404 : 500, code, message);
    }
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  // Requests are held back on purpose, on slow machines for minutes: no connection ends because its next request, or the rest of one, is late.
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const bridge: ClickHouseBridge = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    statements,
    password,
    readOnly: false,
    fault: () => null,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await keeper.close();
      await drainPending();
    },
  };
  return bridge;
}

/** A server's `http_max_field_value_size`, which no client can raise. */
const MAX_FIELD_BYTES = 131_072;

interface Call extends BridgeStatement {
  /** Of a form: characters of the longest field, be it the statement or a parameter. */
  readonly longestField: number;
  /** Rows of an INSERT, after the statement. */
  readonly body: Buffer;
}

async function readCall(request: IncomingMessage, url: URL): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const packed = Buffer.concat(chunks);
  const requestEncoding = request.headers['content-encoding'] ?? 'identity';
  const bytes = requestEncoding === 'gzip' && packed.length > 0 ? await unzip(packed) : packed;
  const text = bytes.toString('utf8');
  const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(request.headers['content-type'] ?? '')?.[1];
  const parts = boundary === undefined ? new Map<string, string>() : readParts(text, boundary);

  const settings = new Map<string, string>();
  const parameters = new Map<string, string>();
  for (const [name, value] of [...url.searchParams, ...parts]) {
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (!NOT_SETTINGS.has(name) && !name.startsWith('http_')) settings.set(name, value);
  }
  const asked = url.searchParams.get('query') ?? parts.get('query');
  return {
    sql: asked ?? text,
    body: asked === null || asked === undefined || boundary !== undefined ? Buffer.alloc(0) : bytes,
    settings,
    parameters,
    bodyBytes: bytes.length,
    requestEncoding,
    multipart: boundary !== undefined,
    longestField: Math.max(0, ...[...parts.values()].map(({ length }) => length)),
  };
}

const NOT_SETTINGS = new Set([
  'query',
  'database',
  'query_id',
  'session_id',
  'role',
  'default_format',
  'wait_end_of_query',
  'enable_http_compression',
  'send_progress_in_http_headers',
]);

function readParts(text: string, boundary: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.split(`--${boundary}`)) {
    const match = /^\r\nContent-Disposition: form-data; name="([^"]+)"\r\n\r\n([\s\S]*)\r\n$/.exec(part);
    if (match?.[1] !== undefined && match[2] !== undefined) parts.set(match[1], match[2]);
  }
  return parts;
}

async function execute(dataDir: string, url: URL, call: Call, readOnly: boolean): Promise<Uint8Array> {
  const connection = createChdbConnection({ path: dataDir });
  try {
    const database = url.searchParams.get('database') ?? 'default';
    await run(connection, `USE \`${database.replaceAll('`', '')}\``);
    const values = [
      ...[...call.settings].map(([name, value]) => `${name} = ${literal(value)}`),
      ...[...call.parameters].map(([name, value]) => `param_${name} = ${literal(value)}`),
    ];
    // Large parameters make a large statement: the limit is raised by one of its own.
    await run(connection, 'SET max_query_size = 268435456');
    if (values.length > 0) await run(connection, `SET ${values.join(', ')}`);
    // Settings may still be changed, as clients do with each request.
    if (readOnly) await run(connection, 'SET readonly = 2');
    // The rows go alone behind their statement: among several statements a blank line could end them.
    if (call.body.length === 0) return await run(connection, call.sql);
    if (!call.sql.endsWith('FORMAT Native')) return await run(connection, `${call.sql}\n${call.body}`);
    return await insertBlock(connection, call);
  } finally {
    await connection.close();
  }
}

/** The binding takes text alone; bytes go by a file. */
async function insertBlock(connection: ChdbConnection, { sql, body }: Call): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), 'plumbline-bridge-'));
  const file = join(directory, 'block');
  try {
    await writeFile(file, body);
    return await run(connection, sql.replace(/FORMAT Native$/, `FROM INFILE ${literal(file)} FORMAT Native`));
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function run(connection: ChdbConnection, sql: string): Promise<Uint8Array> {
  return (await connection.chdb.queryAsync(sql, { format: 'TabSeparated' })).bytes();
}

function literal(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  call: Call,
  bytes: Uint8Array,
): Promise<void> {
  const lines = call.body
    .toString()
    .split('\n')
    .filter((line) => line !== '').length;
  // As a server counts a block: its second number.
  const written = call.sql.endsWith('FORMAT Native') ? rowsOfBlock(call.body) : lines;
  response.setHeader('Content-Type', 'application/x-ndjson; charset=UTF-8');
  response.setHeader('X-ClickHouse-Query-Id', url.searchParams.get('query_id') ?? randomUUID());
  response.setHeader(
    'X-ClickHouse-Summary',
    JSON.stringify({ read_rows: String(written), written_rows: String(written), elapsed_ns: '1' }),
  );
  const accepted = String(request.headers['accept-encoding'] ?? '');
  const compress =
    url.searchParams.get('enable_http_compression') === '1' && accepted.includes('gzip') && bytes.length > 0;
  if (compress) response.setHeader('Content-Encoding', 'gzip');
  response.end(compress ? await zip(bytes) : bytes);
}

function rowsOfBlock(block: Buffer): number {
  const numbers: number[] = [];
  for (let at = 0, scale = 1, value = 0; numbers.length < 2 && at < block.length; at += 1) {
    const byte = block.readUInt8(at);
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte > 0x7f) continue;
    numbers.push(value);
    value = 0;
    scale = 1;
  }
  return numbers[1] ?? 0;
}

function fail(response: ServerResponse, status: number, code: number, message: string): void {
  response.statusCode = status;
  response.setHeader('X-ClickHouse-Exception-Code', String(code));
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.end(`${message}\n`);
}
