import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStoreClient } from '../store/client.js';
import { writeRowsAsLines } from '../store/file-rows.js';

/** Reads a Parquet or CSV file with an engine of its own: `work` gets a file of JSON lines, which is gone afterwards. */
export async function withRowsAsLines<T>(path: string, work: (lines: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'plumbline-import-'));
  const lines = join(directory, 'rows.ndjson');
  try {
    const client = await createStoreClient({ kind: 'embedded', dataDir: join(directory, 'engine') });
    try {
      await writeRowsAsLines(client, path, lines);
    } finally {
      await client.close();
    }
    return await work(lines);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
