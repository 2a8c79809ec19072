import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { AppError, messageOf } from '../errors.js';
import { buffersIn } from './buffers.js';
import type { Answer } from './messages.js';
import { createTaskQueue, stoppedError, type Waiting } from './queue.js';
import type { TaskInput, TaskName, TaskOutput, TaskRunner } from './tasks.js';

/** A thread and what it is at. */
interface Seat {
  readonly worker: Worker;
  task: Waiting | null;
  failure: unknown;
}

export interface WorkerPoolOptions {
  /** The worker's program: worker.ts, bundled. */
  readonly entry: URL;
  /** Threads at most; as many as there are processor cores by default. */
  readonly threads?: number | undefined;
  /** Tasks that may wait, 10,000 by default; more are refused. */
  readonly maxWaiting?: number;
}

/**
 * A pool of worker threads: each runs one task at a time, in the order of asking. Threads start when they are first needed, keep no
 * process alive while they are idle, and are replaced after a crash, which only the task that it hit is told of.
 */
export function createWorkerPool({
  entry,
  threads = availableParallelism(),
  maxWaiting,
}: WorkerPoolOptions): TaskRunner {
  const queue = createTaskQueue(maxWaiting);
  const seats = new Set<Seat>();
  let isHandingOut = false;

  function startThread(): Seat {
    const worker = new Worker(entry, { name: 'plumbline' });
    worker.unref();
    const seat: Seat = { worker, task: null, failure: null };
    seats.add(seat);
    worker.on('message', (answer: Answer) => {
      settle(seat, (task) => (answer.ok ? task.resolve(answer.output) : task.reject(answer.error)));
      wake();
    });
    worker.on('messageerror', (error) => {
      settle(seat, (task) => task.reject(error));
      wake();
    });
    worker.on('error', (error) => {
      seat.failure = error;
    });
    worker.on('exit', (code) => {
      seats.delete(seat);
      settle(seat, (task) =>
        task.reject(queue.isClosed ? stoppedError() : crashed(task, code, seat.failure)),
      );
      wake();
    });
    return seat;
  }

  function settle(seat: Seat, how: (task: Waiting) => void): void {
    const { task } = seat;
    seat.task = null;
    seat.worker.unref();
    if (task !== null) how(task);
  }

  function freeSeat(): Seat | null {
    for (const seat of seats) if (seat.task === null && seat.failure === null) return seat;
    return seats.size < threads ? startThread() : null;
  }

  function give(seat: Seat, task: Waiting): void {
    try {
      const input = task.input();
      const order = { name: task.name, input };
      seat.worker.postMessage(order, [...buffersIn(input)]);
    } catch (error) {
      task.reject(error);
      return;
    }
    seat.task = task;
    seat.worker.ref();
  }

  /** Arguments are made here, on the service's thread: one in each turn of its event loop. */
  async function handOut(): Promise<void> {
    isHandingOut = true;
    for (;;) {
      const seat = queue.isClosed ? null : freeSeat();
      const task = seat === null ? undefined : queue.take();
      if (seat === null || task === undefined) break;
      give(seat, task);
      await nextTurn();
    }
    isHandingOut = false;
  }

  function wake(): void {
    if (!isHandingOut) void handOut();
  }

  return {
    threads,
    run: <N extends TaskName>(name: N, input: () => TaskInput<N>) =>
      queue.add(name, input, wake) as Promise<TaskOutput<N>>,
    async stop(): Promise<void> {
      queue.close();
      await Promise.all([...seats].map(({ worker }) => worker.terminate()));
    },
  };
}

function crashed({ name }: Waiting, code: number, failure: unknown): AppError {
  const why = failure === null ? `exit code ${code}` : messageOf(failure);
  return new AppError(
    'overloaded',
    `a worker thread ended while it ran ${name} (${why}): it is started again; if this repeats, give the service more memory`,
    { cause: failure ?? undefined, retryable: true },
  );
}
