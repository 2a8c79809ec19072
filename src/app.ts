import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { createAlertEngine } from './alerts/alert-engine.js';
import { createDispatcher } from './alerts/dispatcher.js';
import { createVerdictGauges } from './alerts/prometheus.js';
import type { Sink } from './alerts/sink.js';
import { createWebhookSink } from './alerts/webhook-sink.js';
import { createDataClock, createWallClock } from './clock.js';
import type { DecodeContext } from './collectors/decode-event.js';
import { decodeLabel } from './collectors/decode-label.js';
import { decodePrediction } from './collectors/decode-prediction.js';
import { createRowWriter } from './collectors/row-writer.js';
import { createSharedInserts } from './collectors/shared-inserts.js';
import { type Config, modelConfig, readSecret } from './config.js';
import { fitNullModel } from './detectors/null-model.js';
import type { Logger, Store } from './domain/ports.js';
import type { RowSource } from './domain/prediction.js';
import { DAY_MS, END_OF_TIME_MS, type Window } from './domain/window.js';
import { AppError, messageOf } from './errors.js';
import { createAccess, readKeysFile } from './http/access.js';
import { createIngestRoutes } from './http/ingest-routes.js';
import { createModelRoutes } from './http/model-routes.js';
import { createPageRoutes } from './http/page-routes.js';
import { createHttpServer } from './http/server.js';
import { buildReport } from './jobs/build-report.js';
import { createWindowJudge } from './jobs/judge-window.js';
import { createModelRegistry } from './jobs/model-registry.js';
import { createReferenceRegistrar } from './jobs/register-reference.js';
import { createCycle } from './jobs/run-cycle.js';
import { createScheduler } from './jobs/scheduler.js';
import { createOutlierScorer } from './jobs/score-outliers.js';
import { createLogger } from './logger.js';
import { createMetrics } from './metrics.js';
import { serialiseForest } from './stats/forest-codec.js';
import { fitForestModel } from './stats/forest-model.js';
import { createStore } from './store/store.js';

const REGISTRY_CRON = '*/5 * * * * *';
const DETECTION = 'detection';

/** Opens the store that the configuration names; migrations are the caller's. */
export function openStore(config: Config, logger: Logger = createLogger(config.log)): Promise<Store> {
  const { store } = config;
  return 'dataDir' in store
    ? createStore({ kind: 'embedded', dataDir: resolve(store.dataDir), logger })
    : createStore({
        kind: 'http',
        url: store.url,
        database: store.database,
        username: store.username,
        password: store.passwordEnv === undefined ? '' : readSecret({ secretEnv: store.passwordEnv }),
        logger,
      });
}

/** Wires the whole service. Nothing runs before `start`; `stop` ends it in the reverse order and may be called twice. */
export async function createApp(config: Config) {
  const logger = createLogger(config.log);
  const metrics = createMetrics();
  const wallClock = createWallClock();
  const clock = config.clock === 'data' ? createDataClock() : wallClock;
  const settings = (model: string) => modelConfig(config, model);
  const keys = config.http.keysFile === undefined ? null : readKeysFile(config.http.keysFile);
  const sinks = createSinks(config, wallClock);
  const reportsDirectory = resolve(
    config.reports.dir ?? ('dataDir' in config.store ? join(config.store.dataDir, 'reports') : 'reports'),
  );

  const store = await openStore(config, logger);
  try {
    await store.migrate();
    for (const { watermarkMs } of await store.watermarks()) clock.observe(watermarkMs);
  } catch (error) {
    await store.close();
    throw error;
  }

  const registry = createModelRegistry(store);
  await registry.refresh();
  const writer = createRowWriter({ store, metrics, clock, logger });
  const sharedInserts = createSharedInserts({ writer, tokenPrefix: `http/${randomUUID()}` });
  const decodeContext = (source: RowSource): DecodeContext => ({
    featureKinds: registry.featureKinds,
    nowMs: wallClock.now(),
    earliestMs: (model) => Date.parse(settings(model).earliest),
    source,
    defaultId: null,
  });

  const gauges = createVerdictGauges({ metrics, logger });
  const alerts = createAlertEngine({
    store,
    policyFor: (model) => {
      const { policy, window } = settings(model);
      const [openCount, openWindows] = policy.open.split('of').map(Number);
      return {
        openCount: openCount ?? 1,
        openWindows: openWindows ?? 1,
        closeCount: policy.close,
        cooldownMs: policy.cooldown,
        stepMs: window.step,
      };
    },
    retrainFor: (model) => settings(model).retrain ?? null,
    gauges,
    clock,
    logger,
    publicUrl: config.http.publicUrl?.replace(/\/+$/, '') ?? `http://${config.http.host}:${config.http.port}`,
  });
  const dispatcher = createDispatcher({
    outbox: store,
    sinkFor: (event) => sinks(event.model),
    clock: wallClock,
    logger,
    metrics,
    random: Math.random,
  });

  const judge = createWindowJudge({ store, clock });
  const outliers = createOutlierScorer({ store, logger });
  const cycle = createCycle({
    store,
    judge: judge.judge,
    record: judge.record,
    scoreOutliers: (model, reference) => outliers.score(model, reference),
    alerts,
    gauges,
    metrics,
    settings: (model) => {
      const { window, policy } = settings(model);
      return {
        window: { lengthMs: window.length, stepMs: window.step, latenessMs: window.lateness },
        level: policy.level,
      };
    },
    clock,
    logger,
  });
  let lastCycle = { hoursProfiled: 0, rowsScored: 0, windowsJudged: 0 };
  const scheduler = createScheduler({
    jobs: [
      {
        name: DETECTION,
        cron: config.jobs.cron,
        run: async () => {
          lastCycle = await cycle.run();
        },
        lastSuccess: metrics.lastSuccess,
      },
      { name: 'registry', cron: REGISTRY_CRON, run: () => registry.refresh() },
    ],
    metrics,
    logger,
    nowMs: wallClock.now,
  });

  const register = createReferenceRegistrar({
    store,
    wallClock,
    logger,
    fitNullModel,
    fitForest: (columns, rows, options) => serialiseForest(fitForestModel(columns, rows, options)),
    windowMs: (model) => settings(model).window.length,
  });

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
    return buildReport({ store, clock }, { ...request, period, directory: reportsDirectory });
  }

  const access = createAccess(keys);
  const server = createHttpServer({
    ...config.http,
    hasKeys: keys !== null,
    access,
    metrics,
    logger,
    ready: () => store.ping(),
    ingest: createIngestRoutes(
      {
        decodePrediction: (value, source) => decodePrediction(value, decodeContext(source)),
        decodeLabel: (value, source) => decodeLabel(value, decodeContext(source)),
        submit: sharedInserts.submit,
      },
      access,
    ),
    api: createModelRoutes(
      {
        store,
        registerReference: async (input) => {
          const registered = await register(input);
          await registry.refresh();
          return registered;
        },
        buildReport: async (request) => {
          const { path, summary } = await report(request);
          return { path, summary };
        },
      },
      access,
    ),
    pages: createPageRoutes({ store, clock, reportsDirectory }),
  });

  let stopping: Promise<void> | null = null;

  return {
    store,
    metrics,

    async start(): Promise<{ url: string }> {
      await gauges.restore(store, clock);
      const { url } = await server.start();
      scheduler.start();
      dispatcher.start();
      return { url };
    },

    /** Resolves when nothing is left to profile, score, judge or deliver. */
    async settle(): Promise<void> {
      do {
        const { ok } = await scheduler.runNow(DETECTION);
        if (!ok) throw new AppError('store_unavailable', 'the detection job failed: the log says why');
      } while (lastCycle.hoursProfiled + lastCycle.rowsScored + lastCycle.windowsJudged > 0);
      await dispatcher.deliverDue();
    },

    buildReport: async (model: string, modelVersion: string) =>
      (await report({ model, modelVersion, period: null })).path,

    stop(): Promise<void> {
      stopping ??= (async () => {
        const steps: [string, () => Promise<void>][] = [
          ['server', () => server.stop()],
          ['inserts', () => sharedInserts.stop()],
          ['scheduler', () => scheduler.stop()],
          ['dispatcher', () => dispatcher.stop()],
          ['store', () => store.close()],
        ];
        for (const [what, step] of steps)
          await step().catch((error: unknown) =>
            logger.error({ what, error: messageOf(error) }, 'could not be stopped'),
          );
      })();
      return stopping;
    },
  };
}

export type App = Awaited<ReturnType<typeof createApp>>;

/** One sink per configured webhook. Secrets are read now, so that a missing one is found at the start. */
function createSinks(
  config: Config,
  clock: ReturnType<typeof createWallClock>,
): (model: string) => Sink | null {
  const sinkOf = (retrain: Config['defaults']['retrain']) =>
    retrain === undefined
      ? null
      : createWebhookSink({ url: retrain.url, secret: readSecret(retrain), clock });
  const byModel = new Map(
    Object.entries(config.models).map(([name, model]) => [name, sinkOf(model.retrain)]),
  );
  const fallback = sinkOf(config.defaults.retrain);
  return (model) => (byModel.has(model) ? (byModel.get(model) ?? null) : fallback);
}
