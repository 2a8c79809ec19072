import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../domain/ports.js';
import { messageOf } from '../errors.js';
import type { SidecarMetrics } from './metrics.js';
import type { SpooledRequest } from './records.js';
import type { RefusedRequests } from './refused.js';
import { targetOf } from './routes.js';
import type { Spool } from './spool.js';

export interface ForwarderOptions {
  readonly spool: Pick<Spool, 'next' | 'delivered' | 'arrival'>;
  /** Base URL of the service. */
  readonly url: string;
  readonly key?: string | undefined;
  /** Where requests are kept that the service will never take. */
  readonly refused: Pick<RefusedRequests, 'keep'>;
  readonly metrics: SidecarMetrics;
  readonly logger: Logger;
  readonly minBackoffMs?: number;
  readonly maxBackoffMs?: number;
  readonly timeoutMs?: number;
}

export interface Forwarder {
  /** Delivers until the signal is aborted; what is under way then is delivered again later. */
  run(signal: AbortSignal): Promise<void>;
  /** What the service answered last when it did not take a request; null when all is well. */
  readonly failure: () => string | null;
}

/** Sent side by side: the service puts small requests that come together into one insert. */
const AT_ONCE = { records: 64, bytes: 16 * 1024 * 1024 };
/** However long a proxy says. */
const MAX_RETRY_AFTER_MS = 300_000;

/** What judges a body: it would be said for ever. Anything else is said of now, of the key, or by something that is not the service. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 415, 422]);

function isRefusal(status: number, answer: string): boolean {
  // Of an event's model: other requests go through with the same key.
  if (status === 403) return answer.includes('"model_forbidden"');
  return REFUSALS.has(status);
}

/** Delivers the spool's requests to the service, the oldest first, each until the service has answered that it is durable. */
export function createForwarder(options: ForwarderOptions): Forwarder {
  const {
    spool,
    refused,
    metrics,
    logger,
    minBackoffMs = 500,
    maxBackoffMs = 30_000,
    timeoutMs = 60_000,
  } = options;
  const base = options.url.replace(/\/+$/, '');
  let failure: string | null = null;

  /** Null when the request was taken, else what was answered, and when to ask again if that was said. */
  async function attempt(request: SpooledRequest, signal: AbortSignal) {
    const target = targetOf(request);
    if (target === null)
      return { refused: true, detail: 'no request that the sidecar takes: it is not sent', retryAfterMs: 0 };
    const headers: Record<string, string> = { ...request.headers };
    if (options.key !== undefined) headers.authorization = `Bearer ${options.key}`;
    try {
      const response = await fetch(base + target, {
        method: 'POST',
        headers,
        body: request.body as Uint8Array<ArrayBuffer>,
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      const answer = (await response.text()).slice(0, 500);
      if (response.ok) return null;
      return {
        refused: isRefusal(response.status, answer),
        detail: `${base} answered ${response.status}: ${answer}`,
        retryAfterMs: Math.min(
          MAX_RETRY_AFTER_MS,
          1_000 * (Number(response.headers.get('retry-after')) || 0),
        ),
      };
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : '';
      return {
        refused: false,
        detail: `${base} cannot be reached: ${messageOf(error)}${cause}`,
        retryAfterMs: 0,
      };
    }
  }

  async function deliver(request: SpooledRequest, signal: AbortSignal): Promise<boolean> {
    for (let backoffMs = minBackoffMs; !signal.aborted; backoffMs = Math.min(2 * backoffMs, maxBackoffMs)) {
      const problem = await attempt(request, signal);
      if (problem === null) {
        failure = null;
        metrics.delivered.inc({ outcome: 'accepted' });
        metrics.deliveredBytes.inc(request.body.length);
        return true;
      }
      if (signal.aborted) break;
      const obstacle = problem.refused ? await keepRefused(request, problem.detail) : problem.detail;
      if (obstacle === null) {
        metrics.delivered.inc({ outcome: 'refused' });
        return true;
      }
      if (failure === null)
        logger.warn({ reason: obstacle }, 'sidecar: a request cannot be delivered, waiting');
      failure = obstacle;
      metrics.retries.inc();
      // Full jitter, so that the sidecars of many pods do not come back at the same moment.
      const waitMs = Math.max(problem.retryAfterMs, Math.random() * backoffMs);
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
    return false;
  }

  /** What keeps a refused request from being kept, null when it is: until then it stays where it is. */
  async function keepRefused(request: SpooledRequest, reason: string): Promise<string | null> {
    try {
      await refused.keep(request, reason);
      return null;
    } catch (error) {
      return `${reason}; it cannot be kept in refused.ndjson: ${messageOf(error)}: make room on its disk`;
    }
  }

  return {
    async run(signal) {
      while (!signal.aborted) {
        try {
          const requests = await spool.next(AT_ONCE);
          if (requests.length === 0) {
            await spool.arrival(signal);
            continue;
          }
          const done = await Promise.all(requests.map((request) => deliver(request, signal)));
          if (done.every(Boolean)) await spool.delivered();
        } catch (error) {
          failure = messageOf(error);
          logger.error({ reason: failure }, 'sidecar: the spool cannot be read or written, trying again');
          await sleep(maxBackoffMs, undefined, { signal }).catch(() => undefined);
        }
      }
    },
    failure: () => failure,
  };
}
