import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Router } from 'express';
import { stringify } from 'yaml';
import { AppError } from '../../../src/errors.js';
import { assertListenAllowed, createKey, readKeysFile, type Scope } from '../../../src/http/access.js';
import { EVENT, type HttpService, LABEL, startHttpService } from '../../support/http-service.js';
import { rawRequest } from '../../support/raw-request.js';

const ROLES = {
  ingest: createKey(['ingest'], ['*']),
  ingestChurn: createKey(['ingest'], ['chu*']),
  ingestOther: createKey(['ingest'], ['other']),
  read: createKey(['read'], ['*']),
  readChurn: createKey(['read'], ['churn']),
  admin: createKey(['admin'], ['*']),
  adminOther: createKey(['admin'], ['other']),
};
type Role = keyof typeof ROLES | 'none';
const KEYS = Object.values(ROLES).map(({ entry }) => entry);

/** Statuses by role, in the order of `ROLE_NAMES`. */
const ROLE_NAMES: Role[] = [
  'none',
  'ingest',
  'ingestChurn',
  'ingestOther',
  'read',
  'readChurn',
  'admin',
  'adminOther',
];
const MATRIX: [string, string, unknown, number[]][] = [
  ['GET', '/healthz', null, [200, 200, 200, 200, 200, 200, 200, 200]],
  ['GET', '/readyz', null, [200, 200, 200, 200, 200, 200, 200, 200]],
  ['POST', '/v1/ingest', EVENT, [401, 200, 200, 403, 403, 403, 200, 403]],
  ['PUT', '/v1/ingest', EVENT, [401, 200, 200, 403, 403, 403, 200, 403]],
  ['POST', '/v1/labels', LABEL, [401, 200, 200, 403, 403, 403, 200, 403]],
  ['GET', '/metrics', null, [401, 403, 403, 403, 200, 403, 200, 403]],
  ['GET', '/api/churn/read', null, [401, 403, 403, 403, 200, 200, 200, 403]],
  ['PUT', '/api/churn/admin', {}, [401, 403, 403, 403, 403, 403, 200, 403]],
  ['GET', '/', null, [401, 403, 403, 403, 200, 403, 200, 403]],
  ['GET', '/reports', null, [401, 403, 403, 403, 200, 403, 200, 403]],
  ['GET', '/models/churn/versions/3', null, [401, 403, 403, 403, 200, 200, 200, 403]],
  ['GET', '/models/%63hurn/versions/3', null, [401, 403, 403, 403, 200, 200, 200, 403]],
];

describe('access with keys', () => {
  let service: HttpService;
  beforeAll(async () => {
    const pages = Router();
    for (const path of ['/', '/reports', '/models/:model/versions/:version'])
      pages.get(path, (_request, response) => {
        response.send('page');
      });
    service = await startHttpService({
      keys: KEYS,
      pages,
      api: (access) => {
        const router = Router();
        router.get('/api/:model/read', access.require('read'), (_request, response) => {
          response.json({});
        });
        router.put('/api/:model/admin', access.require('admin'), (_request, response) => {
          response.json({});
        });
        return router;
      },
    });
  });
  afterAll(() => service.stop());

  it.each(MATRIX)('%s %s', async (method, path, body, expected) => {
    const statuses: number[] = [];
    for (const role of ROLE_NAMES) {
      const headers: Record<string, string> = { 'content-type': 'application/json' };
      if (role !== 'none') headers.authorization = `Bearer ${ROLES[role].key}`;
      const response = await fetch(`${service.url}${path}`, {
        method,
        headers,
        ...(body === null ? {} : { body: JSON.stringify(body) }),
      });
      statuses.push(response.status);
      if (response.status >= 400) {
        expect(response.headers.get('content-type')).toContain('application/problem+json');
        expect(await response.json()).toMatchObject({
          code: expect.stringMatching(response.status === 401 ? /^unauthorized$/ : /^(model_)?forbidden$/),
        });
      }
    }
    expect(Object.fromEntries(ROLE_NAMES.map((role, index) => [role, statuses[index]]))).toEqual(
      Object.fromEntries(ROLE_NAMES.map((role, index) => [role, expected[index]])),
    );
  });

  const status = async (headers: Record<string, string>) =>
    (await fetch(`${service.url}/api/churn/read`, { headers })).status;

  it('takes the key as Bearer, as the password of Basic, and as X-API-Key', async () => {
    const { key } = ROLES.read;
    expect(await status({ authorization: `Bearer ${key}` })).toBe(200);
    expect(await status({ authorization: `Basic ${Buffer.from(`me:${key}`).toString('base64')}` })).toBe(200);
    expect(await status({ 'x-api-key': key })).toBe(200);
  });

  it('refuses what is almost a key', async () => {
    const { key, entry } = ROLES.read;
    const other = ROLES.admin.key.slice(-43);
    for (const wrong of [
      '',
      'x',
      key.slice(0, -1),
      `${key}x`,
      `plk_${entry.id}_${other}`,
      `plk_00000000_${other}`,
      key.toUpperCase(),
    ])
      expect(await status({ authorization: `Bearer ${wrong}` })).toBe(401);
  });

  it('lets browsers ask for a key on pages, and programs not', async () => {
    expect((await fetch(`${service.url}/`)).headers.get('www-authenticate')).toContain('Basic');
    expect(
      (await fetch(`${service.url}/v1/ingest`, { method: 'POST' })).headers.get('www-authenticate'),
    ).not.toContain('Basic');
  });

  it('writes nothing of a body with an event for another model, and no secret to the log', async () => {
    const before = service.store.predictions.length;
    const response = await service.send('/v1/ingest', JSON.stringify([{ ...EVENT, prediction_id: 'n1' }]), {
      authorization: `Bearer ${ROLES.ingestOther.key}`,
    });
    expect(response.status).toBe(403);
    expect(service.store.predictions).toHaveLength(before);
    for (const { key } of Object.values(ROLES))
      expect(JSON.stringify(service.logger.lines)).not.toContain(key.slice(-43));
  });
});

describe('access without keys', () => {
  let service: HttpService;
  beforeAll(async () => {
    service = await startHttpService();
  });
  afterAll(() => service.stop());
  const post = async (headers: Record<string, string>) =>
    (await rawRequest(service.port, 'POST', '/v1/ingest', headers, JSON.stringify(EVENT))).status;

  it.each([
    ['127.0.0.1:80', 200],
    ['localhost:1234', 200],
    ['[::1]:1234', 200],
    ['evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost.evil.example:80', 403],
  ])('answers under the name %s: %s', async (host, expected) => {
    expect(await post({ host })).toBe(expected);
  });

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:9' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    // behind a proxy that passes on another host
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://plumbline.example' }, 200],
    [{ 'sec-fetch-site': 'cross-site', origin: 'http://127.0.0.1:9' }, 403],
  ])('takes what a browser sends with %j: %s', async (headers, expected) => {
    expect(await post({ host: '127.0.0.1:9', ...headers })).toBe(expected);
  });

  it.each([
    ['0.0.0.0', false, false, false],
    ['::', false, false, false],
    ['192.168.1.5', false, false, false],
    ['127.0.0.1', false, false, true],
    ['127.8.8.8', false, false, true],
    ['::1', false, false, true],
    ['localhost', false, false, true],
    ['0.0.0.0', true, false, true],
    ['0.0.0.0', false, true, true],
  ])('may listen on %s with keys %p and insecureListen %p: %p', (host, hasKeys, insecureListen, allowed) => {
    const listen = () => assertListenAllowed({ host, hasKeys, insecureListen });
    if (allowed) expect(listen).not.toThrow();
    else expect(listen).toThrow(/refusing to listen on .*keysFile/);
  });
});

describe('the keys file', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-keys-'));
  });
  afterAll(() => rm(directory, { recursive: true }));
  const read = async (content: string) => {
    const path = join(directory, 'keys.yaml');
    await writeFile(path, content);
    return readKeysFile(path);
  };

  it('holds entries without the secret', async () => {
    const { key, entry } = createKey(['ingest', 'read'], ['fraud-*']);
    expect(key).toMatch(/^plk_[a-z0-9]{12}_[\w-]{43}$/);
    expect(JSON.stringify(entry)).not.toContain(key.slice(-43));
    expect(await read(stringify({ keys: [entry] }))).toEqual([entry]);
  });

  it.each([
    ['keys: []', /keys/],
    ['keys: [{ id: x }]', /keys\.0\.id/],
    ['{', /cannot read the keys file/],
    ['other: 1', /other/],
  ])('that reads %p is refused with what is wrong', async (content, message) => {
    const error = await read(content).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringMatching(message) });
  });

  it('may not name two keys alike, nor be missing', async () => {
    const { entry } = createKey(['read'] satisfies Scope[], ['*']);
    await expect(read(stringify({ keys: [entry, entry] }))).rejects.toThrow(/same id/);
    expect(() => readKeysFile(join(directory, 'absent.yaml'))).toThrow(/absent\.yaml/);
  });
});
