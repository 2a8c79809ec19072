import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKey } from '../../../src/http/access.js';
import { createEstimateRoutes } from '../../../src/http/estimate-routes.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';
import { NO_ESTIMATES } from '../../support/performance-rows.js';

describe('the estimates route', () => {
  let service: HttpService;
  const asked: unknown[] = [];
  const reader = createKey(['read'], ['chu*']);

  beforeAll(async () => {
    service = await startHttpService({
      keys: [reader.entry],
      api: (access) =>
        createEstimateRoutes(
          {
            estimates: async (question) => {
              asked.push(question);
              return NO_ESTIMATES;
            },
          },
          access,
        ),
    });
  });
  afterAll(() => service.stop());

  const get = async (path: string) => {
    const headers = { authorization: `Bearer ${reader.key}` };
    const response = await fetch(`${service.url}/v1/models/${path}`, { headers });
    return { status: response.status, body: (await response.json()) as object };
  };

  it('asks what the performance route asks', async () => {
    const answer = await get(
      'churn/estimates?version=3&from=2013-03-01&to=2013-04-01&bucket=week&segment=plan%3Dpro',
    );
    expect(answer).toEqual({ status: 200, body: NO_ESTIMATES });
    expect(asked).toEqual([
      {
        model: 'churn',
        modelVersion: '3',
        period: { startMs: Date.UTC(2013, 2, 1), endMs: Date.UTC(2013, 3, 1) },
        bucket: 'week',
        segment: { column: 'plan', value: 'pro' },
      },
    ]);
  });

  it.each([
    ['churn/estimates', 400],
    ['churn/estimates?version=3&bucket=year', 400],
    ['fraud/estimates?version=3', 403],
  ])('answers %s with %i', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });
});
