import { AppError } from '../errors.js';
import type { TaskName } from './tasks.js';

/** Far more than one service has under way; each holds a closure only. */
const MAX_WAITING = 10_000;

/** A task that somebody waits for. */
export interface Waiting {
  readonly name: TaskName;
  readonly input: () => unknown;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export const stoppedError = () =>
  new AppError('interrupted', 'the service is stopping: no more work is taken');

/** Tasks in the order of asking, until it is closed. */
export function createTaskQueue(maxWaiting = MAX_WAITING) {
  const waiting: Waiting[] = [];
  let closed = false;

  return {
    /** The result of the task, once somebody has taken and settled it. `added` is called when it waits. */
    add(name: TaskName, input: () => unknown, added: () => void): Promise<unknown> {
      if (closed) return Promise.reject(stoppedError());
      if (waiting.length >= maxWaiting)
        return Promise.reject(
          new AppError('overloaded', `${maxWaiting} tasks wait for a worker thread: ask again later`, {
            retryable: true,
          }),
        );
      return new Promise((resolve, reject) => {
        waiting.push({ name, input, resolve, reject });
        added();
      });
    },
    take: (): Waiting | undefined => waiting.shift(),
    close(): void {
      closed = true;
      for (const task of waiting.splice(0)) task.reject(stoppedError());
    },
    get isClosed(): boolean {
      return closed;
    },
  };
}
