import { join, resolve } from 'node:path';
import { createWebhookDesk } from '../alerts/webhook-desk.js';
import type { RowWriter } from '../collectors/row-writer.js';
import { type Config, modelConfig } from '../config.js';
import { fitNullModel, fitNullModelInTurns } from '../detectors/null-model.js';
import { DAY_MS, END_OF_TIME_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { Access } from '../http/access.js';
import { createBackupRoutes } from '../http/backup-routes.js';
import { createConceptDriftRoutes } from '../http/concept-drift-routes.js';
import { createEpisodeRoutes } from '../http/episode-routes.js';
import { createErasureRoutes } from '../http/erasure-routes.js';
import { createEstimateRoutes } from '../http/estimate-routes.js';
import { createFeedbackRoutes } from '../http/feedback-routes.js';
import { createMlflowRoutes } from '../http/mlflow-routes.js';
import { createModelRoutes } from '../http/model-routes.js';
import { createOutlierRoutes } from '../http/outlier-routes.js';
import { createPageRoutes } from '../http/page-routes.js';
import { createPerformanceRoutes } from '../http/performance-routes.js';
import { createPolicyRoutes } from '../http/policy-routes.js';
import { createPolicySettingRoutes } from '../http/policy-setting-routes.js';
import { createReportRoutes } from '../http/report-routes.js';
import { createSchemaRoutes } from '../http/schema-routes.js';
import { createVersionRoutes } from '../http/version-routes.js';
import { createWebhookRoutes } from '../http/webhook-routes.js';
import { createWhyRoutes } from '../http/why-routes.js';
import { createAnnouncer } from '../jobs/announce-version.js';
import { buildReport } from '../jobs/build-report.js';
import { createFeedback } from '../jobs/feedback.js';
import { createLatencyReader } from '../jobs/read-latencies.js';
import { createSchemaReader } from '../jobs/read-schema-changes.js';
import { createRebaseliner, type RebaselineDeps } from '../jobs/rebaseline.js';
import { createQueryRegistrar } from '../jobs/register-query.js';
import {
  createReferenceRegistrar,
  type RegisterReferenceDeps,
  type RegisterReferenceInput,
} from '../jobs/register-reference.js';
import { createSkewReader } from '../jobs/training-skew.js';
import { assertSameRules, treatDeclared } from '../jobs/treat-reference.js';
import { wireEpisodeDesk } from './episodes.js';
import { wireEraser } from './erasures.js';
import { createForestFitter } from './forests.js';
import { createMultivariateFitter } from './multivariate.js';
import type { Parts } from './parts.js';
import { policySettings, wirePolicy } from './policy.js';
import { privacySettings } from './privacy.js';
import { reportSources, wireReports } from './reports.js';
import { createPause } from './turns.js';
import { createHooks, type Hooks, mlflowSecret, publicUrlOf } from './webhooks.js';

function reportsDirectoryOf({ reports, store }: Config): string {
  return resolve(reports.dir ?? ('dataDir' in store ? join(store.dataDir, 'reports') : 'reports'));
}

/** The API role: registration, what is known of models, pages and reports. */
export function wireApi(parts: Parts, access: Access, writer: RowWriter | null) {
  const { config, store, registry, logger, clock, wallClock } = parts;
  const reportsDirectory = reportsDirectoryOf(config);
  const referenceDeps: RegisterReferenceDeps & RebaselineDeps = {
    store,
    wallClock,
    logger,
    // Somebody registers a reference while others ask.
    fitNullModel: (input) => fitNullModelInTurns(input, createPause({ turnMs: 5 })),
    fitForest: createForestFitter(parts.tasks),
    fitMultivariate: createMultivariateFitter(parts.tasks),
    multivariateSettings: (model) => modelConfig(config, model).multivariate,
    windowMs: (model) => modelConfig(config, model).window.length,
    forestSettings: (model) => modelConfig(config, model).outliers,
    segments: (model) => modelConfig(config, model).segments,
    positiveClass: (model) => modelConfig(config, model).performance.positiveClass,
  };
  const privacy = privacySettings(config);
  const register = createReferenceRegistrar({ ...referenceDeps, privacy });
  // Made when first asked for: a process of this role alone starts without the secrets of the hooks.
  let hooks: Hooks | null = null;
  const madeHooks = () => {
    hooks ??= createHooks(config, wallClock);
    return hooks;
  };
  const desk = createWebhookDesk({
    outbox: store,
    hooksFor: (model) => madeHooks().hooksFor(model),
    clock: wallClock,
    logger,
    publicUrl: publicUrlOf(config),
  });
  const sources = reportSources(parts);
  const { explain, known, compareVersions, retrainings } = sources;
  const { performance, estimates, conceptDrift } = known;
  const rebaseliner = createRebaseliner({
    ...referenceDeps,
    minimumMaturity: (model) => modelConfig(config, model).performance.minimumMaturity,
  });
  const versions = {
    compareVersions,
    latencies: createLatencyReader({ store }),
    skew: createSkewReader({ store, fitNullModel }),
  };
  const schemaChanges = createSchemaReader({ store });
  const episodes = wireEpisodeDesk(parts);

  /** A report of a period, by default of all that was judged. */
  async function report(request: { model: string; modelVersion: string; period: Window | null }) {
    const runs = await store.listRuns(request, 0, END_OF_TIME_MS);
    const all = {
      startMs: runs[0]?.window.startMs ?? clock.now() - DAY_MS,
      endMs: runs.at(-1)?.window.endMs ?? clock.now(),
    };
    const period = {
      startMs: Math.max(request.period?.startMs ?? 0, all.startMs),
      endMs: Math.min(request.period?.endMs ?? END_OF_TIME_MS, all.endMs),
    };
    if (period.startMs >= period.endMs)
      throw new AppError('invalid_request', 'nothing was judged in this period: choose another');
    return buildReport(
      { store, clock, explain, performance: known, compareVersions, retrainings },
      { ...request, period, directory: reportsDirectory },
    );
  }

  /** Its events are taken at once. */
  async function registerReference(input: RegisterReferenceInput) {
    const registered = await register(input);
    await registry.refresh();
    return registered;
  }

  const reports = wireReports(parts, sources, madeHooks);

  const announce = createAnnouncer({
    store,
    clock: wallClock,
    logger,
    modelSaved: () => registry.refresh(),
    treatDeclared: (model, declared, versions) => {
      const features = treatDeclared(privacy, model, declared, versions);
      assertSameRules(versions, features, 'invalid_schema');
      return features;
    },
  });

  return {
    report,
    routes: createModelRoutes(
      {
        store,
        registerReference,
        registerQuery: createQueryRegistrar({ store, registerReference }),
        rebaseline: rebaseliner.rebaseline,
        restore: rebaseliner.restore,
        announce,
        modelDeleted: async () => {
          await registry.refresh();
          await parts.policies.refresh();
        },
        nowMs: wallClock.now,
        logger,
        buildReport: async (request) => {
          const { path, summary } = await report(request);
          return { path, summary };
        },
      },
      access,
    )
      .use(createOutlierRoutes(store, access))
      .use(
        createEpisodeRoutes({ store, desk: episodes, retrainings, publicUrl: publicUrlOf(config) }, access),
      )
      .use(createPolicySettingRoutes(policySettings(parts), access))
      .use(createFeedbackRoutes({ ...createFeedback(store), nowMs: wallClock.now }, access))
      .use(createPolicyRoutes(wirePolicy(parts), access))
      .use(createWebhookRoutes({ store, desk }, access))
      .use(createReportRoutes({ store, runNow: reports.runNow }, access))
      .use(createWhyRoutes({ explain }, access))
      .use(createPerformanceRoutes({ performance }, access))
      .use(createVersionRoutes(versions, access))
      .use(createEstimateRoutes({ estimates }, access))
      .use(createConceptDriftRoutes({ conceptDrift }, access))
      .use(createSchemaRoutes({ schemaChanges }, access))
      .use(createErasureRoutes({ store, erase: wireEraser(parts, writer, reportsDirectory) }, access))
      .use(createBackupRoutes(store, access)),
    signed: createMlflowRoutes(
      {
        store,
        announce,
        secret: mlflowSecret(config),
        alias: config.webhooks.mlflow?.alias,
        nowMs: wallClock.now,
      },
      access,
    ),
    pages: createPageRoutes({
      store,
      clock,
      reportsDirectory,
      explain,
      performance: known,
      versions,
      schemaChanges,
      retrainings,
      episodes,
      reports: store,
    }),
  };
}
