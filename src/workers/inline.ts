import { setImmediate as nextTurn } from 'node:timers/promises';
import { buffersIn } from './buffers.js';
import { createTaskQueue } from './queue.js';
import { perform, type TaskInput, type TaskName, type TaskOutput, type TaskRunner } from './tasks.js';

/**
 * Runs tasks in this thread, one in each turn of its event loop: for sources that run unbundled, where there is no program for worker
 * threads. Arguments and results are copied and given away as between threads, so that nothing works here only.
 */
export function createInlineRunner(): TaskRunner {
  const queue = createTaskQueue();
  let isBusy = false;

  async function work(): Promise<void> {
    isBusy = true;
    for (let task = queue.take(); task !== undefined; task = queue.take()) {
      try {
        task.resolve(handOver(perform(task.name, handOver(task.input()))));
      } catch (error) {
        task.reject(error);
      }
      await nextTurn();
    }
    isBusy = false;
  }

  return {
    threads: 1,
    run: <N extends TaskName>(name: N, input: () => TaskInput<N>) =>
      queue.add(name, input, () => {
        if (!isBusy) void work();
      }) as Promise<TaskOutput<N>>,
    stop: async () => queue.close(),
  };
}

function handOver(value: unknown): unknown {
  return structuredClone(value, { transfer: [...buffersIn(value)] });
}
