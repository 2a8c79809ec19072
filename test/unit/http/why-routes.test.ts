import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WindowExplanation } from '../../../src/domain/explanation.js';
import { createKey } from '../../../src/http/access.js';
import { createWhyRoutes } from '../../../src/http/why-routes.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';

const EXPLANATION: WindowExplanation = {
  rankedBy: 'effect',
  note: null,
  prediction: null,
  features: [],
  outputs: [],
};

describe('the why route', () => {
  let service: HttpService;
  const asked: unknown[] = [];
  const reader = createKey(['read'], ['chu*']);

  beforeAll(async () => {
    service = await startHttpService({
      keys: [reader.entry],
      api: (access) =>
        createWhyRoutes(
          {
            explain: async (key, period) => {
              asked.push([key, period]);
              return {
                period: period ?? { startMs: 0, endMs: 3_600_000 },
                windows: 1,
                explanation: EXPLANATION,
              };
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

  it('explains the newest window, or the period asked for', async () => {
    expect(await get('/v1/models/churn/why?version=3')).toEqual({
      status: 200,
      body: { window: { startMs: 0, endMs: 3_600_000 }, windowsDrifted: 1, ...EXPLANATION },
    });
    await get('/v1/models/churn/why?version=3&from=2013-03-01&to=2013-03-02T00:00:00Z');
    expect(asked).toEqual([
      [{ model: 'churn', modelVersion: '3' }, null],
      [
        { model: 'churn', modelVersion: '3' },
        { startMs: Date.UTC(2013, 2, 1), endMs: Date.UTC(2013, 2, 2) },
      ],
    ]);
  });

  it.each([
    ['churn/why', 400],
    ['churn/why?version=3&from=2013-03-01', 400],
    ['churn/why?version=3&from=2013-03-02&to=2013-03-01', 400],
    ['churn/why?version=3&from=1990-01-01&to=2013-03-01', 400],
    ['churn/why?version=3&from=2013-03-01T00:30:00Z&to=2013-03-02', 400],
    ['fraud/why?version=3', 403],
  ])('answers %s with %i', async (path, status) => {
    expect((await get(`/v1/models/${path}`)).status).toBe(status);
  });
});
