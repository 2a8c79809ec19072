import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../../src/domain/ports.js';
import type { StoreLocation } from '../../src/store/client.js';
import { createStore } from '../../src/store/store.js';
import { type ClickHouseBridge, startClickHouseBridge } from './clickhouse-bridge.js';

export type TestStore = Awaited<ReturnType<typeof createStore>>;

/** One place where a store can live, opened empty and migrated. */
export interface StoreBackend {
  readonly location: StoreLocation;
  readonly store: TestStore;
  /** Only over HTTP. */
  readonly bridge: ClickHouseBridge | null;
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

export type BackendKind = 'embedded' | 'http';
export const BACKENDS: readonly BackendKind[] = ['embedded', 'http'];

export const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

/** `wallClock` is the rows' time of ingestion, ms. */
export async function openBackend(
  kind: BackendKind,
  wallClock: () => number = Date.now,
): Promise<StoreBackend> {
  const dataDir = await mkdtemp(join(tmpdir(), 'plumbline-store-'));
  const bridge = kind === 'http' ? await startClickHouseBridge({ dataDir, password: "s'ecret" }) : null;
  const location: StoreLocation =
    bridge === null
      ? { kind: 'embedded', dataDir }
      : { kind: 'http', url: bridge.url, database: 'plumbline', username: 'default', password: "s'ecret" };
  const open = () => createStore({ ...location, logger: SILENT, wallClock });
  let store = await open();
  await store.migrate();
  return {
    location,
    bridge,
    get store() {
      return store;
    },
    reopen: async () => {
      await store.close();
      store = await open();
      await store.migrate();
    },
    close: async () => {
      await store.close();
      await bridge?.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
