import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createWebhookDesk } from '../../../src/alerts/webhook-desk.js';
import type { Backtest } from '../../../src/domain/backtest.js';
import type { Episode } from '../../../src/domain/episode.js';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { Reference } from '../../../src/domain/reference.js';
import type { JudgedRetraining } from '../../../src/domain/retraining.js';
import type { Tuning } from '../../../src/domain/tuning.js';
import type { Bucket } from '../../../src/domain/window.js';
import { AppError } from '../../../src/errors.js';
import { createKey } from '../../../src/http/access.js';
import { createBackupRoutes } from '../../../src/http/backup-routes.js';
import { createConceptDriftRoutes } from '../../../src/http/concept-drift-routes.js';
import { createEpisodeRoutes } from '../../../src/http/episode-routes.js';
import { createErasureRoutes } from '../../../src/http/erasure-routes.js';
import { createEstimateRoutes } from '../../../src/http/estimate-routes.js';
import { createFeedbackRoutes } from '../../../src/http/feedback-routes.js';
import { createMlflowRoutes } from '../../../src/http/mlflow-routes.js';
import { createModelRoutes, type ModelPorts } from '../../../src/http/model-routes.js';
import { openapiDocument } from '../../../src/http/openapi.js';
import { labelEvent, predictionEvent } from '../../../src/http/openapi-ingest.js';
import { createOutlierRoutes } from '../../../src/http/outlier-routes.js';
import { createPerformanceRoutes } from '../../../src/http/performance-routes.js';
import { createPolicyRoutes } from '../../../src/http/policy-routes.js';
import { createPolicySettingRoutes } from '../../../src/http/policy-setting-routes.js';
import { createRejectedRoutes } from '../../../src/http/rejected-routes.js';
import { createReportRoutes } from '../../../src/http/report-routes.js';
import { createSchemaRoutes } from '../../../src/http/schema-routes.js';
import { createVersionRoutes } from '../../../src/http/version-routes.js';
import { createWebhookRoutes } from '../../../src/http/webhook-routes.js';
import { createWhyRoutes } from '../../../src/http/why-routes.js';
import { createAnnouncer } from '../../../src/jobs/announce-version.js';
import { createMemoryDesk } from '../../support/episode-desk.js';
import { EVENT, type HttpService, LABEL, NOW_MS, startHttpService } from '../../support/http-service.js';
import { createMemoryAlertStore } from '../../support/memory-alert-store.js';
import { NO_ERRORS, NO_ESTIMATES, NO_PERFORMANCE } from '../../support/performance-rows.js';
import { factsOf, reportOf } from '../../support/reports.js';
import { createSilentLogger } from '../../support/silent-logger.js';
import { comparisonOf, NO_SKEW } from '../../support/version-comparison.js';

const HOUR = 3_600_000;
const REPORT = `rep_${'0'.repeat(32)}`;
const CHURN: ModelVersion = {
  model: 'churn',
  modelVersion: '3',
  schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
  registeredAtMs: 1,
};
const REFERENCE: Reference = {
  model: 'churn',
  modelVersion: '3',
  hash: 'abc',
  rows: 10,
  period: { startMs: 0, endMs: 2 * HOUR },
  provenance: 'a test',
  createdAtMs: 1,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  forest: 'a large text',
};

const WINDOW = { startMs: 0, endMs: HOUR };
const EPISODE: Episode = {
  id: 'e1',
  model: 'churn',
  modelVersion: '3',
  category: 'drift',
  severity: 'warning',
  state: 'open',
  firstWindow: WINDOW,
  openedBy: WINDOW,
  closedBy: null,
  lastWindow: WINDOW,
  drivers: [],
  openedAtMs: 1,
  closedAtMs: null,
};
const RETRAINED: JudgedRetraining = {
  model: 'churn',
  episodeId: 'e1',
  modelVersion: '4',
  announcedAtMs: 7,
  by: 'local',
  episode: EPISODE,
  cure: {
    verdict: 'cannot_tell',
    reason: 'no_windows',
    period: null,
    windows: { clean: 0, drifted: 0, undecided: 0, needed: 2 },
    drivers: [],
  },
};

describe('the model routes', () => {
  let service: HttpService;
  let saved: ModelVersion[];
  let reference: Reference | null;
  let calls: [string, unknown][];
  let uploads: { path: string; content: string; provenance: string }[];
  const admin = createKey(['admin'], ['*']);
  const reader = createKey(['read'], ['chu*']);

  beforeAll(async () => {
    const note =
      <T>(name: string, value: T) =>
      async (query: unknown): Promise<T> => {
        calls.push([name, query]);
        return value;
      };
    const memoryDesk = createMemoryDesk([CHURN]);
    await memoryDesk.store.saveEpisode(EPISODE);
    const ports: ModelPorts = {
      store: {
        listModels: async () => [...saved],
        currentReference: async () => reference,
        deleteModel: async (model, options) => {
          calls.push(['deleteModel', [model, options]]);
          return model === 'churn' ? { models: 1, predictions: 9 } : {};
        },
        listReferences: note('references', []),
        listReferenceChanges: note('changes', []),
        listVerdicts: note('verdicts', []),
        listGrids: async () => [
          { kind: 'numeric', feature: 'age', cutPoints: [1], quantum: 1 },
          { kind: 'numeric', feature: 'other', cutPoints: [1], quantum: 1 },
        ],
        mergedProfiles: async (query, buckets: readonly Bucket[]) => {
          calls.push(['profiles', { ...query, hours: buckets.length }]);
          return [];
        },
        watermarks: async () => [
          { model: 'churn', modelVersion: '3', firstEventMs: 0, watermarkMs: 100 * HOUR + 5, rows: 9 },
        ],
      },
      registerReference: async ({ path, model, modelVersion, provenance }) => {
        uploads.push({ path, content: readFileSync(path, 'utf8'), provenance });
        return { model: { ...CHURN, model, modelVersion }, reference: REFERENCE };
      },
      rebaseline: note('rebaseline', { model: CHURN, reference: REFERENCE }),
      restore: note('restore', { model: CHURN, reference: REFERENCE }),
      registerQuery: note('query', { model: CHURN, reference: REFERENCE }),
      announce: createAnnouncer({
        store: {
          listModels: async () => [...saved],
          saveModel: async (model) => {
            saved.push(model);
          },
          currentReference: async () => reference,
          deleteModel: async (model, options) => {
            calls.push(['deleteModel', [model, options]]);
            return {};
          },
          listEpisodes: async () => [EPISODE],
          listEvents: async () => [],
          listRetrainings: async () => [],
          saveRetraining: async (retraining) => {
            calls.push(['saveRetraining', retraining]);
          },
        },
        clock: { now: () => NOW_MS },
        logger: { info: () => undefined },
        modelSaved: async () => {
          calls.push(['modelSaved', null]);
        },
      }),
      modelDeleted: async () => {
        calls.push(['modelDeleted', null]);
      },
      nowMs: () => NOW_MS,
      logger: {
        warn: (fields, message) => {
          calls.push([message, fields]);
        },
      },
      buildReport: async ({ model }) => ({ path: `/reports/${model}.html`, summary: 'fine' }),
      maxReferenceBytes: 1_000,
    };
    service = await startHttpService({
      keys: [admin.entry, reader.entry],
      signed: (access) =>
        createMlflowRoutes(
          { store: ports.store, announce: ports.announce, secret: null, nowMs: () => NOW_MS },
          access,
        ),
      api: (access) =>
        createModelRoutes(ports, access)
          .use(createPerformanceRoutes({ performance: async () => NO_PERFORMANCE }, access))
          .use(
            createVersionRoutes(
              {
                compareVersions: async () => comparisonOf(),
                latencies: async ({ model }) => ({ model, versions: [] }),
                skew: async () => NO_SKEW,
              },
              access,
            ),
          )
          .use(
            createConceptDriftRoutes(
              {
                conceptDrift: async ({ model, modelVersion }) => ({ ...NO_ERRORS, model, modelVersion }),
              },
              access,
            ),
          )
          .use(
            createSchemaRoutes(
              {
                schemaChanges: async ({ model, modelVersion }) => ({
                  model,
                  modelVersion,
                  window: { startMs: 0, endMs: HOUR },
                  rows: 0,
                  added: [],
                  removed: [],
                  retyped: [],
                }),
              },
              access,
            ),
          )
          .use(
            createErasureRoutes(
              {
                erase: async (request) => {
                  calls.push(['erase', request]);
                  return {
                    id: 'e1',
                    model: request.model,
                    kind: request.target.kind,
                    atMs: NOW_MS,
                    by: request.by,
                    reason: request.reason,
                    erased: { predictions: 1 },
                    predictionIds: 1,
                  };
                },
                store: { listErasures: note('erasures', []) },
              },
              access,
            ),
          )
          .use(
            createBackupRoutes(
              {
                takeSnapshot: async () => {
                  throw new AppError('invalid_request', 'the store is on a ClickHouse server');
                },
                removeSnapshot: async (id) => id === 'there',
              },
              access,
            ),
          )
          .use(createEstimateRoutes({ estimates: async () => NO_ESTIMATES }, access))
          .use(
            createRejectedRoutes(
              {
                store: { listRejected: async () => [], countRejected: async () => [] },
                redrive: async () => ({ next: null }),
                nowMs: () => 0,
              },
              access,
            ),
          )
          .use(
            createOutlierRoutes(
              {
                listModels: ports.store.listModels,
                listOutliers: async () => ({ outliers: [], next: null }),
              },
              access,
            ),
          )
          .use(
            createEpisodeRoutes(
              {
                store: ports.store,
                desk: memoryDesk.desk,
                retrainings: async () => [RETRAINED],
                publicUrl: '',
              },
              access,
            ),
          )
          .use(
            createPolicySettingRoutes(
              {
                store: {
                  ...ports.store,
                  savePolicy: async () => undefined,
                  policyHistory: async () => [],
                },
                policyOf: () => ({ inForce: {}, ofFile: {}, source: 'file', policyFrom: 'store' }),
                check: () => undefined,
                changed: async () => undefined,
                nowMs: () => NOW_MS,
                logger: createSilentLogger(),
              },
              access,
            ),
          )
          .use(
            createFeedbackRoutes(
              {
                mark: async () => undefined,
                read: async () => ({ detectors: [], trust: null, marks: [] }),
                nowMs: () => NOW_MS,
              },
              access,
            ),
          )
          .use(
            createWhyRoutes(
              { explain: () => Promise.reject(new AppError('not_found', 'nothing was judged')) },
              access,
            ),
          )
          .use(
            createPolicyRoutes(
              {
                store: ports.store,
                logger: createSilentLogger(),
                tune: async () => ({}) as Tuning,
                backtest: async () => ({}) as Backtest,
              },
              access,
            ),
          )
          .use(
            createReportRoutes(
              {
                store: {
                  listReports: note('reports', [{ ...factsOf(), versions: ['3'] }]),
                  findReport: async (model, id) =>
                    id === REPORT && model === 'churn' ? reportOf({ id }) : null,
                },
                runNow: note('report', reportOf({ id: REPORT })),
              },
              access,
            ),
          )
          .use(
            createWebhookRoutes(
              {
                store: ports.store,
                desk: createWebhookDesk({
                  outbox: createMemoryAlertStore().store,
                  hooksFor: () => [],
                  clock: { now: () => NOW_MS, observe: () => undefined },
                  logger: createSilentLogger(),
                  publicUrl: null,
                }),
              },
              access,
            ),
          ),
    });
  });
  afterAll(() => service.stop());
  beforeEach(() => {
    saved = [CHURN, { ...CHURN, model: 'other' }];
    reference = null;
    calls = [];
    uploads = [];
  });

  async function call(
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
    type = 'application/json',
  ) {
    const headers: Record<string, string> = { authorization: `Bearer ${admin.key}` };
    if (type !== '') headers['content-type'] = type;
    const response = await fetch(service.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it('list the models that the key covers', async () => {
    const { body } = await call('GET', '/v1/models');
    expect(body.models).toEqual(saved);
    const narrow = await fetch(`${service.url}/v1/models`, { headers: { 'x-api-key': reader.key } });
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
    expect(calls).toMatchObject([[name, query]]);
  });

  it("read the reference's profiles once there is one, with the grids of the feature", async () => {
    const path = '/v1/models/churn/profiles?version=3&scope=reference&feature=age';
    expect(await call('GET', path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    reference = REFERENCE;
    const { body } = await call('GET', path);
    expect(body).toMatchObject({ scope: 'reference', window: REFERENCE.period, grids: [{ feature: 'age' }] });
    expect(calls).toEqual([['profiles', expect.objectContaining({ scope: 'reference:abc', hours: 2 })]]);
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
    expect(calls).toEqual([]);
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
    expect(calls).toEqual([
      ['deleteModel', ['price', { keepRows: true }]],
      ['modelSaved', null],
    ]);
    expect((await call('PUT', '/v1/models/price/versions/1', JSON.stringify(schema))).status).toBe(200);
    expect(saved).toHaveLength(3);
  });

  it('change a schema only while there is no reference', async () => {
    const schema = JSON.stringify({ task: 'binary', features: [{ name: 'age', kind: 'categorical' }] });
    reference = REFERENCE;
    expect(await call('PUT', '/v1/models/churn/versions/3', schema)).toMatchObject({
      status: 422,
      body: { code: 'invalid_schema' },
    });
    reference = null;
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
    expect(calls.map(([name]) => name)).toEqual(['modelSaved', 'saveRetraining']);
    calls = [];
    const period = { from: '1970-01-01', to: '1970-01-02' };
    const withPeriod = await announced({ retrainedFor: null, reference: { period, reason: 'new' } });
    expect(withPeriod).toMatchObject({ status: 201, body: { reference: { hash: 'abc' }, retrainings: [] } });
    expect(withPeriod.body.reference).not.toHaveProperty('forest');
    const reference = { query: 'SELECT 1' };
    expect((await announced({ retrainedFor: ['e1'], reference }, '5')).status).toBe(201);
    // the columns of a query's answer are the schema: none is saved before
    expect(calls.map(([name]) => name)).toEqual(['rebaseline', 'query', 'saveRetraining']);
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
    expect(calls).toEqual([]);
    expect(saved).toHaveLength(2);
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

  it('delete a model, tell who did it, and take no reader for an admin', async () => {
    expect(await call('DELETE', '/v1/models/churn')).toEqual({
      status: 200,
      body: { model: 'churn', removed: { models: 1, predictions: 9 } },
    });
    expect(calls).toEqual([
      ['deleteModel', ['churn', undefined]],
      ['modelDeleted', null],
      ['model deleted', { model: 'churn', by: admin.entry.id, removed: { models: 1, predictions: 9 } }],
    ]);
    expect(await call('DELETE', '/v1/models/absent')).toMatchObject({
      status: 404,
      body: { code: 'unknown_model' },
    });
    const narrow = await fetch(`${service.url}/v1/models/churn`, {
      method: 'DELETE',
      headers: { 'x-api-key': reader.key },
    });
    expect(narrow.status).toBe(403);
    expect(calls.filter(([name]) => name === 'deleteModel')).toHaveLength(2);
  });

  it.each(['a,b', '<script>', 'x'.repeat(121), 'tab\t'])('refuse the name %p', async (name) => {
    const path = `/v1/models/${encodeURIComponent(name)}/versions/1`;
    expect(await call('PUT', path, '{}')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it.each([
    ['text/csv', 'a,b\n1,2\n', 'csv'],
    ['application/x-ndjson', '{"a":1}\n', 'ndjson'],
    ['application/vnd.apache.parquet', 'PAR1…', 'parquet'],
    ['application/octet-stream', 'PAR1…', 'parquet'],
    ['application/octet-stream', ' {"a":1}', 'ndjson'],
    ['application/octet-stream', 'a,b\n', 'csv'],
  ])('take a reference sent as %s: %j is %s', async (type, content, format) => {
    const { status, body } = await call('PUT', '/v1/models/churn/versions/3/reference', content, type);
    expect(status).toBe(201);
    expect(body.reference).not.toHaveProperty('forest');
    expect(uploads).toMatchObject([{ content, provenance: `uploaded as ${format}` }]);
    expect(uploads[0]?.path.endsWith(`.${format}`)).toBe(true);
    expect(existsSync(uploads[0]?.path ?? '')).toBe(false);
  });

  it('take a compressed reference, and refuse one that is empty, cut, too large or of another type', async () => {
    const put = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
      fetch(`${service.url}/v1/models/churn/versions/3/reference`, {
        method: 'PUT',
        body,
        headers: { authorization: `Bearer ${admin.key}`, 'content-type': 'text/csv', ...headers },
      });
    const gzip = { 'content-encoding': 'gzip' };
    expect((await put(new Uint8Array(gzipSync('a,b\n')), gzip)).status).toBe(201);
    expect(uploads.map(({ content }) => content)).toEqual(['a,b\n']);
    expect((await put('', {})).status).toBe(422);
    expect((await put(new Uint8Array(gzipSync('a,b\n'.repeat(50)).subarray(0, 20)), gzip)).status).toBe(400);
    expect((await put('x'.repeat(1_001), {})).status).toBe(413);
    expect((await put(new Uint8Array(gzipSync('x'.repeat(1_000_000))), gzip)).status).toBe(413);
    expect((await put('x', { 'content-type': 'application/msgpack' })).status).toBe(415);
    expect(uploads).toHaveLength(1);
  });

  it('write reports', async () => {
    const body = JSON.stringify({ model: 'churn', modelVersion: '3', from: '2026-01-01' });
    expect(await call('POST', '/v1/reports', body)).toMatchObject({ status: 201, body: { summary: 'fine' } });
    expect(await call('POST', '/v1/reports', '{')).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });

  it('lists reports, gives each in three forms, and makes one', async () => {
    const get = (path: string, key = reader.key) =>
      fetch(`${service.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    const post = (body: unknown, key: string) =>
      fetch(`${service.url}/v1/models/churn/reports`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const list = (await (await get('/v1/models/churn/reports?schedule=daily&limit=5')).json()) as object;
    expect(list).toMatchObject({
      reports: [{ id: 'rep_1', links: { page: '/models/churn/reports/rep_1' } }],
    });
    expect(calls.at(-1)).toEqual(['reports', { model: 'churn', schedule: 'daily', limit: 5 }]);
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
    expect(calls.at(-1)).toMatchObject(['report', { model: 'churn', schedule: 'daily', announce: true }]);
    expect((await post({ from: '2026-01-01', to: '2026-01-08', version: '3' }, admin.key)).status).toBe(201);
    expect(calls.at(-1)).toMatchObject([
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

  it('describe themselves: each described path and method is there, and the events are as described', async () => {
    const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as ReturnType<
      typeof openapiDocument
    >;
    expect(document).toEqual(JSON.parse(JSON.stringify(openapiDocument())));
    expect(document.openapi).toBe('3.1.0');
    for (const [path, methods] of Object.entries(document.paths))
      for (const method of Object.keys(methods)) {
        const real = path.replace('{model}', 'churn').replace('{version}', '3');
        const response = await fetch(service.url + real, {
          method,
          headers: { authorization: `Bearer ${admin.key}` },
        });
        const text = await response.text();
        expect([path, text.includes('nothing is at')]).toEqual([path, false]);
      }
    expect(predictionEvent.safeParse(EVENT).success).toBe(true);
    expect(labelEvent.safeParse(LABEL).success).toBe(true);
  });
});
