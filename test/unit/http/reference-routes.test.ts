import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { Reference } from '../../../src/domain/reference.js';
import { createKey } from '../../../src/http/access.js';
import { createReferenceRoutes, type ReferencePorts } from '../../../src/http/reference-routes.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';

const MODEL: ModelVersion = {
  model: 'churn',
  modelVersion: '3',
  schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
  registeredAtMs: 1,
};
const REFERENCE: Reference = {
  model: 'churn',
  modelVersion: '3',
  hash: 'ab'.repeat(32),
  rows: 10,
  period: null,
  provenance: 'a test',
  createdAtMs: 1,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  forest: 'a large text',
};
const PATH = '/v1/models/churn/versions/3/reference';
const APRIL = { from: '2026-04-01', to: '2026-05-01' };

describe('the reference routes', () => {
  let service: HttpService;
  let calls: [string, unknown][];
  const admin = createKey(['admin'], ['chu*']);
  const all = createKey(['admin'], ['*']);
  const reader = createKey(['read'], ['chu*']);

  beforeAll(async () => {
    const note =
      <T>(name: string, value: T) =>
      async (input: unknown): Promise<T> => {
        calls.push([name, input]);
        return value;
      };
    const { forest: _, ...summary } = REFERENCE;
    const ports: ReferencePorts = {
      store: {
        listModels: async () => [MODEL],
        listReferences: note('references', [{ ...summary, current: true }]),
        listReferenceChanges: note('changes', []),
      },
      rebaseline: note('rebaseline', { model: MODEL, reference: REFERENCE }),
      restore: note('restore', { model: MODEL, reference: REFERENCE }),
      registerQuery: note('query', { model: MODEL, reference: REFERENCE }),
    };
    service = await startHttpService({
      keys: [admin.entry, all.entry, reader.entry],
      api: (access) => express.Router().use(createReferenceRoutes(ports, access)),
    });
  });
  afterAll(() => service.stop());
  beforeEach(() => {
    calls = [];
  });

  async function call(method: string, path: string, body: unknown, key = admin.key) {
    const response = await fetch(service.url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it('list references and changes to readers', async () => {
    const { status, body } = await call('GET', `${PATH}s`, undefined, reader.key);
    expect(status).toBe(200);
    expect(body).toMatchObject({ references: [{ hash: REFERENCE.hash, current: true }], changes: [] });
    expect(await call('GET', '/v1/models/churn/versions/4/references', undefined)).toMatchObject({
      status: 404,
      body: { code: 'unknown_model' },
    });
    expect((await call('GET', '/v1/models/other/versions/3/references', undefined)).status).toBe(403);
  });

  it('rebaseline to a period, for whoever holds the key', async () => {
    const { status, body } = await call('PUT', PATH, { period: APRIL, reason: 'spring' });
    expect(status).toBe(201);
    expect(body.reference).toMatchObject({ hash: REFERENCE.hash });
    expect(body.reference).not.toHaveProperty('forest');
    expect(calls).toEqual([
      [
        'rebaseline',
        {
          model: 'churn',
          modelVersion: '3',
          by: admin.entry.id,
          reason: 'spring',
          period: { startMs: Date.UTC(2026, 3, 1), endMs: Date.UTC(2026, 4, 1) },
        },
      ],
    ]);
  });

  it('take how the isolation forest is grown along, with a period as with a query', async () => {
    const outliers = { trees: 200, sampleSize: 512 };
    expect((await call('PUT', PATH, { period: APRIL, outliers })).status).toBe(201);
    expect((await call('PUT', PATH, { query: 'SELECT 1', outliers: { trees: 50 } }, all.key)).status).toBe(
      201,
    );
    expect(calls).toEqual([
      ['rebaseline', expect.objectContaining({ outliers })],
      ['query', expect.objectContaining({ outliers: { trees: 50 } })],
    ]);
  });

  it('go back to an earlier reference, without a reason if need be', async () => {
    expect((await call('PUT', PATH, { hash: REFERENCE.hash })).status).toBe(201);
    expect(calls).toEqual([['restore', expect.objectContaining({ hash: REFERENCE.hash, reason: '' })]]);
  });

  it('take a query from an admin of all models only: it can read what is stored of others', async () => {
    expect(await call('PUT', PATH, { query: 'SELECT 1' })).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
    expect(calls).toEqual([]);
    expect((await call('PUT', PATH, { query: 'SELECT 1', reason: 'yearly' }, all.key)).status).toBe(201);
    expect(calls).toEqual([
      [
        'query',
        {
          model: 'churn',
          modelVersion: '3',
          query: 'SELECT 1',
          author: { by: all.entry.id, reason: 'yearly' },
        },
      ],
    ]);
  });

  it.each([
    [{ query: '' }],
    [{ query: 'SELECT 1', hash: REFERENCE.hash }],
    [{}],
    [{ period: APRIL, hash: REFERENCE.hash }],
    [{ period: { from: '2026-04-01' } }],
    [{ period: { from: '2026-04-01T00:30:00Z', to: '2026-05-01' } }],
    [{ hash: 'short' }],
    [{ period: APRIL, reason: 'x'.repeat(501) }],
    [{ period: APRIL, by: 'somebody else' }],
    [{ period: APRIL, outliers: { trees: 5 } }],
    [{ period: APRIL, outliers: { depth: 5 } }],
    [{ hash: REFERENCE.hash, outliers: { trees: 100 } }],
    [[]],
  ])('refuse %j', async (body) => {
    expect(await call('PUT', PATH, body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(calls).toEqual([]);
  });

  it('let nobody change a reference who may only read', async () => {
    expect((await call('PUT', PATH, { period: APRIL }, reader.key)).status).toBe(403);
    expect(calls).toEqual([]);
  });

  it('leave files to the next route', async () => {
    const response = await fetch(service.url + PATH, {
      method: 'PUT',
      headers: { authorization: `Bearer ${admin.key}`, 'content-type': 'text/csv' },
      body: 'a,b\n',
    });
    expect(await response.json()).toMatchObject({ code: 'not_found' });
  });
});
