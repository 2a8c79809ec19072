import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../../src/domain/model.js';
import { HOUR_MS } from '../../../src/domain/window.js';
import { createKey } from '../../../src/http/access.js';
import { createEpisodeRoutes } from '../../../src/http/episode-routes.js';
import { createMemoryDesk } from '../../support/episode-desk.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';
import { outcomesOf, verdictOf } from '../../support/outcomes.js';

const CHURN: ModelVersion = {
  model: 'churn',
  modelVersion: '3',
  schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
  registeredAtMs: 1,
};
const BASE = '/v1/models/churn';

describe('the episode routes', () => {
  let service: HttpService;
  const memory = createMemoryDesk([CHURN]);
  const admin = createKey(['admin'], ['chu*']);
  const reader = createKey(['read'], ['chu*']);
  let id = '';

  beforeAll(async () => {
    const plan = verdictOf({ feature: 'plan', effect: { value: 0.9, low: 0, high: 1 } });
    await memory.judge(outcomesOf('dd', { drivers: [verdictOf(), plan] }));
    await memory.judge(outcomesOf('ddcc', { category: 'outliers' }));
    await memory.judge(outcomesOf('dd', { category: 'performance' }));
    await memory.judge(outcomesOf('cd', { category: 'service' }));
    id = (await memory.desk.list({ model: 'churn', limit: 9 })).find(({ category }) => category === 'drift')
      ?.id as string;
    service = await startHttpService({
      keys: [admin.entry, reader.entry],
      api: (access) =>
        createEpisodeRoutes(
          {
            store: { listModels: async () => [CHURN] },
            desk: memory.desk,
            retrainings: async () => [],
            publicUrl: 'https://plumbline.example',
          },
          access,
        ),
    });
  });
  afterAll(() => service.stop());

  async function call(method: string, path: string, body?: object, key = admin.key) {
    const response = await fetch(service.url + path, {
      method,
      redirect: 'manual',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: bodies of all kinds
    return { status: response.status, body: text === '' ? null : (JSON.parse(text) as any) };
  }
  const get = (path: string) => call('GET', path, undefined, reader.key);

  it('list open ones first, by urgency, and what is pending', async () => {
    const { body } = await get(`${BASE}/episodes`);
    expect(body.episodes.map((e: { category: string; status: string }) => [e.category, e.status])).toEqual([
      ['performance', 'open'],
      ['drift', 'open'],
      ['outliers', 'resolved'],
    ]);
    expect(body.episodes[1]).toMatchObject({
      silence: null,
      acknowledgement: null,
      retrainings: [],
      sentence: 'Drift in churn version 3 (critical) since 1970-01-01 00:00 UTC: age, plan.',
    });
    expect(body.pending).toMatchObject([
      { category: 'service', firstWindow: { startMs: HOUR_MS }, drifted: 1, needed: 2 },
    ]);
    expect((await get(`${BASE}/episodes?status=pending`)).body).toMatchObject({
      episodes: [],
      pending: [{}],
    });
    expect((await get(`${BASE}/episodes?status=resolved`)).body).toMatchObject({
      episodes: [{ category: 'outliers' }],
      pending: [],
    });
    expect((await get(`${BASE}/episodes?state=open&limit=1`)).body.episodes).toHaveLength(1);
  });

  it('tell one whole: history, ranked evidence, performance, and where to read on', async () => {
    const { body } = await get(`${BASE}/episodes/${id}`);
    expect(body).toMatchObject({
      id,
      status: 'open',
      performance: { moved: 'not_moved', kind: 'estimated' },
      performanceSentence:
        'Estimated performance did not move with it: ROC AUC 0.681, 0.684 on the reference.',
      links: {
        page: 'https://plumbline.example/models/churn/versions/3',
        episode: `https://plumbline.example/models/churn/versions/3/episodes/${id}`,
        reports: 'https://plumbline.example/reports',
      },
    });
    expect(body.history.map(({ kind }: { kind: string }) => kind)).toEqual(['pending', 'opened']);
    expect(body.evidence).toMatchObject([
      { feature: 'plan', windows: 2, peak: { effect: 0.9 } },
      { feature: 'age', windows: 2, peak: { effect: 0.3 } },
    ]);
  });

  it('note who looks after an episode, until that is taken back', async () => {
    const path = `${BASE}/episodes/${id}/acknowledgement`;
    expect((await call('PUT', path, { by: 'ada', note: 'on it' })).body).toMatchObject({
      kind: 'acknowledged',
      episodeId: id,
      by: 'ada',
      via: admin.entry.id,
    });
    const { body } = await get(`${BASE}/episodes/${id}`);
    expect(body).toMatchObject({ status: 'acknowledged', acknowledgement: { by: 'ada', note: 'on it' } });
    expect((await get(`${BASE}/episodes?status=acknowledged`)).body.episodes).toHaveLength(1);
    expect((await call('DELETE', `${path}?note=no`)).body).toMatchObject({ by: admin.entry.id, note: 'no' });
    const after = (await get(`${BASE}/episodes/${id}`)).body;
    expect(after.status).toBe('open');
    expect(after.history.map(({ kind }: { kind: string }) => kind)).toEqual([
      'pending',
      'opened',
      'acknowledged',
      'unacknowledged',
    ]);
  });

  it('snooze an episode, a category or a model, for a while or until a time', async () => {
    const silence = async () => (await get(`${BASE}/episodes/${id}`)).body.silence;
    await call('PUT', `${BASE}/episodes/${id}/snooze`, { for: '2h', note: 'deploy' });
    expect(await silence()).toEqual({
      reason: 'snoozed',
      scope: 'episode',
      untilMs: 12 * HOUR_MS,
      by: admin.entry.id,
      note: 'deploy',
    });
    memory.at(12 * HOUR_MS);
    expect(await silence()).toBeNull();
    await call('PUT', `${BASE}/snooze`, { until: '1970-01-02T00:00:00Z', category: 'drift', by: 'ada' });
    expect(await silence()).toMatchObject({ scope: 'category', untilMs: 24 * HOUR_MS, by: 'ada' });
    expect((await get(`${BASE}/snooze`)).body).toMatchObject({
      snoozes: [{ category: 'drift', episodeId: null }],
      maintenance: null,
    });
    await call('DELETE', `${BASE}/snooze`);
    expect(await silence()).not.toBeNull();
    await call('DELETE', `${BASE}/snooze?category=drift`);
    expect(await silence()).toBeNull();
    memory.maintenance.push({ kind: 'once', name: 'move', fromMs: 0, toMs: 13 * HOUR_MS });
    expect(await silence()).toMatchObject({ reason: 'maintenance', note: 'move' });
    memory.maintenance.pop();
    memory.at(10 * HOUR_MS);
  });

  it.each([
    ['PUT', 'snooze', {}, 'give until or for'],
    ['PUT', 'snooze', { for: '2h', until: '1970-01-02' }, 'give until or for'],
    ['PUT', 'snooze', { for: '2 hours' }, 'for: must be a number of minutes'],
    ['PUT', 'snooze', { until: 'tomorrow' }, 'until: must be an ISO date'],
    ['PUT', 'snooze', { until: '1970-01-01' }, 'until: must lie after'],
    ['PUT', 'snooze', { for: '400d' }, 'at most a year ahead'],
    ['PUT', 'snooze', { for: '1h', category: 'weather' }, 'category'],
    ['DELETE', 'episodes/:open/acknowledgement?who=me', undefined, 'who'],
    ['GET', 'episodes?status=closed', undefined, 'status'],
    ['GET', 'episodes?state=ajar', undefined, 'state'],
  ])('refuse %s %s with %j', async (method, path, body, detail) => {
    const closed = (await memory.desk.list({ model: 'churn', state: 'closed', limit: 1 }))[0]?.id ?? '';
    const real = path.replace(':closed', closed).replace(':open', id);
    const answer = await call(method, `${BASE}/${real}`, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(answer.body.detail).toContain(detail);
  });

  it.each([
    ['PUT', 'acknowledgement', {}],
    ['DELETE', 'acknowledgement', undefined],
    ['PUT', 'snooze', { for: '1h' }],
  ])('refuse %s of the %s of an episode that is over, whose history stays', async (method, what, body) => {
    const closed = (await memory.desk.list({ model: 'churn', state: 'closed', limit: 1 }))[0]?.id ?? '';
    const history = async () => (await get(`${BASE}/episodes/${closed}`)).body.history;
    const before = await history();
    expect(await call(method, `${BASE}/episodes/${closed}/${what}`, body)).toMatchObject({
      status: 409,
      body: { code: 'conflict', title: 'Conflict', detail: expect.stringContaining('is over') },
    });
    expect(await history()).toEqual(before);
  });

  it('end a snooze of an episode that is over: its end may be held back until then', async () => {
    const closed = (await memory.desk.list({ model: 'churn', state: 'closed', limit: 1 }))[0]?.id ?? '';
    expect((await call('DELETE', `${BASE}/episodes/${closed}/snooze`)).status).toBe(200);
  });

  it('know which models, episodes and keys there are', async () => {
    for (const path of ['episodes/none', 'episodes/none/acknowledgement', 'episodes/none/snooze'])
      expect(
        await call(
          path === 'episodes/none' ? 'GET' : 'PUT',
          `${BASE}/${path}`,
          path.endsWith('snooze') ? { for: '1h' } : path.endsWith('none') ? undefined : {},
        ),
      ).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    expect(await get('/v1/models/chuck/episodes')).toMatchObject({
      status: 404,
      body: { code: 'unknown_model' },
    });
    expect((await call('PUT', `${BASE}/snooze`, { for: '1h' }, reader.key)).status).toBe(403);
    expect((await call('PUT', '/v1/models/other/snooze', { for: '1h' })).status).toBe(403);
  });

  it('take the forms of the page', async () => {
    const path = `/models/churn/versions/3/episodes/${id}`;
    const send = async (fields: Record<string, string>) => {
      const response = await fetch(service.url + path, {
        method: 'POST',
        redirect: 'manual',
        headers: { authorization: `Bearer ${admin.key}` },
        body: new URLSearchParams(fields),
      });
      return [response.status, response.headers.get('location')];
    };
    expect(await send({ action: 'acknowledge', by: '', note: '' })).toEqual([303, path]);
    await send({ action: 'snooze', for: '8h', by: 'ada', note: 'night' });
    expect((await get(`${BASE}/episodes/${id}`)).body).toMatchObject({
      status: 'acknowledged',
      silence: { by: 'ada', untilMs: 18 * HOUR_MS },
    });
    await send({ action: 'unsnooze' });
    await send({ action: 'unacknowledge' });
    expect((await get(`${BASE}/episodes/${id}`)).body).toMatchObject({ status: 'open', silence: null });
    expect((await send({ action: 'snooze' }))[0]).toBe(400);
    expect((await send({ action: 'delete' }))[0]).toBe(400);
  });

  it('take the forms that snooze a model, all of it or one kind', async () => {
    const send = async (fields: Record<string, string>) => {
      const response = await fetch(`${service.url}/models/churn/versions/3/snooze`, {
        method: 'POST',
        redirect: 'manual',
        headers: { authorization: `Bearer ${admin.key}` },
        body: new URLSearchParams(fields),
      });
      return [response.status, response.headers.get('location')];
    };
    const done = [303, '/models/churn/versions/3#episodes'];
    expect(await send({ action: 'snooze', category: '', for: '1h', by: '', note: '' })).toEqual(done);
    expect(await send({ action: 'snooze', category: 'service', for: '1h', by: 'ada', note: '' })).toEqual(
      done,
    );
    const scopes = async () =>
      (await get(`${BASE}/snooze`)).body.snoozes.map(({ category }: { category: string | null }) => category);
    expect(await scopes()).toEqual([null, 'service']);
    expect(await send({ action: 'unsnooze', category: '' })).toEqual(done);
    expect(await send({ action: 'unsnooze', category: 'service' })).toEqual(done);
    expect(await scopes()).toEqual([]);
    expect((await send({ action: 'snooze', category: 'weather', for: '1h' }))[0]).toBe(400);
  });
});
