import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Erasure } from '../../../src/domain/erasure.js';
import { createKey } from '../../../src/http/access.js';
import { createErasureRoutes } from '../../../src/http/erasure-routes.js';
import { type HttpService, NOW_MS, startHttpService } from '../../support/http-service.js';

const DONE: Erasure = {
  id: 'e1',
  model: 'churn',
  kind: 'subject',
  atMs: NOW_MS,
  by: 'local',
  reason: 'ticket 7',
  erased: { predictions: 2, labels: 1 },
  predictionIds: 2,
};

describe('the erasure routes', () => {
  let service: HttpService;
  let asked: unknown[];
  const admin = createKey(['admin'], ['chu*']);
  const reader = createKey(['read', 'ingest'], ['*']);

  beforeAll(async () => {
    service = await startHttpService({
      keys: [admin.entry, reader.entry],
      api: (access) =>
        createErasureRoutes(
          {
            erase: async (request) => {
              asked.push(request);
              return DONE;
            },
            store: { listErasures: async () => [DONE] },
          },
          access,
        ),
    });
  });
  afterAll(() => service.stop());
  beforeEach(() => {
    asked = [];
  });

  async function call(method: string, body?: unknown, key = admin.key, model = 'churn') {
    const response = await fetch(`${service.url}/v1/models/${model}/erasures`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it('erase one prediction, or a subject, in the name of the key', async () => {
    const { status, body } = await call('POST', { predictionId: 'p1', reason: 'ticket 7' });
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ erased: DONE.erased, at: new Date(NOW_MS).toISOString() }),
    ]);
    await call('POST', { subject: { tag: 'customer', value: 'a=b' } });
    expect(asked).toEqual([
      {
        model: 'churn',
        target: { kind: 'prediction', predictionId: 'p1' },
        by: admin.entry.id,
        reason: 'ticket 7',
      },
      {
        model: 'churn',
        target: { kind: 'subject', tag: 'customer', value: 'a=b' },
        by: admin.entry.id,
        reason: '',
      },
    ]);
  });

  it('list what was erased', async () => {
    expect((await call('GET')).body).toMatchObject({ erasures: [{ id: 'e1', reason: 'ticket 7' }] });
  });

  it.each([
    [{}],
    [{ predictionId: '' }],
    [{ predictionId: 'p1', subject: { tag: 'a', value: 'b' } }],
    [{ subject: { tag: 'customer' } }],
    [{ subject: { tag: 'customer', value: '' } }],
    [{ predictionId: 'p1', where: '1 = 1' }],
  ])('refuse %j', async (body) => {
    expect(await call('POST', body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(asked).toEqual([]);
  });

  it('take no reader for an admin, and no admin for that of another model', async () => {
    expect((await call('POST', { predictionId: 'p1' }, reader.key)).status).toBe(403);
    expect((await call('GET', undefined, reader.key)).status).toBe(403);
    expect((await call('POST', { predictionId: 'p1' }, admin.key, 'price')).status).toBe(403);
    expect(asked).toEqual([]);
  });
});
