import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NOW_MS } from '../../support/http-service.js';
import { CHURN, EPISODE, REFERENCE, RETRAINED } from '../../support/model-ports.js';
import { createModelService } from '../../support/model-service.js';

describe('the routes that register and announce versions', () => {
  const service = createModelService();
  const { admin, call, state } = service;
  beforeAll(service.start);
  afterAll(service.stop);
  beforeEach(service.reset);

  it('register a version by its schema, and again without a change', async () => {
    const schema = {
      task: 'regression',
      features: [
        { name: '<b>', kind: 'numeric' },
        { name: '__proto__', kind: 'categorical' },
      ],
    };
    const first = await call('PUT', '/v1/models/price/versions/1', JSON.stringify(schema));
    expect(first).toMatchObject({
      status: 201,
      body: { model: { model: 'price', modelVersion: '1', schema, registeredAtMs: NOW_MS } },
    });
    expect(state.calls).toEqual([
      ['deleteModel', ['price', { keepRows: true }]],
      ['modelSaved', null],
    ]);
    expect((await call('PUT', '/v1/models/price/versions/1', JSON.stringify(schema))).status).toBe(200);
    expect(state.saved).toHaveLength(3);
  });

  it('change a schema only while there is no reference', async () => {
    const schema = JSON.stringify({ task: 'binary', features: [{ name: 'age', kind: 'categorical' }] });
    state.reference = REFERENCE;
    expect(await call('PUT', '/v1/models/churn/versions/3', schema)).toMatchObject({
      status: 422,
      body: { code: 'invalid_schema' },
    });
    state.reference = null;
    expect((await call('PUT', '/v1/models/churn/versions/3', schema)).status).toBe(201);
  });

  it('announce a version with the schema of the one before, a reference, and the episode that it was trained for', async () => {
    const announced = (body: unknown, version = '4') =>
      call('PUT', `/v1/models/churn/versions/${version}`, JSON.stringify(body));
    expect(await announced({ retrainedFor: 'e1' })).toMatchObject({
      status: 201,
      body: {
        model: { model: 'churn', modelVersion: '4', schema: CHURN.schema },
        retrainings: [{ episodeId: 'e1', modelVersion: '4', by: admin.entry.id }],
      },
    });
    expect(state.calls.map(([name]) => name)).toEqual(['modelSaved', 'saveRetraining']);
    state.calls = [];
    const period = { from: '1970-01-01', to: '1970-01-02' };
    const withPeriod = await announced({ retrainedFor: null, reference: { period, reason: 'new' } });
    expect(withPeriod).toMatchObject({ status: 201, body: { reference: { hash: 'abc' }, retrainings: [] } });
    expect(withPeriod.body.reference).not.toHaveProperty('forest');
    const reference = { query: 'SELECT 1' };
    expect((await announced({ retrainedFor: ['e1'], reference }, '5')).status).toBe(201);
    // the columns of a query's answer are the schema: none is saved before
    expect(state.calls.map(([name]) => name)).toEqual(['rebaseline', 'query', 'saveRetraining']);
  });

  it.each([
    [{ retrainedFor: 'e9' }, 404, 'e9'],
    [{ retrainedFor: ['e1', 'evt_00'] }, 404, 'evt_00'],
    [{ retrainedFor: 7 }, 422, 'retrainedFor'],
    [{ retrainedFor: '' }, 422, 'retrainedFor'],
    [{ task: 'binary' }, 422, 'both'],
    [{ reference: { hash: 'a'.repeat(64) } }, 422, 'reference'],
    [{ reference: { period: { from: '1970-01-01T00:30:00Z', to: '1970-01-02' } } }, 422, 'reference'],
    [{ ...CHURN.schema, reference: { query: 'SELECT 1' } }, 422, 'leave them out'],
    [{ because: 'drift' }, 422, 'because'],
  ])('refuse the announcement %j', async (body, status, named) => {
    const answer = await call('PUT', '/v1/models/churn/versions/4', JSON.stringify(body));
    expect(answer.status).toBe(status);
    expect(answer.body.detail).toContain(named);
    expect(state.calls).toEqual([]);
    expect(state.saved).toHaveLength(2);
  });

  it('refuse to answer an episode by its own version', async () => {
    const answer = await call('PUT', '/v1/models/churn/versions/3', '{"retrainedFor":"e1"}');
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('show which versions episodes were answered by', async () => {
    const { body } = await call('GET', '/v1/models/churn/episodes');
    const { cure } = RETRAINED;
    expect(body.episodes).toEqual([
      expect.objectContaining({
        ...EPISODE,
        retrainings: [{ modelVersion: '4', announcedAtMs: 7, by: 'local', cure }],
      }),
    ]);
  });

  it.each([
    [{}, 'task'],
    [{ task: 'binary', features: [] }, 'features'],
    [{ task: 'binary', features: [{ name: 'prediction', kind: 'numeric' }] }, 'reserved name'],
    [{ task: 'binary', features: [{ name: 'a', kind: 'text' }] }, 'kind'],
    [
      {
        task: 'binary',
        features: [
          { name: 'a', kind: 'numeric' },
          { name: 'a', kind: 'numeric' },
        ],
      },
      'twice',
    ],
  ])('refuse the schema %j', async (schema, named) => {
    const { status, body } = await call('PUT', '/v1/models/price/versions/1', JSON.stringify(schema));
    expect([status, body.code]).toEqual([422, 'invalid_schema']);
    expect(body.detail).toContain(named);
  });

  it.each(['a,b', '<script>', 'x'.repeat(121), 'tab\t'])('refuse the name %p', async (name) => {
    const path = `/v1/models/${encodeURIComponent(name)}/versions/1`;
    expect(await call('PUT', path, '{}')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });
});
