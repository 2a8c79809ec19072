import { createHmac } from 'node:crypto';
import { AppError } from '../errors.js';

const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

export interface SignedHeaders {
  readonly 'webhook-id': string;
  /** Seconds since the epoch of this attempt. */
  readonly 'webhook-timestamp': string;
  /** One `v1,<base64>` per key, space-separated. */
  readonly 'webhook-signature': string;
}

/**
 * Decodes signing secrets as Standard Webhooks writes them: base64 of 24 to 64 bytes, with or without `whsec_`.
 * Two of them, separated by white space, sign twice: that is how a secret is rotated.
 *
 * @throws AppError config_invalid; the message never holds the secret
 */
export function parseSecrets(secret: string): Buffer[] {
  const keys = secret.split(/\s+/).filter((part) => part !== '');
  if (keys.length === 0)
    throw new AppError(
      'config_invalid',
      'the webhook secret is empty: make one with `openssl rand -base64 32`',
    );
  return keys.map((part, i) => {
    const text = part.replace(/^whsec_/, '');
    const key = Buffer.from(text, 'base64');
    const base64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text);
    if (base64 && key.length >= MIN_KEY_BYTES && key.length <= MAX_KEY_BYTES) return key;
    throw new AppError(
      'config_invalid',
      `webhook secret ${i + 1} of ${keys.length} is not base64 of ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes: make one with \`openssl rand -base64 32\``,
    );
  });
}

/** `v1,<base64 HMAC-SHA256>` of `id.timestamp.body`. */
export function signatureOf(key: Buffer, id: string, timestampSeconds: number, body: string): string {
  const signed = createHmac('sha256', key).update(`${id}.${timestampSeconds}.${body}`).digest('base64');
  return `v1,${signed}`;
}

/** The three headers of Standard Webhooks 1.0. Source: standard-webhooks/standard-webhooks, spec/standard-webhooks.md. */
export function signedHeaders(
  keys: readonly Buffer[],
  id: string,
  timestampSeconds: number,
  body: string,
): SignedHeaders {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': keys.map((key) => signatureOf(key, id, timestampSeconds, body)).join(' '),
  };
}
