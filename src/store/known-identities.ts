import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../domain/ports.js';
import { messageOf } from '../errors.js';
import type { StoreClient } from './client.js';
import { createIdentitySet } from './identity-set.js';
import { readNativeBlocks } from './native-columns.js';

export interface KnownIdentities {
  /**
   * Positions of the hashes (high half, low half, …) that may be stored, on their way, or given before in the same list; any other
   * is certainly new. Null while that cannot be told. From now on all of them count as given.
   */
  note(halves: Uint32Array): readonly number[] | null;
  /** Says that nothing is on its way but what the last `note` was given: the moment to read what is stored, where that is needed. */
  settled(): void;
  /** Ends the reading of stored ones. */
  close(): Promise<void>;
}

export interface KnownIdentitiesOptions {
  /** Not the one that rows go in by: reading what is stored takes a while. */
  readonly client: Pick<StoreClient, 'query' | 'queryNative'>;
  readonly table: 'predictions' | 'labels';
  readonly column: 'identity' | 'fingerprint';
  readonly logger: Logger;
  /** Of a table with more nothing is kept in memory. 47 million take at most 257 MiB. */
  readonly maxIdentities?: number;
  readonly pageRows?: number;
  /** Real time, ms. */
  readonly wallClock: () => number;
}

const MAX_IDENTITIES = 47_000_000;
const PAGE_ROWS = 2_000_000;
const TIMEOUT_MS = 600_000;
/** Before a table that was too large, or could not be read, is tried again. */
const OFF_MS = 60_000;
const ALL_HASHES = 2n ** 64n;

/**
 * Which rows are certainly new, told from memory: for a store that no other process writes to. What is stored is read once; until
 * then the answer is null. Rows that expire or are deleted stay known: their like is looked up in vain. When there are too many,
 * they are read anew, and none is kept for as long as still too many are stored.
 */
export function createKnownIdentities(options: KnownIdentitiesOptions): KnownIdentities {
  const { client, table, column, logger, wallClock } = options;
  const { maxIdentities = MAX_IDENTITIES, pageRows = PAGE_ROWS } = options;
  let set = createIdentitySet();
  let state: 'off' | 'unread' | 'reading' | 'read' = 'unread';
  let offUntilMs = 0;
  let reading: Promise<void> = Promise.resolve();
  let closed = false;

  function discard(next: 'off' | 'unread'): void {
    set = createIdentitySet();
    state = next;
  }

  /** A row is in one partition and one range of hashes, whatever is merged meanwhile; what comes in meanwhile is noted anyway. */
  async function readAll(): Promise<boolean> {
    const partitions = await client.query<{ id: string; stored: number }>(
      `SELECT _partition_id AS id, count() AS stored FROM ${table} GROUP BY id ORDER BY id`,
      {},
      { timeoutMs: TIMEOUT_MS },
    );
    const total = partitions.reduce((sum, { stored }) => sum + stored, 0);
    // Room for some more, or they would soon be read again.
    if (total > 0.75 * maxIdentities) return false;
    set.reserve(Math.min(Math.ceil(1.5 * total), maxIdentities));
    for (const { id, stored } of partitions) {
      const pages = BigInt(Math.ceil(stored / pageRows));
      for (let page = 0n; page < pages; page += 1n) {
        await readPage(id, (ALL_HASHES * page) / pages, (ALL_HASHES * (page + 1n)) / pages - 1n);
        if (closed) return false;
      }
    }
    return true;
  }

  async function readPage(id: string, from: bigint, to: bigint): Promise<void> {
    const bytes = await client.queryNative(
      `SELECT toUInt32(bitShiftRight(${column}, 32)) AS high, toUInt32(bitAnd(${column}, 4294967295)) AS low
       FROM ${table} WHERE _partition_id = {id:String} AND ${column} BETWEEN {from:UInt64} AND {to:UInt64}`,
      { id, from: String(from), to: String(to) },
      { timeoutMs: TIMEOUT_MS },
    );
    for (const [high, low] of readNativeBlocks(bytes)) {
      if (high === undefined || low === undefined) throw new TypeError('a block without its two columns');
      for (let row = 0; row < high.length; row += 1) set.add(high[row] as number, low[row] as number);
      await nextTurn();
    }
  }

  async function read(): Promise<void> {
    try {
      if (await readAll()) {
        state = 'read';
        logger.debug(
          { table, identities: set.size, bytes: set.bytes },
          'identities of stored rows are known',
        );
        return;
      }
    } catch (error) {
      if (!closed)
        logger.warn(
          { table, reason: messageOf(error) },
          'identities of stored rows cannot be read: each insert looks for duplicates in the table',
        );
    }
    discard('off');
    offUntilMs = wallClock() + OFF_MS;
  }

  return {
    note(halves) {
      if (state === 'off' && wallClock() >= offUntilMs) state = 'unread';
      if (state === 'off' || closed) return null;
      const suspects: number[] = [];
      for (let at = 0; at < halves.length; at += 2)
        if (set.add(halves[at] as number, halves[at + 1] as number)) suspects.push(at / 2);
      if (state !== 'read') return null;
      // What is on its way now would be missed by reading at once: the next one who finds nothing on its way reads.
      if (set.size > maxIdentities) discard('unread');
      return suspects;
    },
    settled() {
      if (state !== 'unread' || closed) return;
      state = 'reading';
      reading = read();
    },
    close: async () => {
      closed = true;
      await reading;
    },
  };
}
