import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Logger, Store } from '../domain/ports.js';
import { createCallHalfStore } from './call-half-store.js';
import { assertDedup, checkStore } from './check-store.js';
import { createStoreClient, type StoreClient, type StoreLocation } from './client.js';
import { assertFinished } from './data-dir.js';
import { createEpisodeStore } from './episode-store.js';
import { createErasureStore } from './erasure-store.js';
import { createErrorStreamStore } from './error-stream-store.js';
import { createFeedbackStore } from './feedback-store.js';
import { createGridStore } from './grid-store.js';
import { createKnownIdentities } from './known-identities.js';
import { createLeaseStore } from './lease-store.js';
import { createLogAuditStore } from './log-audit-store.js';
import { createMergedProfiles } from './merged-profiles.js';
import { migrate } from './migrate.js';
import { createModelDeletion } from './model-deletion.js';
import { createModelStore } from './model-store.js';
import { createOutboxStore } from './outbox-store.js';
import { createOutlierStore } from './outlier-store.js';
import { createPerformanceCounts } from './performance-counts.js';
import { createPerformanceStore } from './performance-store.js';
import { createPeriodStore } from './period-store.js';
import { createPolicyStore } from './policy-store.js';
import { createProfileCounter } from './profile-counter.js';
import { createProfileSeries } from './profile-series.js';
import { createProfileStore } from './profile-store.js';
import { createQuerySource } from './query-source.js';
import { createReferenceReader } from './reference-reader.js';
import { createReferenceSampleStore } from './reference-sample-store.js';
import { createRejectedStore } from './rejected-store.js';
import { createRemoteReferenceReader } from './remote-reference-reader.js';
import { createReportStore } from './report-store.js';
import { createRetrainingStore } from './retraining-store.js';
import { createRevisions } from './revisions.js';
import { createRowStore } from './row-store.js';
import { createSegmentStore } from './segment-store.js';
import { createSnapshotStore, removeAbandoned } from './snapshots.js';
import { createStatsStore } from './stats-store.js';
import { createVerdictStore } from './verdict-store.js';
import { createVersionPairs } from './version-pairs.js';
import { createWindowProfiles } from './window-profiles.js';
import { createWriteGate, gated } from './write-gate.js';
import { createWriteHealth } from './write-health.js';

export type StoreOptions = StoreLocation & {
  readonly logger: Logger;
  /** Real time, ms; never the clock that follows the data. */
  readonly wallClock?: () => number;
};

/** One connection each, so that no one waits behind another's long statement. */
const TIMEOUTS_MS = { ingest: 30_000, jobs: 600_000, api: 30_000 } as const;

/**
 * Merging cost four times as much as inserting: the engine counts a small part as 5 MB, so that one of a million rows was merged again with
 * every 32 new ones. Now it waits for 32 parts, and for 40 times the largest of them, and a day without new parts becomes one part: of
 * 1.5 million rows in inserts of 5,000 a row is merged 1.5 times instead of 4.9. Larger blocks make a merge 40 % cheaper; they stay below
 * merge_max_block_size_bytes. A server is its operator's to tune.
 */
const MERGE_LATER = ['predictions', 'labels'].map(
  (table) =>
    `ALTER TABLE ${table} MODIFY SETTING min_parts_to_merge_at_once = 32, merge_selector_base = 40, merge_max_block_size = 32768, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1`,
);

const TIDY_MS = 600_000;

/**
 * Opens the store; `migrate()` must have run once before rows go in. Throws data_dir_in_use or data_dir_unusable
 * (embedded), store_unavailable (server).
 */
export async function createStore(options: StoreOptions): Promise<Store> {
  const { logger, wallClock = Date.now } = options;
  const gate = createWriteGate();
  const dataDir = options.kind === 'embedded' ? resolve(options.dataDir) : null;
  const health = createWriteHealth({
    dataDir,
    probe: () => api.insert('insert_probe', [{ token: randomUUID() }]),
  });
  if (dataDir !== null) assertFinished(dataDir);
  const { ingest, jobs, counting, api, ungated, close } = await openClients(options, (client) =>
    health.watched(gated(client, gate)),
  );
  // Of a backup that was cut short.
  if (dataDir !== null)
    await removeAbandoned(dataDir, 0).catch(async (error) => {
      await close();
      throw error;
    });
  const tidying = setInterval(() => {
    if (dataDir === null) return;
    removeAbandoned(dataDir).catch((err: unknown) =>
      logger.warn({ err }, 'cannot remove a snapshot that nobody copies'),
    );
  }, TIDY_MS).unref();
  const revisions = createRevisions(api, wallClock);
  const models = createModelStore(api, revisions.next);
  const grids = createGridStore(jobs, revisions.next);
  const counter = createProfileCounter(jobs, grids);
  const knownIn = (table: 'predictions' | 'labels', column: 'identity' | 'fingerprint') =>
    createKnownIdentities({ client: jobs, table, column, logger, wallClock });
  // A data directory belongs to one process; others may write to a server.
  const known =
    options.kind === 'embedded'
      ? { predictions: knownIn('predictions', 'identity'), labels: knownIn('labels', 'fingerprint') }
      : null;

  return {
    ...createRowStore(ingest, wallClock, known),
    // Not the connection that inserts: it would be asked about an insert when that has ended.
    ...createLogAuditStore(api),
    ...models,
    ...createModelDeletion(jobs),
    ...createErasureStore(jobs, revisions.next, wallClock),
    ...createSnapshotStore(ungated, gate, dataDir),
    saveGrids: grids.saveGrids,
    listGrids: grids.listGrids,
    ...createProfileStore(jobs, grids, counter, revisions.next, {
      client: counting,
      counter: createProfileCounter(counting, grids),
    }),
    ...createMergedProfiles(jobs, grids),
    ...createWindowProfiles(jobs, grids),
    ...createProfileSeries(jobs, grids),
    ...(options.kind === 'embedded'
      ? createReferenceReader(jobs, counter, revisions.next)
      : createRemoteReferenceReader(jobs, revisions.next)),
    ...createQuerySource(jobs),
    ...createSegmentStore(jobs, grids, counter, revisions.next),
    ...createPerformanceStore(jobs, revisions.next),
    ...createPerformanceCounts(jobs),
    ...createVersionPairs(jobs),
    ...createPeriodStore(jobs, revisions.next),
    ...createReferenceSampleStore(jobs, revisions.next),
    ...createCallHalfStore(jobs),
    ...createRejectedStore(api),
    ...createOutlierStore(jobs),
    ...createVerdictStore(api, revisions.next),
    ...createErrorStreamStore(jobs, revisions.next),
    ...createEpisodeStore(api, revisions),
    ...createFeedbackStore(api, revisions.next),
    ...createPolicyStore(api, revisions.next),
    ...createRetrainingStore(api, revisions.next),
    ...createReportStore(jobs, revisions.next),
    ...createOutboxStore(api, revisions.next),
    ...createLeaseStore(api, revisions.catchUp),
    ...createStatsStore(jobs),
    migrate: async () => {
      const result = await migrate(jobs);
      if (options.kind === 'embedded') for (const statement of MERGE_LATER) await jobs.command(statement);
      await assertDedup(jobs);
      await revisions.catchUp();
      if (result.applied.length > 0) logger.info({ applied: result.applied }, 'the store was migrated');
      return result;
    },
    check: () => checkStore(api),
    ping: () => api.ping(),
    ready: async () => {
      await api.ping();
      await health.assertWritable();
    },
    close: async () => {
      clearInterval(tidying);
      await Promise.all([known?.predictions.close(), known?.labels.close()]);
      await close();
    },
  };
}

async function openClients(location: StoreLocation, wrap: (client: StoreClient) => StoreClient) {
  const opened: StoreClient[] = [];
  const open = async (timeoutMs: number) => {
    const client = await createStoreClient({ ...location, timeoutMs });
    opened.push(client);
    return client;
  };
  const close = async () => {
    for (const client of opened) await client.close();
  };
  try {
    const [ingest, jobs, counting, api] = [
      await open(TIMEOUTS_MS.ingest),
      await open(TIMEOUTS_MS.jobs),
      // Hours are counted while windows are judged.
      await open(TIMEOUTS_MS.jobs),
      await open(TIMEOUTS_MS.api),
    ];
    return {
      ingest: wrap(ingest),
      jobs: wrap(jobs),
      counting: wrap(counting),
      api: wrap(api),
      ungated: api,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
