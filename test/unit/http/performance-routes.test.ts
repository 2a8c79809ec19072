import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PerformanceAnswer } from '../../../src/domain/performance-figures.js';
import { END_OF_TIME_MS } from '../../../src/domain/window.js';
import { createKey } from '../../../src/http/access.js';
import { createPerformanceRoutes } from '../../../src/http/performance-routes.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';
import { NO_PERFORMANCE } from '../../support/performance-rows.js';

describe('the performance route', () => {
  let service: HttpService;
  const asked: unknown[] = [];
  const reader = createKey(['read'], ['chu*']);

  beforeAll(async () => {
    service = await startHttpService({
      keys: [reader.entry],
      api: (access) =>
        createPerformanceRoutes(
          {
            performance: async (question): Promise<PerformanceAnswer> => {
              asked.push(question);
              return NO_PERFORMANCE;
            },
          },
          access,
        ),
    });
  });
  afterAll(() => service.stop());

  async function get(path: string) {
    const response = await fetch(service.url + path, { headers: { authorization: `Bearer ${reader.key}` } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it('asks for all days of a version, or for what is said', async () => {
    expect(await get('/v1/models/churn/performance?version=3')).toEqual({
      status: 200,
      body: NO_PERFORMANCE,
    });
    await get('/v1/models/churn/performance?version=3&from=2013-03-01&bucket=month&segment=tags.a%3Db%3Dc');
    const key = { model: 'churn', modelVersion: '3' };
    expect(asked).toEqual([
      { ...key, period: null, bucket: 'day', segment: null },
      {
        ...key,
        period: { startMs: Date.UTC(2013, 2, 1), endMs: END_OF_TIME_MS },
        bucket: 'month',
        segment: { column: 'tags.a', value: 'b=c' },
      },
    ]);
  });

  it.each([
    ['churn/performance', 400],
    ['churn/performance?version=3&from=2013-03-02&to=2013-03-01', 400],
    ['churn/performance?version=3&from=2013-03-01T00:30:00Z', 400],
    ['churn/performance?version=3&bucket=year', 400],
    ['churn/performance?version=3&segment=every', 400],
    ['fraud/performance?version=3', 403],
  ])('answers %s with %i', async (path, status) => {
    expect((await get(`/v1/models/${path}`)).status).toBe(status);
  });
});
