import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReferenceReader } from '../domain/ports.js';
import { segmentScope } from '../domain/segment.js';
import { createStoreClient, type StoreClient } from './client.js';
import { createGridStore } from './grid-store.js';
import { migrate } from './migrate.js';
import { createProfileCounter } from './profile-counter.js';
import { createReferenceReader } from './reference-reader.js';

/** Profiles moved at once: at most about 16 MB of text. */
const ROWS_PER_INSERT = 500;
const TIMEOUT_MS = 600_000;

/** Offsets are Int64: as numbers of JSON they would lose digits. */
const PROFILE_COLUMNS = `scope, model, version, granularity, toString(bucket) AS bucket, feature, kind, rows, missing, non_finite,
  mistyped, counts, arrayMap(offset -> toString(offset), offsets) AS offsets, min, max`;

/**
 * For a store on a server, which does not see this machine's files: an engine of our own, opened in a temporary directory for as
 * long as a file is worked on, reads and counts it, and only the counts travel. The process must hold no embedded store.
 */
export function createRemoteReferenceReader(
  client: StoreClient,
  nextRevision: () => number,
): ReferenceReader {
  /** A process holds one engine at a time: files wait for each other. */
  let last: Promise<unknown> = Promise.resolve();

  function locally<T>(work: (local: StoreClient) => Promise<T>): Promise<T> {
    const turn = last.then(() => withEngine(work));
    last = turn.catch(() => undefined);
    return turn;
  }

  async function withEngine<T>(work: (local: StoreClient) => Promise<T>): Promise<T> {
    const directory = await mkdtemp(join(tmpdir(), 'plumbline-reference-'));
    try {
      const local = await createStoreClient({ kind: 'embedded', dataDir: directory, timeoutMs: TIMEOUT_MS });
      try {
        return await work(local);
      } finally {
        await local.close();
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  const readerOn = (local: StoreClient) =>
    createReferenceReader(
      local,
      createProfileCounter(local, createGridStore(local, nextRevision)),
      nextRevision,
    );

  async function send(local: StoreClient, scope: string): Promise<void> {
    await sendTable(local, scope, 'profiles', PROFILE_COLUMNS, 'granularity, profiles.bucket, feature');
    await sendTable(local, scope, 'performance_hours', '* EXCEPT (written_at, revision)', 'hour');
  }

  async function sendTable(
    local: StoreClient,
    scope: string,
    table: string,
    columns: string,
    order: string,
  ): Promise<void> {
    const revision = nextRevision();
    for (let offset = 0; ; offset += ROWS_PER_INSERT) {
      const rows = await local.query<object>(
        `SELECT ${columns} FROM ${table} FINAL WHERE scope = {scope:String}
         ORDER BY ${order} LIMIT {limit:UInt64} OFFSET {offset:UInt64}`,
        { scope, limit: ROWS_PER_INSERT, offset },
      );
      await client.insert(
        table,
        rows.map((row) => ({ ...row, revision })),
      );
      if (rows.length < ROWS_PER_INSERT) return;
    }
  }

  return {
    describeFile: (path) => locally((local) => readerOn(local).describeFile(path)),
    buildGrids: (path, model) => locally((local) => readerOn(local).buildGrids(path, model)),
    readRows: (path, columns, timestampColumn, limit) =>
      locally((local) => readerOn(local).readRows(path, columns, timestampColumn, limit)),
    treatFile: (input) => locally((local) => readerOn(local).treatFile(input)),
    importReference: (input) =>
      locally(async (local) => {
        await migrate(local);
        await createGridStore(local, nextRevision).saveGrids(input.model.model, input.grids);
        const imported = await readerOn(local).importReference(input);
        await send(local, segmentScope(`reference:${input.hash}`, input.segment));
        return imported;
      }),
  };
}
