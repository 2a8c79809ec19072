import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { OutlierRecord } from '../../../src/domain/outlier-ports.js';
import { END_OF_TIME_MS } from '../../../src/domain/window.js';
import { createKey } from '../../../src/http/access.js';
import { createOutlierRoutes } from '../../../src/http/outlier-routes.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';

const OUTLIER: OutlierRecord = {
  model: 'churn',
  modelVersion: '3',
  predictionId: 'p1',
  rowIndex: 0,
  timestampMs: Date.UTC(2026, 0, 2),
  score: 0.8,
  reasons: [{ feature: 'age', contribution: 0.4 }],
  values: Object.fromEntries([
    ['age', Number.POSITIVE_INFINITY],
    ['__proto__', 'gold'],
    ['plan', null],
  ]),
};
const NEXT = { scoreBits: '4605380978949069210', timestampMs: -5, identity: '18446744073709551615' };
const PATH = '/v1/models/churn/versions/3/outliers';

describe('the outlier route', () => {
  let service: HttpService;
  let asked: unknown[] = [];
  let next: typeof NEXT | null = NEXT;
  const reader = createKey(['read'], ['chu*']);

  beforeAll(async () => {
    service = await startHttpService({
      keys: [reader.entry],
      api: (access) =>
        createOutlierRoutes(
          {
            listModels: async () => [
              {
                model: 'churn',
                modelVersion: '3',
                schema: {
                  task: 'binary',
                  features: [
                    { name: 'age', kind: 'numeric' },
                    { name: 'since', kind: 'numeric', time: true },
                  ],
                },
                registeredAtMs: 0,
              },
            ],
            listOutliers: async (key, columns, query) => {
              asked.push([key, columns.map(({ name }) => name), query]);
              return { outliers: [OUTLIER, { ...OUTLIER, values: null }], next };
            },
          },
          access,
        ),
    });
  });
  afterAll(() => service.stop());
  beforeEach(() => {
    asked = [];
    next = NEXT;
  });

  async function get(path: string) {
    const response = await fetch(service.url + path, { headers: { authorization: `Bearer ${reader.key}` } });
    return { status: response.status, text: await response.text() };
  }

  it('lists rows with their values and reasons, and where to go on', async () => {
    const { status, text } = await get(PATH);
    expect(status).toBe(200);
    expect(asked).toEqual([
      [
        { model: 'churn', modelVersion: '3' },
        ['age', 'prediction', 'prediction_proba'],
        { window: { startMs: 0, endMs: END_OF_TIME_MS }, limit: 100 },
      ],
    ]);
    const { outliers, next: cursor } = JSON.parse(text) as { outliers: unknown[]; next: string };
    expect(outliers[0]).toMatchObject({
      predictionId: 'p1',
      at: '2026-01-02T00:00:00.000Z',
      score: 0.8,
      reasons: [{ feature: 'age', contribution: 0.4 }],
    });
    expect(text).toContain('"values":{"age":"Infinity","__proto__":"gold","plan":null}');
    expect(outliers[1]).toMatchObject({ values: null });
    await get(`${PATH}?cursor=${cursor}`);
    expect(asked.at(-1)).toMatchObject([{}, expect.anything(), { after: NEXT }]);
    next = null;
    expect(JSON.parse((await get(PATH)).text)).toMatchObject({ next: null });
  });

  it('passes every filter on', async () => {
    await get(`${PATH}?from=2026-01-01&to=2026-02-01&minScore=0.7&feature=age&limit=5`);
    expect(asked).toMatchObject([
      [
        {},
        expect.anything(),
        {
          window: { startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2026, 1, 1) },
          minScore: 0.7,
          feature: 'age',
          limit: 5,
        },
      ],
    ]);
  });

  it.each([
    ['from=2026-02-01&to=2026-01-01', 'from: must be before to'],
    ['minScore=2', 'minScore'],
    ['minScore=high', 'minScore'],
    ['cursor=12', 'cursor: must be the `next` of an earlier answer'],
    ['limit=1001', 'limit'],
    ['offset=4', 'offset'],
  ])('refuses %s and names what is wrong', async (query, named) => {
    const { status, text } = await get(`${PATH}?${query}`);
    expect([status, JSON.parse(text).code]).toEqual([400, 'invalid_request']);
    expect(JSON.parse(text).detail).toContain(named);
    expect(asked).toEqual([]);
  });

  it('says that a version is not registered, and keeps models apart', async () => {
    const absent = await get('/v1/models/churn/versions/4/outliers');
    expect([absent.status, JSON.parse(absent.text).code]).toEqual([404, 'unknown_model']);
    expect((await get('/v1/models/other/versions/3/outliers')).status).toBe(403);
  });
});
