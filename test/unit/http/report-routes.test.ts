import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createReportRoutes } from '../../../src/http/report-routes.js';
import { createModelService } from '../../support/model-service.js';
import { factsOf, reportOf } from '../../support/reports.js';

const REPORT = `rep_${'0'.repeat(32)}`;

describe('the routes of reports', () => {
  const service = createModelService({
    further: (access, { note }) => [
      createReportRoutes(
        {
          store: {
            listReports: note('reports', [{ ...factsOf(), versions: ['3'] }]),
            findReport: async (model, id) => (id === REPORT && model === 'churn' ? reportOf({ id }) : null),
          },
          runNow: note('report', reportOf({ id: REPORT })),
        },
        access,
      ),
    ],
  });
  const { admin, reader, state } = service;
  beforeAll(service.start);
  afterAll(service.stop);
  beforeEach(service.reset);

  it('lists reports, gives each in three forms, and makes one', async () => {
    const get = (path: string, key = reader.key) =>
      fetch(`${service.url()}${path}`, { headers: { authorization: `Bearer ${key}` } });
    const post = (body: unknown, key: string) =>
      fetch(`${service.url()}/v1/models/churn/reports`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const list = (await (await get('/v1/models/churn/reports?schedule=daily&limit=5')).json()) as object;
    expect(list).toMatchObject({
      reports: [{ id: 'rep_1', links: { page: '/models/churn/reports/rep_1' } }],
    });
    expect(state.calls.at(-1)).toEqual(['reports', { model: 'churn', schedule: 'daily', limit: 5 }]);
    for (const [ending, type, content] of [
      ['', 'application/json; charset=utf-8', '"format":1'],
      ['.json', 'application/json; charset=utf-8', '"format":1'],
      ['.md', 'text/markdown; charset=utf-8', '# churn, daily report: 5 Jan 2026'],
      ['.html', 'text/html; charset=utf-8', '<p>Nothing</p>'],
    ] as const) {
      const response = await get(`/v1/models/churn/reports/${REPORT}${ending}`);
      expect([ending, response.status, response.headers.get('content-type')]).toEqual([ending, 200, type]);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(await response.text()).toContain(content);
    }
    for (const path of [`${REPORT}.pdf`, `${REPORT}x`, 'rep_1', '..%2f..'])
      expect([path, (await get(`/v1/models/churn/reports/${path}`)).status]).toEqual([path, 404]);
    expect((await get(`/v1/models/other/reports/${REPORT}`)).status).toBe(403);

    expect((await post({}, reader.key)).status).toBe(403);
    expect((await post({ schedule: 'daily', announce: true }, admin.key)).status).toBe(201);
    expect(state.calls.at(-1)).toMatchObject([
      'report',
      { model: 'churn', schedule: 'daily', announce: true },
    ]);
    expect((await post({ from: '2026-01-01', to: '2026-01-08', version: '3' }, admin.key)).status).toBe(201);
    expect(state.calls.at(-1)).toMatchObject([
      'report',
      {
        modelVersion: '3',
        period: { startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2026, 0, 8) },
        announce: false,
      },
    ]);
    for (const body of [
      { from: '2026-01-01' },
      { from: '2026-01-02', to: '2026-01-01' },
      { from: '2024-01-01', to: '2026-01-01' },
      { from: '2026-01-01T00:30:00Z', to: '2026-01-02' },
      { announce: 'yes' },
      { period: 'day' },
    ])
      expect([body, (await post(body, admin.key)).status]).toEqual([body, 400]);
  });
});
