import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, messageOf } from '../errors.js';

/** An overloaded service is asked again for so long. */
const OVERLOADED_PATIENCE_MS = 120_000;
/** One that is not there: a person waits for the answer; a replay goes on over a restart of the service. */
const ABSENT_PATIENCE_MS = 3_000;
export const REPLAY_PATIENCE_MS = 120_000;
const FIRST_WAIT_MS = 200;
const MAX_WAIT_MS = 5_000;

export interface ServiceClientOptions {
  /** Base URL of the service, e.g. http://127.0.0.1:8080 */
  readonly url: string;
  readonly key?: string | undefined;
  /** How long a service that does not answer is asked again, ms. */
  readonly patienceMs?: number;
  /** How long one that is too busy is asked again, ms. */
  readonly overloadedPatienceMs?: number;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  readonly body?: () => RequestInit['body'];
  /** What is answered is no JSON. */
  readonly asText?: boolean;
  /** The body is a file, which takes a while to send. */
  readonly streamed?: boolean;
  /** What was taken is counted, also in an answer of 400. */
  readonly counted?: boolean;
}

/** What the commands know of the running service: JSON over HTTP, patient with a service that is busy or restarting. */
export function createServiceClient({
  url,
  key,
  patienceMs = ABSENT_PATIENCE_MS,
  overloadedPatienceMs = OVERLOADED_PATIENCE_MS,
}: ServiceClientOptions) {
  if (!/^https?:$/.test(protocolOf(url)))
    throw new AppError('config_invalid', `${url} is no address of a service: write http://HOST:PORT`);
  const base = url.replace(/\/+$/, '');

  async function attempt(call: Call): Promise<{ response: Response; retryAfterMs: number | null }> {
    const headers: Record<string, string> = {};
    if (key !== undefined) headers.authorization = `Bearer ${key}`;
    if (call.contentType !== undefined) headers['content-type'] = call.contentType;
    const body = call.body?.();
    const response = await fetch(base + call.path, {
      method: call.method,
      headers,
      // A file is streamed: fetch wants to be told that nothing is read back meanwhile.
      ...(body === undefined || body === null ? {} : { body, duplex: 'half' as const }),
    });
    const after = Number(response.headers.get('retry-after'));
    return {
      response,
      retryAfterMs: response.status === 503 ? (after > 0 ? after * 1000 : FIRST_WAIT_MS) : null,
    };
  }

  async function send(call: Call): Promise<unknown> {
    const startMs = Date.now();
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
      let failure: AppError;
      try {
        const { response, retryAfterMs } = await attempt(call);
        if (retryAfterMs === null) return await answerOf(call, response);
        const detail = detailOf(await response.text());
        waitMs = Math.max(waitMs, Math.min(retryAfterMs, MAX_WAIT_MS));
        failure = new AppError(
          'overloaded',
          `the service at ${base} cannot do this now${detail === null ? ': try again later' : `, try again later: ${detail}`}`,
        );
      } catch (error) {
        if (error instanceof AppError) throw error;
        if (call.streamed) await explainRefusal(call);
        failure = new AppError(
          'service_unreachable',
          `no service answers at ${base}: start it with "plumbline serve", or name it with --url`,
          { cause: error },
        );
      }
      const limitMs = failure.code === 'overloaded' ? overloadedPatienceMs : patienceMs;
      if (Date.now() + waitMs > startMs + limitMs) throw failure;
      await sleep(waitMs);
    }
  }

  /** A service that refuses a key does so at once and hangs up on the file: the same call without it gets the answer. */
  async function explainRefusal({ method, path, contentType }: Call): Promise<void> {
    const call = { method, path, ...(contentType === undefined ? {} : { contentType }) };
    let response: Response;
    try {
      ({ response } = await attempt(call));
    } catch {
      return; // it is not there at all, which the caller reports
    }
    if (response.status === 401 || response.status === 403) await answerOf(call, response);
    else await response.arrayBuffer();
  }

  async function answerOf(call: Call, response: Response): Promise<unknown> {
    const text = await response.text();
    if (call.asText === true && response.ok) return text;
    let body: unknown;
    try {
      body = text === '' ? null : JSON.parse(text);
    } catch (cause) {
      throw new AppError(
        'service_unreachable',
        `${base} does not answer like Plumbline: ${messageOf(cause)}`,
        { cause },
      );
    }
    if (response.ok || (call.counted === true && response.status === 400 && isCounted(body))) return body;
    const problem = body as { detail?: string; title?: string; code?: string } | null;
    throw new AppError(
      response.status === 404 ? 'not_found' : 'invalid_request',
      `${call.method} ${call.path} was answered ${response.status}: ${problem?.detail ?? problem?.title ?? 'no detail'}`,
    );
  }

  /**
   * Long work whose progress is told: lines of NDJSON with `done` and `total`, then one with `result` or `problem`. Not repeated.
   */
  async function follow(
    path: string,
    body: unknown,
    onProgress: (done: number, total: number) => void,
  ): Promise<unknown> {
    const call = { method: 'POST', path };
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      accept: 'application/x-ndjson',
    };
    if (key !== undefined) headers.authorization = `Bearer ${key}`;
    const response = await fetch(base + path, { ...call, headers, body: JSON.stringify(body) }).catch(
      (cause: unknown) => {
        throw new AppError(
          'service_unreachable',
          `no service answers at ${base}: start it with "plumbline serve", or name it with --url`,
          { cause },
        );
      },
    );
    if (!response.ok || response.body === null) return answerOf(call, response);
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body) {
      text += decoder.decode(chunk, { stream: true });
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const message = JSON.parse(line) as {
          done?: number;
          total?: number;
          result?: unknown;
          problem?: { detail: string };
        };
        if (message.problem !== undefined) throw new AppError('invalid_request', message.problem.detail);
        if (message.result !== undefined) return message.result;
        onProgress(message.done ?? 0, message.total ?? 1);
      }
    }
    throw new AppError('service_unreachable', `the answer of ${base} broke off: try again`);
  }

  return {
    follow,
    /** The service's address, without a slash at the end. */
    url: base,
    get: (path: string) => send({ method: 'GET', path }),
    getText: async (path: string) => String(await send({ method: 'GET', path, asText: true })),
    postJson: (path: string, body: unknown) =>
      send({ method: 'POST', path, contentType: 'application/json', body: () => JSON.stringify(body) }),
    putJson: (path: string, body: unknown) =>
      send({ method: 'PUT', path, contentType: 'application/json', body: () => JSON.stringify(body) }),
    postLines: (path: string, lines: readonly string[]) => {
      const body = lines.join('\n');
      return send({
        method: 'POST',
        path,
        contentType: 'application/x-ndjson',
        counted: true,
        body: () => body,
      });
    },
    putFile: (path: string, file: string, contentType: string) =>
      send({
        method: 'PUT',
        path,
        contentType,
        streamed: true,
        body: () => createReadStream(file) as unknown as RequestInit['body'],
      }),
    delete: (path: string) => send({ method: 'DELETE', path }),
  };
}

/** Lines of which none is JSON are answered 400 and kept as rejected all the same: to send them again would keep them again. */
function isCounted(body: unknown): boolean {
  const { received, rejected } = (body ?? {}) as { received?: unknown; rejected?: unknown };
  return typeof received === 'number' && typeof rejected === 'number';
}

function protocolOf(url: string): string {
  try {
    return new URL(url).protocol;
  } catch {
    return ''; // no URL at all
  }
}

export type ServiceClient = ReturnType<typeof createServiceClient>;

/** What a problem document says, or null where there is none. */
function detailOf(text: string): string | null {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    return typeof detail === 'string' ? detail : null;
  } catch {
    return null; // a proxy's own words, or none
  }
}
