import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { Announcement } from '../../../src/domain/retraining.js';
import { AppError } from '../../../src/errors.js';
import { createKey } from '../../../src/http/access.js';
import { createMlflowRoutes, type MlflowPorts } from '../../../src/http/mlflow-routes.js';
import { type HttpService, NOW_MS, startHttpService } from '../../support/http-service.js';

const CHURN: ModelVersion = {
  model: 'churn',
  modelVersion: '3',
  schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
  registeredAtMs: 1,
};
const SECRET = 's3cret of the registry';
const NOW = String(NOW_MS / 1_000);
const DELIVERY = '3f0c9b9e-6f1c-4c0e-9d8e-2f6c8a1b7d55';
/** What MLflow 3.17.2 sent under this secret: delivery id, signature, body; the clock was set to `NOW`. */
const RECORDED: readonly (readonly [
  id: string,
  signature: string,
  body: string,
  retrainedFor: string[] | undefined,
])[] = [
  [
    'acc1eb75-94f8-4e22-917f-5e4f62a1bf7c',
    'v1,EBrIz1THKV3J5zpnBnVITDL6gVL7cdEZQiExGiYGxQU=',
    '{"entity": "model_version", "action": "created", "timestamp": "2026-11-28T23:20:04.008580+00:00", "data": {"name": "churn", "version": "4", "source": "models:/m-1", "run_id": "r1", "tags": {}, "description": "\\u00fc"}}',
    undefined,
  ],
  [
    '32db6992-c697-4d6b-adb6-37b9dee9234b',
    'v1,NOCGDk6c2t11gMpCSaMgIySPLkyGiWzySo1ZXXY5djg=',
    '{"entity": "model_version_alias", "action": "created", "timestamp": "2026-11-28T23:20:04.008774+00:00", "data": {"name": "churn", "alias": "champion", "version": "4"}}',
    undefined,
  ],
  [
    '14954ec8-2306-4d81-8fd2-346248b1dd70',
    'v1,mHSv3D1mz0NB68QmGtW/fQ5FKk3matAAYhQSDPU62l0=',
    '{"entity": "model_version_tag", "action": "set", "timestamp": "2026-11-28T23:20:04.008850+00:00", "data": {"name": "churn", "version": "4", "key": "plumbline.retrainedFor", "value": "evt_1"}}',
    ['evt_1'],
  ],
];
const BODY = RECORDED[0]?.[2] ?? '';

let announced: Announcement[];
const ports: MlflowPorts = {
  store: { listModels: async () => [CHURN] },
  announce: async (announcement) => {
    if (announcement.retrainedFor?.includes('nobody') === true)
      throw new AppError('not_found', 'churn has no episode or webhook event nobody');
    announced.push(announcement);
    return { model: CHURN, saved: true, retrainings: [] };
  },
  secret: SECRET,
  nowMs: () => NOW_MS,
};
const signed = (body: string, secret = SECRET, timestamp = NOW) => ({
  'x-mlflow-delivery-id': DELIVERY,
  'x-mlflow-timestamp': timestamp,
  'x-mlflow-signature': `v1,${createHmac('sha256', secret).update(`${DELIVERY}.${timestamp}.${body}`).digest('base64')}`,
});
const eventOf = (entity: string, action: string, data: object) =>
  JSON.stringify({ entity, action, timestamp: '2026-01-02T00:00:00+00:00', data });

beforeEach(() => {
  announced = [];
});

describe('webhooks of the MLflow registry', () => {
  let service: HttpService;
  const key = createKey(['admin'], ['*']);
  beforeAll(async () => {
    service = await startHttpService({
      keys: [key.entry],
      signed: (access) => createMlflowRoutes(ports, access),
    });
  });
  afterAll(() => service.stop());

  async function post(body: string, headers: Record<string, string> = signed(body)) {
    const response = await service.send('/v1/webhooks/mlflow', body, headers);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it.each(RECORDED)(
    'are taken as MLflow signs them: delivery %s',
    async (id, signature, body, retrainedFor) => {
      const headers = {
        'x-mlflow-delivery-id': id,
        'x-mlflow-timestamp': NOW,
        'x-mlflow-signature': signature,
      };
      expect(await post(body, headers)).toMatchObject({ status: 201, body: { retrainings: [] } });
      expect(announced).toEqual([{ model: 'churn', modelVersion: '4', retrainedFor, by: 'mlflow' }]);
    },
  );

  it.each<[string, Record<string, string>]>([
    ['is not signed', { authorization: `Bearer ${key.key}` }],
    ['does not fit', signed(BODY, 'another secret')],
    ['does not fit', signed(`${BODY} `)],
    ['does not fit', { ...signed(BODY), 'x-mlflow-delivery-id': 'another' }],
    ['within five minutes', signed(BODY, SECRET, String(NOW_MS / 1_000 - 301))],
    ['within five minutes', signed(BODY, SECRET, 'now')],
  ])('are refused where the signature %s', async (named, headers) => {
    const answer = await post(BODY, headers);
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    expect(answer.body.detail).toContain(named);
    expect(announced).toEqual([]);
  });

  it.each<[string, string, object, Partial<Announcement>]>([
    ['model_version_alias', 'created', { name: 'churn', version: '4', alias: 'champion' }, {}],
    ['model_version', 'created', { name: 'churn', version: 4, tags: null }, {}],
    [
      'model_version',
      'created',
      { name: 'churn', version: '4', tags: { 'plumbline.retrainedFor': 'evt_1' } },
      { retrainedFor: ['evt_1'] },
    ],
    [
      'model_version_tag',
      'set',
      { name: 'churn', version: '4', key: 'plumbline.retrainedFor', value: 'e1, evt_2' },
      { retrainedFor: ['e1', 'evt_2'] },
    ],
  ])('announce by %s.%s %j', async (entity, action, data, announcement) => {
    expect((await post(eventOf(entity, action, data))).status).toBe(201);
    expect(announced).toMatchObject([{ model: 'churn', modelVersion: '4', ...announcement }]);
  });

  it.each<[string, string, object, string]>([
    ['registered_model', 'created', { name: 'churn', tags: {}, description: '' }, 'announces no version'],
    ['model_version_alias', 'deleted', { name: 'churn', alias: 'champion' }, 'announces no version'],
    // the service's own preset sets tags: it must not hear itself
    [
      'model_version_tag',
      'set',
      { name: 'churn', version: '3', key: 'plumbline.drift', value: 'open' },
      'tag',
    ],
    ['prompt', 'created', {}, 'announces no version'],
    ['model_version', 'created', { name: 'example_model', version: '1', tags: {} }, 'no model example_model'],
  ])(
    'are answered with the reason where nothing is announced: %s.%s %j',
    async (entity, action, data, named) => {
      const answer = await post(eventOf(entity, action, data));
      expect(answer).toEqual({ status: 200, body: { ignored: expect.stringContaining(named) } });
      expect(announced).toEqual([]);
    },
  );

  it.each([
    ['no JSON', 400, 'no JSON'],
    ['[]', 400, 'request'],
    ['{"entity":"model_version","action":"created"}', 400, 'data'],
    [eventOf('model_version', 'created', { name: 'churn' }), 400, 'version'],
    [eventOf('model_version', 'created', { name: '<b>', version: '1' }), 400, 'name'],
    [eventOf('model_version_tag', 'set', { name: 'churn', version: '4', key: 'k' }), 400, 'value'],
    [
      eventOf('model_version_tag', 'set', {
        name: 'churn',
        version: '4',
        key: 'plumbline.retrainedFor',
        value: 'nobody',
      }),
      404,
      'nobody',
    ],
  ])('are refused: %s', async (body, status, named) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(answer.body.detail).toContain(named);
    expect(announced).toEqual([]);
  });
});

describe('webhooks of the MLflow registry without a secret, and with an alias', () => {
  let service: HttpService;
  const admin = createKey(['admin'], ['chu*']);
  const other = createKey(['admin'], ['fraud']);
  const reader = createKey(['read'], ['*']);
  beforeAll(async () => {
    service = await startHttpService({
      keys: [admin.entry, other.entry, reader.entry],
      signed: (access) => createMlflowRoutes({ ...ports, secret: null, alias: 'champion' }, access),
    });
  });
  afterAll(() => service.stop());

  const post = async (body: string, key: string) => {
    // a registry knows of no headers, but of addresses with a password
    const headers = { authorization: `Basic ${Buffer.from(`mlflow:${key}`).toString('base64')}` };
    const response = await service.send('/v1/webhooks/mlflow', body, headers);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const aliased = (alias: string) =>
    eventOf('model_version_alias', 'created', { name: 'churn', version: '4', alias });

  it('want a key of the model', async () => {
    expect((await post(aliased('champion'), reader.key)).status).toBe(403);
    expect((await post(aliased('champion'), other.key)).status).toBe(403);
    expect((await post(aliased('champion'), 'none')).status).toBe(401);
    expect(announced).toEqual([]);
    expect((await post(aliased('champion'), admin.key)).status).toBe(201);
    expect(announced).toMatchObject([{ modelVersion: '4', by: admin.entry.id }]);
  });

  it('announce versions by the alias alone, unless a tag says what one was trained for', async () => {
    const ignored = { status: 200, body: { ignored: expect.stringContaining('champion') } };
    const version = (tags: object) =>
      eventOf('model_version', 'created', { name: 'churn', version: '4', tags });
    expect(await post(aliased('challenger'), admin.key)).toEqual(ignored);
    expect(await post(version({}), admin.key)).toEqual(ignored);
    expect((await post(version({ 'plumbline.retrainedFor': 'e1' }), admin.key)).status).toBe(201);
    expect(announced).toMatchObject([{ retrainedFor: ['e1'] }]);
  });
});
