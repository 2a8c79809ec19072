import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogCommit, LogSource } from '../../src/collectors/log-source.js';
import { decodeProgress, encodeProgress } from '../../src/collectors/partition-progress.js';
import type { LogAuditStore, RowBatch, RowStore } from '../../src/domain/row-ports.js';

/** Where a delivery can be struck: before and after each of its steps, between the inserts of a batch, and in the middle of them. */
export const FAILPOINTS = [
  'after_buffer',
  'after_pending',
  'between_inserts',
  'mid_insert',
  'after_insert',
  'after_commit',
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

/** Mistakes made on purpose, for runs that must be found out. */
export type Mistake = 'random_tokens' | 'commit_first' | 'skip_errors' | 'blind_repair';

export interface CollectorFaults {
  /** Strikes the nth time the point is reached, with this signal (SIGKILL when left out). */
  readonly failpoint?: {
    readonly point: Failpoint;
    readonly nth: number;
    readonly signal?: 'SIGKILL' | 'SIGSTOP';
  };
  readonly mistake?: Mistake;
  /** Most records that are taken of a fetch: ranges become as small. */
  readonly recordsPerTake?: number;
}

type FaultyStore = RowStore & LogAuditStore;

/** The ports of a collector, with a failpoint or a mistake in them. Lines `failpoint NAME` and `step STEP` tell what it was about to do. */
export function withFaults<Store extends FaultyStore>(
  ports: { readonly source: LogSource; readonly store: Store },
  faults: CollectorFaults,
): { source: LogSource; store: Store } {
  const { source, store } = ports;
  const { failpoint, mistake, recordsPerTake = Number.POSITIVE_INFINITY } = faults;
  let reached = 0;

  /** Whether this is the visit that is struck. */
  const arrives = (point: Failpoint) => {
    if (failpoint?.point !== point) return false;
    reached += 1;
    return reached === failpoint.nth;
  };
  const strike = async (point: Failpoint) => {
    writeSync(1, `failpoint ${point}\n`);
    process.kill(process.pid, failpoint?.signal ?? 'SIGKILL');
    // The signal comes in its own time; a stopped process goes on from here when it is woken.
    await delay(50);
  };
  const reach = async (point: Failpoint) => {
    if (arrives(point)) await strike(point);
  };
  const step = (name: string) => writeSync(1, `step ${name}\n`);

  const commit = async (generation: number, given: LogCommit) => {
    const progress = decodeProgress(given.metadata);
    const pending = progress?.pending ?? null;
    await reach(pending === null ? 'after_insert' : 'after_buffer');
    const sent =
      mistake === 'commit_first' && progress !== null && pending !== null
        ? { ...given, offset: pending.end + 1, metadata: encodeProgress({ ...progress, pending: null }) }
        : given;
    const outcome = await source.commit(generation, sent);
    step(pending === null ? `${outcome}` : 'announced');
    if (outcome === 'committed') await reach(pending === null ? 'after_commit' : 'after_pending');
    return outcome;
  };

  const insertRows = async (given: RowBatch) => {
    const batch = mistake === 'random_tokens' ? { ...given, token: `${given.token}-${randomUUID()}` } : given;
    step('inserting');
    // The rows of this part of the batch are in the store under their tokens, the predictions are not.
    if (batch.rejected.length > 0 && batch.predictions.length > 0 && arrives('between_inserts')) {
      await store.insertRows({ ...batch, predictions: [] });
      await strike('between_inserts');
    }
    if (arrives('mid_insert')) {
      const inserted = store.insertRows(batch);
      await Promise.race([inserted, delay(2 * (failpoint?.nth ?? 0))]);
      await strike('mid_insert');
      return inserted;
    }
    await store.insertRows(batch).catch((error: unknown) => {
      if (mistake !== 'skip_errors') throw error;
    });
    step('inserted');
  };

  return {
    source: {
      ...source,
      commit,
      start: (handler) =>
        source.start({
          ...handler,
          batch: (generation, batch) => {
            const next = batch.records.at(recordsPerTake);
            if (next === undefined) return handler.batch(generation, batch);
            const all = Array.from({ length: recordsPerTake }, (_, index) => batch.records.at(index));
            const records = all.flatMap((record) => record ?? []);
            return handler.batch(generation, { ...batch, records, nextOffset: next.offset });
          },
        }),
    },
    store: {
      ...store,
      insertRows,
      ...(mistake === 'blind_repair'
        ? { storedRange: async () => ({ offsets: new Map(), lists: new Set() }) }
        : {}),
    },
  };
}
