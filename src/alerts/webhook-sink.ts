import type { Clock } from '../domain/clock.js';
import type { WebhookEvent } from '../domain/episode.js';
import { AppError } from '../errors.js';
import { parseSecrets, signedHeaders } from './signature.js';
import type { Delivery, Sink } from './sink.js';

const TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1_024;
const MAX_REASON_LENGTH = 200;
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

export interface WebhookSinkOptions {
  /** http or https, without credentials. The operator's own: loopback and in-cluster hosts are meant to work. */
  readonly url: string;
  /** Standard Webhooks secret; two separated by a space while one is being replaced. */
  readonly secret: string;
  /** The wall clock: receivers compare the timestamp with theirs. */
  readonly clock: Clock;
  readonly timeoutMs?: number;
  /** The seam for a guarded client, should URLs ever come from tenants instead of the operator. */
  readonly fetch?: typeof globalThis.fetch;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new AppError('config_invalid', 'the webhook url is not an http or https url: correct it');
  if (url.username !== '' || url.password !== '')
    throw new AppError(
      'config_invalid',
      `the webhook url for ${url.host} holds credentials: remove them, the signature proves the sender`,
    );
  return url;
}

/** Seconds or an HTTP date → ms from now, within a day; undefined when absent or unreadable. */
function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}

/** The beginning of an answer, for the record; the rest, however long, is not read. */
async function answerText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= MAX_ANSWER_BYTES) break;
    }
  } catch (error) {
    return `the answer broke off (${textOf(error, 'name') ?? 'unknown'})`;
  }
  const text = Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8');
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_REASON_LENGTH);
}

/** A text property of whatever was thrown; `fetch` throws errors and DOM exceptions of several kinds. */
function textOf(thrown: unknown, property: 'name' | 'code'): string | null {
  const value = typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, property) : undefined;
  return typeof value === 'string' ? value : null;
}

/** Names the failure by its code: messages of the network stack hold addresses. */
function networkReason(error: unknown, timeoutMs: number): string {
  if (textOf(error, 'name') === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  const cause: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'cause') : undefined;
  return `no answer: ${textOf(cause, 'code') ?? textOf(error, 'name') ?? 'unknown'}`;
}

/**
 * Sends an event as Standard Webhooks 1.0 and, in the same request, as a CloudEvent in binary mode. One attempt.
 *
 * Any 2xx is success. A redirect is a failure and is not followed: it could lead anywhere. 410 means that the endpoint is
 * gone for good. Everything else is worth another attempt, 4xx too, because tokens and routes get mended.
 *
 * @throws AppError config_invalid when url or secret cannot be used
 */
export function createWebhookSink(options: WebhookSinkOptions): Sink {
  const { clock, timeoutMs = TIMEOUT_MS, fetch = globalThis.fetch } = options;
  const url = parseUrl(options.url);
  const keys = parseSecrets(options.secret);

  async function post(event: WebhookEvent): Promise<Delivery> {
    const nowMs = clock.now();
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      body: event.body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'plumbline',
        'idempotency-key': event.id,
        ...signedHeaders(keys, event.id, Math.floor(nowMs / 1_000), event.body),
        'ce-specversion': '1.0',
        'ce-id': event.id,
        'ce-type': event.type,
        'ce-source': `/models/${encodeURIComponent(event.model)}`,
        'ce-time': new Date(event.createdAtMs).toISOString(),
      },
    });
    const { status } = response;
    const redirect = status >= 300 && status < 400;
    if (response.ok || redirect) {
      // The status line is the answer: a body that breaks off afterwards must not turn a success into a retry.
      response.body?.cancel().catch(() => undefined);
    }
    if (response.ok) return { ok: true, status };
    const waitMs = retryAfterMs(response.headers.get('retry-after'), nowMs);
    const answer = redirect ? 'redirects are not followed' : await answerText(response);
    return {
      ok: false,
      retryable: status !== 410,
      reason: answer === '' ? `status ${status}` : `status ${status}: ${answer}`,
      status,
      ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    };
  }

  return {
    name: 'webhook',
    async send(event) {
      try {
        return await post(event);
      } catch (error) {
        return { ok: false, retryable: true, reason: networkReason(error, timeoutMs), status: 0 };
      }
    },
  };
}
