import type { Clock } from '../domain/clock.js';
import type { WebhookEvent } from '../domain/episode.js';
import { AppError } from '../errors.js';
import type { OutgoingRequest, RequestOutcome, SendRequest } from './guarded-request.js';
import { createPresetRequests, type HookAddress } from './preset-request.js';
import { parseSecrets, signedHeaders } from './signature.js';
import type { Delivery, Sink } from './sink.js';
import { type AuthKind, type Preset, type PresetName, presetOf } from './webhook-presets.js';

const TIMEOUT_MS = 15_000;
const MAX_REASON_LENGTH = 200;
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;
const HIDDEN = '[hidden]';

/** What a hook proves itself with; already read from where the configuration points to. */
export interface HookCredentials {
  /** Standard Webhooks secret; several separated by spaces while one is being replaced. */
  readonly secret?: string;
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
}

export interface WebhookSinkOptions {
  readonly preset?: PresetName;
  readonly address: HookAddress;
  readonly credentials: HookCredentials;
  /** Render and record, send nothing. */
  readonly dryRun?: boolean;
  /** The wall clock: receivers compare the timestamp with theirs. */
  readonly clock: Clock;
  readonly timeoutMs?: number;
  /** How requests leave: guarded against addresses that are not meant. */
  readonly send: SendRequest;
}

/** A request as it would be sent, with its secrets hidden. */
export type RequestPreview = Pick<OutgoingRequest, 'method' | 'headers' | 'body'> & { readonly url: string };

export interface WebhookSink extends Sink {
  preview(event: WebhookEvent): RequestPreview;
}

/** Seconds or an HTTP date → ms from now, within a day; undefined when absent or unreadable. */
function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}

const NEEDED: Readonly<Record<AuthKind, string>> = {
  none: 'nothing',
  signature: 'secretEnv or secretFile',
  bearer: 'tokenEnv or tokenFile',
  formToken: 'tokenEnv or tokenFile',
  basic: 'username with passwordEnv or passwordFile',
  login: 'username with passwordEnv or passwordFile',
};

function authOf(name: PresetName, preset: Preset, credentials: HookCredentials): AuthKind {
  const has: Readonly<Record<AuthKind, boolean>> = {
    none: true,
    signature: credentials.secret !== undefined,
    bearer: credentials.token !== undefined,
    formToken: credentials.token !== undefined,
    basic: credentials.username !== undefined && credentials.password !== undefined,
    login: credentials.username !== undefined && credentials.password !== undefined,
  };
  const kind = preset.auth.find((each) => has[each]);
  if (kind !== undefined) return kind;
  throw new AppError(
    'config_invalid',
    `the preset ${name} needs ${preset.auth.map((each) => NEEDED[each]).join(', or ')}`,
  );
}

const isSuccess = (preset: Preset, status: number) =>
  preset.success === '2xx' ? status >= 200 && status < 300 : preset.success.includes(status);

/** A text without the secrets that it may repeat: servers quote requests in their errors. */
export function hider(credentials: HookCredentials): (text: string) => string {
  const secrets = [...(credentials.secret?.split(/\s+/) ?? []), credentials.token, credentials.password]
    .filter((secret) => secret !== undefined && secret.length >= 4)
    .flatMap((secret) => [secret, encodeURIComponent(secret ?? '')])
    .filter((secret) => secret !== undefined);
  return (text) => secrets.reduce<string>((hidden, secret) => hidden.replaceAll(secret, HIDDEN), text);
}

/**
 * Sends events to one target as its preset says; without a preset as Standard Webhooks 1.0 and, in the same request, as a
 * CloudEvent in binary mode. One attempt.
 *
 * A redirect is a failure and is not followed: it could lead anywhere. 410 means that the endpoint is gone for good. Everything
 * else that is neither success nor duplicate is worth another attempt, 4xx too, because tokens and routes get mended.
 *
 * @throws AppError config_invalid when url, parameters or credentials cannot be used
 */
export function createWebhookSink(options: WebhookSinkOptions): WebhookSink {
  const { clock, credentials, send, dryRun = false, timeoutMs = TIMEOUT_MS } = options;
  const name = options.preset ?? 'webhook';
  const preset = presetOf(name);
  const requests = createPresetRequests(name, preset, options.address);
  const auth = authOf(name, preset, credentials);
  const keys =
    credentials.secret !== undefined && preset.auth.includes('signature')
      ? parseSecrets(credentials.secret)
      : null;
  const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  const hide = hider(credentials);

  function requestFor(event: WebhookEvent, secrets: { authorization: string | null; formToken: string }) {
    const { url, headers, body } = requests.requestFor(event, secrets.formToken);
    return {
      method: preset.method,
      url,
      timeoutMs,
      body,
      headers: {
        ...headers,
        'user-agent': 'plumbline',
        'idempotency-key': event.id,
        ...(keys === null ? {} : signedHeaders(keys, event.id, Math.floor(clock.now() / 1_000), body)),
        ...(secrets.authorization === null ? {} : { authorization: secrets.authorization }),
      },
    };
  }

  /** The token, or why there is none. */
  async function login(): Promise<{ token: string } | { failure: Delivery }> {
    const { username = '', password = '' } = credentials;
    const { loginUrl } = requests;
    if (loginUrl === null || preset.login === undefined) throw new TypeError(`preset ${name} has no login`);
    const outcome = await send({
      method: 'POST',
      url: loginUrl,
      timeoutMs,
      wantBody: true,
      headers: { 'content-type': 'application/json', 'user-agent': 'plumbline' },
      body: JSON.stringify({ username, password }),
    });
    if (outcome.kind !== 'answer' || outcome.status >= 300)
      return { failure: failureOf(outcome, 'the login') };
    const token = tokenIn(outcome.body, preset.login.tokenField);
    if (token !== null) return { token };
    const reason = `the login was answered ${outcome.status} without ${preset.login.tokenField}`;
    return { failure: { ok: false, retryable: true, reason, status: outcome.status } };
  }

  function failureOf(outcome: RequestOutcome, what = ''): Delivery {
    const prefix = what === '' ? '' : `${what}: `;
    if (outcome.kind !== 'answer')
      return { ok: false, retryable: true, reason: `${prefix}${outcome.reason}`, status: 0 };
    const { status } = outcome;
    const waitMs = retryAfterMs(outcome.retryAfter, clock.now());
    const answer = status >= 300 && status < 400 ? 'redirects are not followed' : hide(lineOf(outcome.body));
    const gone = status === 410 && what === '';
    return {
      ok: false,
      retryable: !gone,
      reason: `${prefix}status ${status}${answer === '' ? '' : `: ${answer.slice(0, MAX_REASON_LENGTH)}`}`,
      status,
      ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
      ...(gone ? { gone } : {}),
    };
  }

  async function authorization(): Promise<string | null | { failure: Delivery }> {
    if (auth === 'bearer') return `Bearer ${credentials.token}`;
    if (auth === 'basic') return `Basic ${basic}`;
    if (auth !== 'login') return null;
    const result = await login();
    return 'token' in result ? `Bearer ${result.token}` : result;
  }

  function preview(event: WebhookEvent): RequestPreview {
    const bare = auth === 'none' || auth === 'signature' || auth === 'formToken';
    const { method, url, headers, body } = requestFor(event, {
      authorization: bare ? null : `${auth === 'basic' ? 'Basic' : 'Bearer'} ${HIDDEN}`,
      formToken: HIDDEN,
    });
    // a query may hold a secret of which nothing here knows
    const shown = `${url.origin}${url.pathname}${url.search === '' ? '' : `?${HIDDEN}`}`;
    return { method, url: hide(shown), headers, body };
  }

  return {
    name,
    origin: requests.origin,
    preview,
    async send(event) {
      if (dryRun) {
        const { method, url, body } = preview(event);
        return {
          ok: true,
          status: 0,
          dryRun: `dry run: ${method} ${new URL(url).pathname}, ${body.length} characters`,
        };
      }
      const proof = await authorization();
      if (proof !== null && typeof proof === 'object') return proof.failure;
      const outcome = await send(
        requestFor(event, { authorization: proof, formToken: credentials.token ?? '' }),
      );
      if (outcome.kind !== 'answer') return failureOf(outcome);
      const { status } = outcome;
      if (isSuccess(preset, status) || preset.duplicate.includes(status)) return { ok: true, status };
      return failureOf(outcome);
    },
  };
}

/** The beginning of an answer as one line, for the record. */
export function lineOf(body: string): string {
  return body.replace(/[\p{Cc}\s]+/gu, ' ').trim();
}

function tokenIn(body: string, field: string): string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null; // said by the caller, without the body: it may hold a token
  }
  const token: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, field) : null;
  return typeof token === 'string' && token !== '' ? token : null;
}
