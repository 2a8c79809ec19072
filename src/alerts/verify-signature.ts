import { timingSafeEqual } from 'node:crypto';
import { parseSecrets, signatureOf } from './signature.js';

const TOLERANCE_MS = 5 * 60_000;

export type Verification = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * What a receiver does: checks that one of the signatures is ours over this very body, and that the attempt is recent.
 *
 * @param input.headers lower-case names, as Node gives them
 * @param input.body the raw body, before any parsing
 * @param input.nowMs wall clock of the receiver
 */
export function verifySignature(input: {
  readonly secret: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly nowMs: number;
  readonly toleranceMs?: number;
}): Verification {
  const { secret, headers, body, nowMs, toleranceMs = TOLERANCE_MS } = input;
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string')
    return { ok: false, reason: 'a webhook header is missing' };
  if (!/^\d{1,12}$/.test(timestamp))
    return { ok: false, reason: 'the timestamp is not a whole number of seconds' };
  const timestampSeconds = Number(timestamp);
  if (Math.abs(nowMs - timestampSeconds * 1_000) > toleranceMs)
    return { ok: false, reason: 'the timestamp is too far from now' };
  const expected = parseSecrets(secret).map((key) =>
    Buffer.from(signatureOf(key, id, timestampSeconds, body)),
  );
  const matches = signatures.split(' ').some((given) =>
    expected.some((signature) => {
      const other = Buffer.from(given);
      return other.length === signature.length && timingSafeEqual(other, signature);
    }),
  );
  return matches ? { ok: true } : { ok: false, reason: 'no signature matches the body' };
}
