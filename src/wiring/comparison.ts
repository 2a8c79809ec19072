import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileComparer } from '../domain/compared-files.js';
import type { CountInThread } from '../jobs/compare-chunks.js';
import { createStoreClient } from '../store/client.js';
import { createFileComparer } from '../store/file-comparer.js';

import { createTaskRunner } from './tasks.js';

/** Opens an engine of its own in a private temporary directory, with a thread to count in, for as long as the work lasts, and leaves nothing behind. */
export async function withFileComparer<T>(
  work: (files: FileComparer, countInThread: CountInThread) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'plumbline-compare-'));
  const tasks = createTaskRunner(1);
  try {
    const client = await createStoreClient({ kind: 'embedded', dataDir: directory });
    try {
      return await work(createFileComparer(client), (input) => tasks.run('countCells', input));
    } finally {
      await client.close();
    }
  } finally {
    await tasks.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
