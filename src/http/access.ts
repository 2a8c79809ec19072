import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { parse } from 'yaml';
import { z } from 'zod';
import { AppError, messageOf } from '../errors.js';

export const SCOPES = ['ingest', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

const keySchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9]{8,32}$/),
  salt: z.string().min(16),
  /** SHA-256 of salt and secret, hex: secrets are 256 random bits, so a slow hash adds nothing. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: z.array(z.enum(SCOPES)).min(1),
  /** Model names; `*` stands for any characters. */
  models: z.array(z.string()).min(1).default(['*']),
});
const fileSchema = z.strictObject({
  keys: z
    .array(keySchema)
    .min(1)
    .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'two keys have the same id'),
});
type StoredKey = z.output<typeof keySchema>;

const KEY = /^plk_([a-z0-9]{8,32})_([\w-]{20,})$/;
const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

const digest = (salt: string, secret: string) => createHash('sha256').update(`${salt}:${secret}`).digest();

/** A new key, shown once, and the entry for the keys file, which holds no secret. */
export function createKey(scopes: readonly Scope[], models: readonly string[]) {
  const id = randomBytes(6).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  const salt = randomBytes(12).toString('hex');
  return {
    key: `plk_${id}_${secret}`,
    entry: { id, salt, hash: digest(salt, secret).toString('hex'), scopes: [...scopes], models: [...models] },
  };
}

export function readKeysFile(path: string): StoredKey[] {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new AppError('config_invalid', `cannot read the keys file ${path}: ${messageOf(cause)}`, { cause });
  }
  const result = fileSchema.safeParse(content);
  if (!result.success)
    throw new AppError(
      'config_invalid',
      `the keys file ${path} is wrong: ${result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`,
    );
  return result.data.keys;
}

export const isLoopback = (host: string) => LOOPBACK.test(host);

/** Without keys, anyone who reaches the port may do anything: then only this machine may reach it. */
export function assertListenAllowed(options: {
  host: string;
  hasKeys: boolean;
  insecureListen: boolean;
}): void {
  if (options.hasKeys || options.insecureListen || LOOPBACK.test(options.host)) return;
  throw new AppError(
    'config_invalid',
    `refusing to listen on ${options.host} without keys: set http.keysFile, keep http.host on 127.0.0.1, or set http.insecureListen`,
  );
}

function presentedKey(request: Request): string | undefined {
  const header = request.headers.authorization;
  if (header?.startsWith('Bearer ')) return header.slice(7).trim();
  if (header?.startsWith('Basic ')) {
    // The key is the password; the user name is ignored.
    const text = Buffer.from(header.slice(6), 'base64').toString('utf8');
    return text.slice(text.indexOf(':') + 1);
  }
  const plain = request.headers['x-api-key'];
  return typeof plain === 'string' ? plain : undefined;
}

function matches(pattern: string, model: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(model);
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Who may do what. With keys, each request needs one with the route's scope and, where a route names a model, a pattern
 * that matches it; `admin` includes the other scopes. Without keys all is allowed, to callers that name this machine.
 */
export function createAccess(keys: readonly StoredKey[] | null) {
  const byId = new Map(keys?.map((key) => [key.id, key]));
  const granted = new WeakMap<Request, StoredKey>();

  function authenticate(request: Request): StoredKey {
    const [, id = '', secret = ''] = KEY.exec(presentedKey(request) ?? '') ?? [];
    const key = byId.get(id);
    // The hash is made for an unknown id too, so that the time tells nothing.
    const given = digest(key?.salt ?? 'none', secret);
    const expected = key === undefined ? digest('other', '') : Buffer.from(key.hash, 'hex');
    if (!timingSafeEqual(given, expected) || key === undefined)
      throw new AppError('unauthorized', 'a valid key is needed: send it as "Authorization: Bearer plk_…"');
    return key;
  }

  function mayUse(request: Request, model: string): boolean {
    if (keys === null) return true;
    return granted.get(request)?.models.some((pattern) => matches(pattern, model)) ?? false;
  }

  const mayUseAll = (request: Request) =>
    keys === null || (granted.get(request)?.models.includes('*') ?? false);

  function admit(request: Request, scope: Scope): void {
    if (!READING.has(request.method)) assertSameSite(request);
    if (keys === null) {
      assertLocalName(request);
      return;
    }
    const key = authenticate(request);
    if (!key.scopes.includes(scope) && !key.scopes.includes('admin'))
      throw new AppError('forbidden', `this key lacks the scope ${scope}`);
    granted.set(request, key);
  }

  const assertModel = (request: Request, model: string) => {
    if (!mayUse(request, model)) throw new AppError('forbidden', 'this key is not for this model');
  };
  const assertAll = (request: Request) => {
    if (!mayUseAll(request))
      throw new AppError('forbidden', 'this shows all models: it needs a key whose models are "*"');
  };

  return {
    mayUse,
    mayUseAll,

    /** Who asks, for what is written down: the id of the key, or `local` without keys. */
    actorOf: (request: Request): string => granted.get(request)?.id ?? 'local',

    /** A route of one model (parameter `model`), or one that looks at `mayUse` itself. */
    require(scope: Scope): RequestHandler {
      return (request: Request, _response: Response, next: NextFunction) => {
        admit(request, scope);
        const { model } = request.params;
        if (typeof model === 'string') assertModel(request, model);
        next();
      };
    },

    /** A route that shows all models at once. */
    requireAllModels(scope: Scope): RequestHandler {
      return (request: Request, _response: Response, next: NextFunction) => {
        admit(request, scope);
        assertAll(request);
        next();
      };
    },

    /** The web pages: those below `/models/NAME/` are of one model, all others show all. */
    requirePage(): RequestHandler {
      return (request: Request, _response: Response, next: NextFunction) => {
        admit(request, 'read');
        const [, model] = /^\/models\/([^/]+)/.exec(request.path) ?? [];
        if (model === undefined) assertAll(request);
        else assertModel(request, decoded(model));
        next();
      };
    },
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new AppError('invalid_request', 'the address has a % that begins no escape: write it as %25', {
      cause,
    });
  }
}

const hostOf = (host: string) => host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');

/** A web page elsewhere can make a browser send requests here under its own name (DNS rebinding): those are refused. */
function assertLocalName(request: Request): void {
  const local = request.socket.localAddress ?? '';
  if (!LOOPBACK.test(local.replace(/^::ffff:/, ''))) return;
  const host = hostOf(request.headers.host ?? '');
  if (host !== '' && !LOOPBACK.test(host))
    throw new AppError(
      'forbidden',
      'without keys this service answers to 127.0.0.1 and localhost only: set http.keysFile',
    );
}

/**
 * A web page elsewhere can also post here with what the browser knows, unseen: browsers say so, and it is refused. Where one says what kind
 * of site asks, that decides: behind a proxy the host is another one than the origin.
 */
function assertSameSite(request: Request): void {
  const site = request.headers['sec-fetch-site'];
  const { origin } = request.headers;
  const foreign =
    typeof site === 'string'
      ? site !== 'same-origin' && site !== 'none'
      : origin !== undefined && origin.replace(/^https?:\/\//, '') !== request.headers.host;
  if (foreign)
    throw new AppError(
      'forbidden',
      'this request comes from a web page of another site: call the API from a program',
    );
}

export type Access = ReturnType<typeof createAccess>;
