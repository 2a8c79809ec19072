import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CHURN, REFERENCE } from '../../support/model-ports.js';
import { createModelService } from '../../support/model-service.js';

const HOUR = 3_600_000;

describe('the model routes', () => {
  const service = createModelService();
  const { admin, reader, call, state } = service;
  beforeAll(service.start);
  afterAll(service.stop);
  beforeEach(service.reset);

  it('list the models that the key covers', async () => {
    const { body } = await call('GET', '/v1/models');
    expect(body.models).toEqual(state.saved);
    const narrow = await fetch(`${service.url()}/v1/models`, { headers: { 'x-api-key': reader.key } });
    expect(await narrow.json()).toEqual({ models: [CHURN] });
  });

  it.each([
    [
      'verdicts?version=3',
      'verdicts',
      { model: 'churn', modelVersion: '3', window: { startMs: 0 }, limit: 1_000 },
    ],
    [
      'verdicts?version=3&from=1970-01-02&to=1970-01-03T00:00:00%2B01:00&feature=age&detector=ks&role=primary&limit=5',
      'verdicts',
      {
        window: { startMs: 24 * HOUR, endMs: 47 * HOUR },
        feature: 'age',
        detector: 'ks',
        role: 'primary',
        limit: 5,
      },
    ],
    ['profiles?version=3', 'profiles', { scope: 'production', hours: 24 }],
    [
      'profiles?version=3&from=1970-01-02&to=1970-01-03&feature=age',
      'profiles',
      { scope: 'production', features: ['age'], hours: 1 },
    ],
  ])('read %s', async (path, name, query) => {
    expect((await call('GET', `/v1/models/churn/${path}`)).status).toBe(200);
    expect(state.calls).toMatchObject([[name, query]]);
  });

  it("read the reference's profiles once there is one, with the grids of the feature", async () => {
    const path = '/v1/models/churn/profiles?version=3&scope=reference&feature=age';
    expect(await call('GET', path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    state.reference = REFERENCE;
    const { body } = await call('GET', path);
    expect(body).toMatchObject({ scope: 'reference', window: REFERENCE.period, grids: [{ feature: 'age' }] });
    expect(state.calls).toEqual([
      ['profiles', expect.objectContaining({ scope: 'reference:abc', hours: 2 })],
    ]);
  });

  it.each([
    ['verdicts', 'version'],
    ['verdicts?version=3&limit=0', 'limit'],
    ['verdicts?version=3&limit=1e9', 'limit'],
    ['verdicts?version=3&from=yesterday', 'from'],
    ['verdicts?version=3&sql=1', 'sql'],
    ['verdicts?version=3&version=4', 'version'],
    ['profiles?version=3&from=1970-01-01T00:30:00Z', 'whole hour'],
    ['profiles?version=3&from=1970-01-03&to=1970-01-02', 'from'],
    ['profiles?version=3&from=1970-01-01&to=1999-01-01', 'ten years'],
  ])('refuse %s and name what is wrong', async (path, named) => {
    const { status, body } = await call('GET', `/v1/models/churn/${path}`);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.detail).toContain(named);
    expect(state.calls).toEqual([]);
  });

  it.each([
    'absent/verdicts?version=3',
    'churn/verdicts?version=4',
    'churn/profiles?version=4',
    'absent/episodes',
    '__proto__/episodes',
  ])('say that %s is not registered', async (path) => {
    expect(await call('GET', `/v1/models/${path}`)).toMatchObject({
      status: 404,
      body: { code: 'unknown_model' },
    });
  });

  it('delete a model, tell who did it, and take no reader for an admin', async () => {
    expect(await call('DELETE', '/v1/models/churn')).toEqual({
      status: 200,
      body: { model: 'churn', removed: { models: 1, predictions: 9 } },
    });
    expect(state.calls).toEqual([
      ['deleteModel', ['churn', undefined]],
      ['modelDeleted', null],
      ['model deleted', { model: 'churn', by: admin.entry.id, removed: { models: 1, predictions: 9 } }],
    ]);
    expect(await call('DELETE', '/v1/models/absent')).toMatchObject({
      status: 404,
      body: { code: 'unknown_model' },
    });
    const narrow = await fetch(`${service.url()}/v1/models/churn`, {
      method: 'DELETE',
      headers: { 'x-api-key': reader.key },
    });
    expect(narrow.status).toBe(403);
    expect(state.calls.filter(([name]) => name === 'deleteModel')).toHaveLength(2);
  });

  it('write reports', async () => {
    const body = JSON.stringify({ model: 'churn', modelVersion: '3', from: '2026-01-01' });
    expect(await call('POST', '/v1/reports', body)).toMatchObject({ status: 201, body: { summary: 'fine' } });
    expect(await call('POST', '/v1/reports', '{')).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });
});
