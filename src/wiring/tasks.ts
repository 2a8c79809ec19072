import { createInlineRunner } from '../workers/inline.js';
import { createWorkerPool } from '../workers/pool.js';
import type { TaskRunner } from '../workers/tasks.js';

/**
 * Worker threads, whose program stands beside this one in a bundle (dist/worker.mjs). Sources that run as they are, in tests, have
 * none: their tasks run in this thread.
 */
export function createTaskRunner(threads?: number): TaskRunner {
  return import.meta.url.endsWith('.ts')
    ? createInlineRunner()
    : createWorkerPool({ entry: new URL('worker.mjs', import.meta.url), threads });
}
