import { statfs } from 'node:fs/promises';
import { AppError, messageOf } from '../errors.js';
import type { StoreClient } from './client.js';

/** Inserts need room, and the merges behind them room for a copy of what they merge. */
const LEAST_FREE_BYTES = 64 * 1024 ** 2;

/** An insert takes some tenths of a second. The embedded engine has no time limit: one that it holds for so long may never come back. */
const LONGEST_INSERT_MS = 60_000;

export interface WriteHealthOptions {
  /** Of the embedded engine; null for a server, whose disks are its operator's. */
  readonly dataDir: string | null;
  /** Inserts a row that means nothing. */
  readonly probe: () => Promise<void>;
  readonly freeBytes?: (directory: string) => Promise<number>;
  readonly monotonicMs?: () => number;
}

/**
 * Knows whether the store takes rows: it answers questions long after its disk is full. After an insert that failed, a small one is tried with
 * each question until one gets through: if nobody sends to what is not ready, no other insert would show that it is well again.
 */
export function createWriteHealth(options: WriteHealthOptions) {
  const { dataDir, probe, freeBytes = freeBytesOf, monotonicMs = () => performance.now() } = options;
  let failure: unknown = null;
  let probing: Promise<void> | null = null;
  /** Inserts under way, the oldest first. */
  const underWay = new Set<{ readonly sinceMs: number }>();

  async function watch(insert: () => Promise<void>): Promise<void> {
    const own = { sinceMs: monotonicMs() };
    underWay.add(own);
    try {
      await insert();
      failure = null;
    } catch (error) {
      // What is never taken, however often it is sent, says nothing about the store.
      if (!(error instanceof AppError) || error.retryable) failure = error;
      throw error;
    } finally {
      underWay.delete(own);
    }
  }

  function assertInsertsReturn(): void {
    const [oldest] = underWay;
    const tookMs = oldest === undefined ? 0 : monotonicMs() - oldest.sinceMs;
    if (tookMs >= LONGEST_INSERT_MS)
      throw new AppError(
        'store_unavailable',
        `an insert has not come back from the store for ${Math.floor(tookMs / 1_000)} s: look whether its disk still answers, and restart this process if it does; nothing of the insert is acknowledged or committed before it comes back`,
        { retryable: true },
      );
  }

  return {
    /** The client, whose inserts are watched. */
    watched: (client: StoreClient): StoreClient => ({
      ...client,
      insert: (...args) => watch(() => client.insert(...args)),
      insertBlock: (...args) => watch(() => client.insertBlock(...args)),
    }),

    /** Throws store_unavailable, with what to do, while rows are not taken or will soon not be. */
    async assertWritable(): Promise<void> {
      if (dataDir !== null) {
        const free = await freeBytes(dataDir);
        if (free < LEAST_FREE_BYTES)
          throw new AppError(
            'store_unavailable',
            `only ${Math.floor(free / 1024 ** 2)} MiB are free on the disk of ${dataDir}, and ${LEAST_FREE_BYTES / 1024 ** 2} MiB are needed: free some, or enlarge it. What was acknowledged is kept; until then senders are told to try again, and Kafka waits`,
            { retryable: true },
          );
      }
      assertInsertsReturn();
      if (failure === null) return;
      probing ??= watch(probe).finally(() => {
        probing = null;
      });
      try {
        await probing;
      } catch (cause) {
        throw new AppError('store_unavailable', `the store takes no rows: ${messageOf(cause)}`, {
          cause,
          retryable: true,
        });
      }
    },
  };
}

async function freeBytesOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
