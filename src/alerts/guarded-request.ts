import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { AddressGuard, ResolvedAddress } from './address-guard.js';

const MAX_ANSWER_BYTES = 64 * 1_024;

export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For all of it: name, connection, headers and the part of the answer that is read. */
  readonly timeoutMs: number;
  /** Also read the body of a success; by default its status is all that counts. */
  readonly wantBody?: boolean;
}

export type RequestOutcome =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly retryAfter: string | null;
      /** At most 64 KiB; what had come when it broke off. Empty where it is of no use: redirects, and successes by default. */
      readonly body: string;
      readonly brokeOff: boolean;
    }
  /** The address is not allowed: nothing was sent. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** By its code: messages of the network stack hold addresses. */
  | { readonly kind: 'noAnswer'; readonly reason: string };

/** Sends one request. Answers for whatever the other side does; rejects only on a bug. */
export type SendRequest = (request: OutgoingRequest) => Promise<RequestOutcome>;

const codeOf = (error: unknown): string => {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.name : 'unknown';
};

/** Gives the connection the addresses that were checked, whatever a name server would say by now. */
function pinned(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, [...addresses]);
    else if (first !== undefined) callback(null, first.address, first.family);
    else callback(new Error('no address'), '', 4);
  };
}

/** The beginning of an answer; the rest, however long, is not read. */
async function readBody(answer: IncomingMessage): Promise<{ body: string; brokeOff: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let brokeOff = false;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= MAX_ANSWER_BYTES) break;
    }
  } catch {
    // the status line is the answer: what breaks off after it, or comes too slowly, is not needed
    brokeOff = true;
  }
  return { body: Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8'), brokeOff };
}

function answerTo(
  { method, url, headers, body }: OutgoingRequest,
  options: Pick<RequestOptions, 'lookup' | 'signal'>,
): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      url,
      {
        ...options,
        method,
        // A connection of its own: none that was opened to another address of the same name is used again.
        agent: false,
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      },
      resolve,
    );
    // also after the answer has begun, where nobody else listens
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** HTTP and HTTPS to where the guard allows it: never to another address than the checked one, never after a redirect. */
export function createGuardedRequest(guard: AddressGuard): SendRequest {
  return async (request) => {
    const signal = AbortSignal.timeout(request.timeoutMs);
    const expired = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    try {
      const decision = await Promise.race([guard.decide(request.url), expired]);
      if (!decision.ok) return { kind: 'refused', reason: decision.reason };
      const answer = await Promise.race([
        answerTo(request, { lookup: pinned(decision.addresses), signal }),
        expired,
      ]);
      const status = answer.statusCode ?? 0;
      const useful = status >= 400 || (status < 300 && request.wantBody === true);
      const { body, brokeOff } = useful ? await readBody(answer) : { body: '', brokeOff: false };
      answer.destroy();
      return { kind: 'answer', status, retryAfter: answer.headers['retry-after'] ?? null, body, brokeOff };
    } catch (error) {
      const reason = signal.aborted
        ? `no answer within ${request.timeoutMs} ms`
        : `no answer: ${codeOf(error)}`;
      return { kind: 'noAnswer', reason };
    }
  };
}
