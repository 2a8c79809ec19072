import { resolve } from 'node:path';
import { createDataClock, createWallClock } from './clock.js';
import { type Config, privacyKey, readSecret } from './config.js';
import type { Logger, Store } from './domain/ports.js';
import { messageOf } from './errors.js';
import { createAccess, readKeysFile } from './http/access.js';
import { createHttpServer } from './http/server.js';
import { createModelRegistry } from './jobs/model-registry.js';
import { createScheduler } from './jobs/scheduler.js';
import { createLogger } from './logger.js';
import { createMetrics } from './metrics.js';
import { createStore } from './store/store.js';
import { wireApi } from './wiring/api.js';
import { wireCollection } from './wiring/collection.js';
import { wireCoordinator } from './wiring/coordinator.js';
import { wireDetection } from './wiring/detection.js';
import { createKnownErasures, wireTargetReader } from './wiring/erasures.js';
import { PAIRING, wirePairing } from './wiring/pairing.js';
import { followStore, type Parts } from './wiring/parts.js';
import { createKnownPolicies } from './wiring/policy.js';
import { warnOfPolicies, wirePrivacy } from './wiring/privacy.js';
import { createTaskRunner } from './wiring/tasks.js';

const REGISTRY_CRON = '*/5 * * * * *';
/** Each look for them goes through the labels of a model. */
const REFUSED_LABELS_CRON = '25 * * * * *';

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

/**
 * Wires the roles that the configuration names, all by default; processes with different roles share one store. Nothing
 * runs before `start`; `stop` ends it in the reverse order and may be called twice.
 */
export async function createApp(config: Config) {
  const logger = createLogger(config.log);
  const metrics = createMetrics();
  const wallClock = createWallClock();
  const clock = config.clock === 'data' ? createDataClock() : wallClock;
  const keys = config.http.keysFile === undefined ? null : readKeysFile(config.http.keysFile);
  const access = createAccess(keys);

  const key = privacyKey(config);

  const store = await openStore(config, logger);
  const registry = createModelRegistry(store);
  const tasks = createTaskRunner(config.jobs.threads);
  const privacy = wirePrivacy({ config, registry, metrics }, key);
  const erasures = createKnownErasures(store, wireTargetReader(config));
  const policies = createKnownPolicies({ config, store, logger });
  const parts: Parts = {
    config,
    store,
    registry,
    metrics,
    logger,
    clock,
    wallClock,
    tasks,
    privacy,
    erasures,
    policies,
  };

  async function wire() {
    await store.migrate();
    await followStore(parts);
    await registry.refresh();
    await erasures.refresh();
    await policies.refresh();
    await warnOfPolicies(parts);
    const has = (role: Config['roles'][number]) => config.roles.includes(role);
    const collection = has('collector') ? wireCollection(parts, access) : null;
    const coordinator = has('detector') ? wireCoordinator(parts) : null;
    return {
      collection,
      detection: coordinator === null ? null : wireDetection(parts, coordinator),
      pairing: coordinator === null ? null : wirePairing(parts, collection?.writer ?? null, coordinator),
      api: has('api') ? wireApi(parts, access, collection?.writer ?? null) : null,
    };
  }
  const { collection, detection, pairing, api } = await wire().catch(async (error: unknown) => {
    await store.close();
    throw error;
  });

  async function removeRefusedLabels() {
    const labels = await store.removeRefusedLabels();
    if (labels > 0) logger.warn({ labels }, 'labels of an erased subject were removed');
  }
  const scheduler = createScheduler({
    jobs: [
      {
        name: 'registry',
        cron: REGISTRY_CRON,
        run: async () => {
          await registry.refresh();
          await erasures.refresh();
          await policies.refresh();
          await followStore(parts);
        },
      },
      { name: 'refused-labels', cron: REFUSED_LABELS_CRON, run: removeRefusedLabels },
      ...(detection === null ? [] : detection.jobs),
      ...(pairing === null ? [] : [pairing]),
    ],
    metrics,
    logger,
    nowMs: wallClock.now,
  });
  const server = createHttpServer({
    ...config.http,
    hasKeys: keys !== null,
    access,
    metrics,
    logger,
    beforeScrape: () => detection?.hideStale(),
    ready: store.ready,
    checks: () => [...(collection?.checks() ?? []), ...(detection?.checks() ?? [])],
    ingest: collection?.ingest,
    rejected: collection?.rejected,
    signed: api?.signed,
    api: api?.routes,
    pages: api?.pages,
  });

  let stopping: Promise<void> | null = null;

  return {
    store,
    metrics,

    async start(): Promise<{ url: string }> {
      await detection?.start();
      const { url } = await server.start();
      scheduler.start();
      collection?.start();
      return { url };
    },

    /** Resolves when nothing is left to profile, score, judge, report or deliver. */
    async settle(): Promise<void> {
      if (detection === null) throw new TypeError('this process has no detector role');
      if (pairing !== null) await scheduler.runNow(PAIRING);
      await detection.settle((job) => scheduler.runNow(job));
    },

    buildReport: async (model: string, modelVersion: string) => {
      if (api === null) throw new TypeError('this process has no api role');
      return (await api.report({ model, modelVersion, period: null })).path;
    },

    stop(): Promise<void> {
      stopping ??= (async () => {
        const steps: [string, () => Promise<void> | undefined][] = [
          ['server', () => server.stop()],
          ['collection', () => collection?.stop()],
          ['scheduler', () => scheduler.stop()],
          ['dispatcher', () => detection?.stop()],
          ['workers', () => tasks.stop()],
          ['store', () => store.close()],
        ];
        for (const [what, step] of steps) {
          try {
            await step();
          } catch (error) {
            logger.error({ what, error: messageOf(error) }, 'could not be stopped');
          }
        }
      })();
      return stopping;
    },
  };
}

export type App = Awaited<ReturnType<typeof createApp>>;
