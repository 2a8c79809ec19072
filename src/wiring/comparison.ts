import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileComparer } from '../domain/compared-files.js';
import { createStoreClient } from '../store/client.js';
import { createFileComparer } from '../store/file-comparer.js';

/** Opens an engine of its own in a private temporary directory for as long as the work lasts, and leaves nothing behind. */
export async function withFileComparer<T>(work: (files: FileComparer) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'plumbline-compare-'));
  try {
    const client = await createStoreClient({ kind: 'embedded', dataDir: directory });
    try {
      return await work(createFileComparer(client));
    } finally {
      await client.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
