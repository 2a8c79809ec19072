import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createWebhookDesk } from '../../../src/alerts/webhook-desk.js';
import type { Backtest } from '../../../src/domain/backtest.js';
import type { Tuning } from '../../../src/domain/tuning.js';
import { AppError } from '../../../src/errors.js';
import { createBackupRoutes } from '../../../src/http/backup-routes.js';
import { createConceptDriftRoutes } from '../../../src/http/concept-drift-routes.js';
import { createErasureRoutes } from '../../../src/http/erasure-routes.js';
import { createEstimateRoutes } from '../../../src/http/estimate-routes.js';
import { createFeedbackRoutes } from '../../../src/http/feedback-routes.js';
import { createMlflowRoutes } from '../../../src/http/mlflow-routes.js';
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
import { EVENT, LABEL, NOW_MS } from '../../support/http-service.js';
import { createMemoryAlertStore } from '../../support/memory-alert-store.js';
import { createModelService, type ModelServiceOptions } from '../../support/model-service.js';
import { NO_ERRORS, NO_ESTIMATES, NO_PERFORMANCE } from '../../support/performance-rows.js';
import { reportOf } from '../../support/reports.js';
import { createSilentLogger } from '../../support/silent-logger.js';
import { comparisonOf, NO_SKEW } from '../../support/version-comparison.js';

const HOUR = 3_600_000;

/** Every route that is not of models and episodes, with nothing much behind it. */
const everyOther: ModelServiceOptions['further'] = (access, { ports }) => [
  createPerformanceRoutes({ performance: async () => NO_PERFORMANCE }, access),
  createVersionRoutes(
    {
      compareVersions: async () => comparisonOf(),
      latencies: async ({ model }) => ({ model, versions: [] }),
      skew: async () => NO_SKEW,
    },
    access,
  ),
  createConceptDriftRoutes(
    {
      conceptDrift: async ({ model, modelVersion }) => ({ ...NO_ERRORS, model, modelVersion }),
    },
    access,
  ),
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
  createErasureRoutes(
    {
      erase: async ({ model, target, by, reason }) => ({
        ...{ id: 'e1', model, kind: target.kind, atMs: NOW_MS, by, reason },
        ...{ erased: { predictions: 1 }, predictionIds: 1 },
      }),
      store: { listErasures: async () => [] },
    },
    access,
  ),
  createBackupRoutes(
    {
      takeSnapshot: async () => {
        throw new AppError('invalid_request', 'the store is on a ClickHouse server');
      },
      removeSnapshot: async (id) => id === 'there',
    },
    access,
  ),
  createEstimateRoutes({ estimates: async () => NO_ESTIMATES }, access),
  createRejectedRoutes(
    {
      store: { listRejected: async () => [], countRejected: async () => [] },
      redrive: async () => ({ next: null }),
      nowMs: () => 0,
    },
    access,
  ),
  createOutlierRoutes(
    {
      listModels: ports.store.listModels,
      listOutliers: async () => ({ outliers: [], next: null }),
    },
    access,
  ),
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
  createFeedbackRoutes(
    {
      mark: async () => undefined,
      read: async () => ({ detectors: [], trust: null, marks: [] }),
      nowMs: () => NOW_MS,
    },
    access,
  ),
  createWhyRoutes({ explain: () => Promise.reject(new AppError('not_found', 'nothing was judged')) }, access),
  createPolicyRoutes(
    {
      store: ports.store,
      logger: createSilentLogger(),
      tune: async () => ({}) as Tuning,
      backtest: async () => ({}) as Backtest,
    },
    access,
  ),
  createReportRoutes(
    {
      store: { listReports: async () => [], findReport: async () => null },
      runNow: async () => reportOf(),
    },
    access,
  ),
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
];

describe('the routes', () => {
  const service = createModelService({
    signed: (access, { ports: { store, announce } }) =>
      createMlflowRoutes({ store, announce, secret: null, nowMs: () => NOW_MS }, access),
    further: everyOther,
  });
  const { admin } = service;
  beforeAll(service.start);
  afterAll(service.stop);
  beforeEach(service.reset);

  it('describe themselves: each described path and method is there, and the events are as described', async () => {
    const document = (await (await fetch(`${service.url()}/openapi.json`)).json()) as ReturnType<
      typeof openapiDocument
    >;
    expect(document).toEqual(JSON.parse(JSON.stringify(openapiDocument())));
    expect(document.openapi).toBe('3.1.0');
    for (const [path, methods] of Object.entries(document.paths))
      for (const method of Object.keys(methods)) {
        const real = path.replace('{model}', 'churn').replace('{version}', '3');
        const response = await fetch(service.url() + real, {
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
