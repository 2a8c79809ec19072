import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Episode } from '../../../src/domain/episode.js';
import type { EpisodeMark, Feedback } from '../../../src/domain/feedback.js';
import { createKey } from '../../../src/http/access.js';
import { createFeedbackRoutes } from '../../../src/http/feedback-routes.js';
import { createFeedback } from '../../../src/jobs/feedback.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';

const WINDOW = { startMs: 0, endMs: 3_600_000 };
const episode = (id: string, category: Episode['category'], detector: string): Episode => ({
  id,
  model: 'churn',
  modelVersion: '3',
  category,
  severity: 'warning',
  state: 'open',
  firstWindow: WINDOW,
  openedBy: WINDOW,
  closedBy: null,
  lastWindow: WINDOW,
  drivers: [{ feature: 'age', detector, statistic: 1, threshold: 0.5, effect: 0.4 }],
  openedAtMs: 1,
  closedAtMs: null,
});

describe('feedback on episodes', () => {
  let service: HttpService;
  const saved = new Map<string, EpisodeMark>();
  const admin = createKey(['admin'], ['chu*']);
  const reader = createKey(['read'], ['chu*']);
  const feedback = createFeedback({
    listEpisodes: async () => [episode('e1', 'drift', 'ks'), episode('e2', 'dataQuality', 'missing')],
    saveMark: async (mark) => {
      saved.set(mark.episodeId, mark);
    },
    listMarks: async () => [...saved.values()].filter(({ mark }) => mark !== null),
  });

  beforeAll(async () => {
    service = await startHttpService({
      keys: [admin.entry, reader.entry],
      api: (access) => createFeedbackRoutes({ ...feedback, nowMs: () => 42 }, access),
    });
  });
  afterAll(() => service.stop());
  beforeEach(() => saved.clear());

  const put = (path: string, body: unknown, key = admin.key) =>
    fetch(`${service.url}${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    });
  const read = async (query = '') => {
    const response = await fetch(`${service.url}/v1/models/churn/feedback${query}`, {
      headers: { authorization: `Bearer ${reader.key}` },
    });
    expect(response.status).toBe(200);
    return (await response.json()) as Feedback;
  };

  it('notes a mark, replaces it, and takes it back', async () => {
    const path = '/v1/models/churn/episodes/e1/mark';
    expect(await (await put(path, { mark: 'true', note: 'sensor' })).json()).toEqual({
      model: 'churn',
      episodeId: 'e1',
      mark: 'true',
      note: 'sensor',
      atMs: 42,
    });
    expect((await put(path, { mark: false })).status).toBe(200);
    const { detectors, trust, marks } = await read();
    expect(trust).toBeNull();
    expect(marks).toHaveLength(1);
    expect(detectors[1]).toMatchObject({ detector: 'ks', trueEpisodes: 0, falseEpisodes: 1 });
    expect(detectors[1]?.precision?.value).toBe(0);
    expect(detectors[0]?.precision).toBeNull();
    expect((await put(path, { mark: null })).status).toBe(200);
    expect((await read()).marks).toEqual([]);
  });

  it('ranks by a seed, never what must always be heard', async () => {
    const { trust } = await read('?seed=7');
    expect(trust?.map(({ detector }) => detector)).toEqual(['ks']);
    expect((await read('?seed=7')).trust).toEqual(trust);
  });

  it.each([
    ['/v1/models/churn/episodes/e1/mark', { mark: 'maybe' }, 400],
    ['/v1/models/churn/episodes/e1/mark', {}, 400],
    ['/v1/models/churn/episodes/nine/mark', { mark: 'true' }, 404],
    ['/v1/models/fraud/episodes/e1/mark', { mark: 'true' }, 403],
  ])('refuses %s with %j', async (path, body, status) => {
    expect((await put(path, body)).status).toBe(status);
    expect(saved.size).toBe(0);
  });

  it('lets nobody mark with a key that may only read', async () => {
    expect((await put('/v1/models/churn/episodes/e1/mark', { mark: 'true' }, reader.key)).status).toBe(403);
    expect(saved.size).toBe(0);
  });

  it('takes the form of the page, from this site only, and leads back to it', async () => {
    const post = (headers: Record<string, string>) =>
      fetch(`${service.url}/models/churn/versions/3%2F1/episodes/e1/mark`, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${Buffer.from(`me:${admin.key}`).toString('base64')}`,
          ...headers,
        },
        body: 'mark=true',
      });
    expect((await post({ origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(saved.size).toBe(0);
    const response = await post({ 'sec-fetch-site': 'same-origin' });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/models/churn/versions/3%2F1#episodes');
    expect(saved.get('e1')?.mark).toBe('true');
  });
});
