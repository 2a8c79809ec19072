import { statfs } from 'node:fs/promises';
import { AppError, messageOf } from '../errors.js';
import type { StoreClient } from './client.js';

/** Inserts need room, and the merges behind them room for a copy of what they merge. */
const LEAST_FREE_BYTES = 64 * 1024 ** 2;

export interface WriteHealthOptions {
  /** Of the embedded engine; null for a server, whose disks are its operator's. */
  readonly dataDir: string | null;
  /** Inserts a row that means nothing. */
  readonly probe: () => Promise<void>;
  readonly freeBytes?: (directory: string) => Promise<number>;
}

/**
 * Knows whether the store takes rows: it answers questions long after its disk is full. After an insert that failed, a small one is tried with
 * each question until one gets through: if nobody sends to what is not ready, no other insert would show that it is well again.
 */
export function createWriteHealth(options: WriteHealthOptions) {
  const { dataDir, probe, freeBytes = freeBytesOf } = options;
  let failure: unknown = null;
  let probing: Promise<void> | null = null;

  async function watch(insert: () => Promise<void>): Promise<void> {
    try {
      await insert();
      failure = null;
    } catch (error) {
      // What is never taken, however often it is sent, says nothing about the store.
      if (!(error instanceof AppError) || error.retryable) failure = error;
      throw error;
    }
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
