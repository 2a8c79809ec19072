import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServiceClient } from '../../../src/cli/service-client.js';
import type { Backtest } from '../../../src/domain/backtest.js';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { Tuning } from '../../../src/domain/tuning.js';
import { AppError } from '../../../src/errors.js';
import { createKey } from '../../../src/http/access.js';
import { createPolicyRoutes } from '../../../src/http/policy-routes.js';
import { createLogger } from '../../../src/logger.js';
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
            logger: createLogger({ level: 'silent' }),
            backtest: async (_model, question, { onProgress }) => {
              asked.push(question);
              if (question.shifts.length > 0)
                throw new AppError('invalid_request', 'shifts: the reference has no column nope');
              onProgress(1, 2);
              if (question.policies.length > 0)
                throw new AppError('invalid_request', 'policies: open reads NofM');
              onProgress(2, 2);
              return { windows: 2 } as Backtest;
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

  describe('a backtest', () => {
    const path = '/v1/models/churn/backtest';
    const client = () => createServiceClient({ url: service.url, key: reader.key });

    it('is answered whole, for the period asked for', async () => {
      asked.length = 0;
      expect(await client().postJson(path, { version: '3', from: '2026-01-01' })).toEqual({ windows: 2 });
      expect(asked).toEqual([
        { period: { startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2200, 0, 1) }, policies: [], shifts: [] },
      ]);
    });

    it('tells its progress to who follows it', async () => {
      const seen: number[][] = [];
      const result = await client().follow(path, { version: '3' }, (done, total) => seen.push([done, total]));
      expect(result).toEqual({ windows: 2 });
      expect(seen).toEqual([
        [1, 2],
        [2, 2],
      ]);
    });

    it('that fails says why, before its first line and after it', async () => {
      const shifts = [{ feature: 'nope', size: 1 }];
      const policies = [{ name: 'wrong', policy: { open: 'x' } }];
      const follow = (body: object) => client().follow(path, { version: '3', ...body }, () => undefined);
      await expect(follow({ shifts })).rejects.toThrow(/no column nope/);
      await expect(follow({ policies })).rejects.toThrow(/open reads NofM/);
      await expect(client().postJson(path, { version: '3', policies })).rejects.toThrow(/open reads NofM/);
    });

    it.each([
      [{ version: '9' }, /answered 404/],
      [{ version: '3', shifts: [{ feature: 'a', size: 'x' }] }, /shifts.0.size/],
    ])('%j is refused', async (body, message) => {
      await expect(client().postJson(path, body)).rejects.toThrow(message);
    });
  });
});
