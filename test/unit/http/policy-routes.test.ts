import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { Tuning } from '../../../src/domain/tuning.js';
import { createKey } from '../../../src/http/access.js';
import { createPolicyRoutes } from '../../../src/http/policy-routes.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';

const CHURN: ModelVersion = {
  model: 'churn',
  modelVersion: '3',
  schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
  registeredAtMs: 1,
};

describe('the policy routes', () => {
  let service: HttpService;
  const asked: unknown[] = [];
  const reader = createKey(['read'], ['chu*']);

  beforeAll(async () => {
    service = await startHttpService({
      keys: [reader.entry],
      api: (access) =>
        createPolicyRoutes(
          {
            store: { listModels: async () => [CHURN] },
            tune: async (model, budgets) => {
              asked.push([model.modelVersion, budgets]);
              return { model: model.model } as Tuning;
            },
          },
          access,
        ),
    });
  });
  afterAll(() => service.stop());

  async function get(path: string, key = reader.key) {
    const response = await fetch(service.url + path, { headers: { authorization: `Bearer ${key}` } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it('tunes a version at the budgets asked for', async () => {
    expect(await get('/v1/models/churn/tuning?version=3&budgets=0.5,2')).toEqual({
      status: 200,
      body: { model: 'churn' },
    });
    await get('/v1/models/churn/tuning?version=3');
    expect(asked).toEqual([
      ['3', [0.5, 2]],
      ['3', [0.1, 0.5, 1, 4]],
    ]);
  });

  it.each([
    ['/v1/models/churn/tuning?version=9', 404, 'unknown_model'],
    ['/v1/models/churn/tuning', 400, 'invalid_request'],
    ['/v1/models/churn/tuning?version=3&budgets=x', 400, 'invalid_request'],
    ['/v1/models/other/tuning?version=3', 403, 'forbidden'],
  ])('%s is answered %d', async (path, status, code) => {
    expect(await get(path)).toMatchObject({ status, body: { code } });
  });
});
