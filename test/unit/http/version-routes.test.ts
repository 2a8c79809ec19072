import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { VersionQuestion } from '../../../src/domain/version-comparison.js';
import { createVersionRoutes } from '../../../src/http/version-routes.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';
import { comparisonOf, NO_SKEW } from '../../support/version-comparison.js';

describe('the routes of versions side by side', () => {
  const asked: VersionQuestion[] = [];
  const others: object[] = [];
  let service: HttpService;
  beforeAll(async () => {
    service = await startHttpService({
      api: (access) =>
        createVersionRoutes(
          {
            compareVersions: async (question) => {
              asked.push(question);
              return comparisonOf();
            },
            latencies: async (question) => {
              others.push(question);
              return { model: question.model, versions: [] };
            },
            skew: async (question) => {
              others.push(question);
              return NO_SKEW;
            },
          },
          access,
        ),
    });
  });
  afterAll(() => service.stop());
  beforeEach(() => {
    asked.length = 0;
  });
  const get = (query: string) => fetch(`${service.url}/v1/models/churn/compare-versions?${query}`);

  it('asks for two versions, by default over the time of both, day by day', async () => {
    const response = await get('champion=3&challenger=4');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(comparisonOf())));
    expect(asked).toEqual([{ model: 'churn', champion: '3', challenger: '4', bucket: 'day' }]);
  });

  it('takes a period, the figure that decides, its margin and the least days', async () => {
    await get(
      'champion=3&challenger=4&from=2026-01-01&to=2026-02-01T06:00:00Z&figure=logLoss&margin=0.02&minimumDays=14&bucket=week',
    );
    expect(asked).toEqual([
      {
        model: 'churn',
        champion: '3',
        challenger: '4',
        from: Date.UTC(2026, 0, 1),
        to: Date.UTC(2026, 1, 1, 6),
        figure: 'logLoss',
        margin: 0.02,
        minimumDays: 14,
        bucket: 'week',
      },
    ]);
  });

  it.each([
    ['champion=3', 'challenger'],
    ['champion=3&challenger=4&from=2026-01-01T00:30:00Z', 'from: must be a whole hour'],
    ['champion=3&challenger=4&margin=0', 'margin'],
    ['champion=3&challenger=4&minimumDays=0', 'minimumDays'],
    ['champion=3&challenger=4&metric=auc', 'metric'],
  ])('refuses %s, and says why', async (query, words) => {
    const response = await get(query);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { detail: string }).detail).toContain(words);
    expect(asked).toEqual([]);
  });

  it('asks for latencies of every version, and for the skew of one', async () => {
    const of = (path: string) => fetch(`${service.url}/v1/models/churn/${path}`);
    expect(await (await of('latency?from=2026-01-01')).json()).toEqual({ model: 'churn', versions: [] });
    expect((await of('latency?from=2026-01-01T00:10:00Z')).status).toBe(400);
    expect(await (await of('skew?version=3&from=2026-01-05')).json()).toEqual(NO_SKEW);
    expect((await of('skew')).status).toBe(400);
    expect(others).toEqual([
      { model: 'churn', from: Date.UTC(2026, 0, 1) },
      { model: 'churn', modelVersion: '3', from: Date.UTC(2026, 0, 5) },
    ]);
  });
});
