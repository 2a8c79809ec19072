import type { Clock } from '../domain/clock.js';
import { AppError } from '../errors.js';
import type { SendRequest } from './guarded-request.js';
import { parseSecrets, signedHeaders } from './signature.js';
import type { Sink } from './sink.js';

const TIMEOUT_MS = 15_000;
const MAX_REASON_LENGTH = 200;
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

export interface WebhookSinkOptions {
  /** http or https, without credentials. */
  readonly url: string;
  /** Standard Webhooks secret; two separated by a space while one is being replaced. */
  readonly secret: string;
  /** The wall clock: receivers compare the timestamp with theirs. */
  readonly clock: Clock;
  readonly timeoutMs?: number;
  /** How requests leave: guarded against addresses that are not meant. */
  readonly send: SendRequest;
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

/** The beginning of an answer as one line, for the record. */
function lineOf(body: string): string {
  return body
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_REASON_LENGTH);
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
  const { clock, send, timeoutMs = TIMEOUT_MS } = options;
  const url = parseUrl(options.url);
  const keys = parseSecrets(options.secret);

  return {
    name: 'webhook',
    async send(event) {
      const nowMs = clock.now();
      const outcome = await send({
        method: 'POST',
        url,
        timeoutMs,
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
      if (outcome.kind !== 'answer') return { ok: false, retryable: true, reason: outcome.reason, status: 0 };
      const { status } = outcome;
      if (status >= 200 && status < 300) return { ok: true, status };
      const waitMs = retryAfterMs(outcome.retryAfter, nowMs);
      const redirect = status >= 300 && status < 400;
      const answer = redirect ? 'redirects are not followed' : lineOf(outcome.body);
      return {
        ok: false,
        retryable: status !== 410,
        reason: answer === '' ? `status ${status}` : `status ${status}: ${answer}`,
        status,
        ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
      };
    },
  };
}
