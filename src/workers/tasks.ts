import { explainForest, growForest, scoreForest, scoreHeldOut } from '../stats/forest-parts.js';
import { comparePairs } from '../stats/pair-classifier.js';
import { comparePieces } from '../stats/pair-tasks.js';
import { countCells } from '../stats/value-cells.js';

/**
 * What worker threads can do, by name. A task is a function of one argument without side effects; argument and result are plain
 * data (what `structuredClone` copies). A new one is one line here, called with `run('name', () => argument)`.
 */
export const tasks = {
  growForest,
  scoreHeldOut,
  scoreForest,
  explainForest,
  comparePairs,
  comparePieces,
  countCells,
};

export type TaskName = keyof typeof tasks;
export type TaskInput<N extends TaskName> = Parameters<(typeof tasks)[N]>[0];
export type TaskOutput<N extends TaskName> = ReturnType<(typeof tasks)[N]>;

/** Runs tasks somewhere: in worker threads, or in this one. */
export interface TaskRunner {
  /** Tasks that run at once. */
  readonly threads: number;
  /**
   * Runs a task and gives its result; what it throws, this rejects with.
   *
   * @param input makes the argument when a thread is free, so that what waits holds no data; it should take a few ms at most. The
   * argument is given away: its ArrayBuffers are detached. What several tasks read, or the caller keeps, belongs in a
   * SharedArrayBuffer.
   * Rejects with AppError `overloaded` when too many tasks wait or a thread ran out of memory, `interrupted` after `stop`.
   */
  run<N extends TaskName>(name: N, input: () => TaskInput<N>): Promise<TaskOutput<N>>;
  /** Ends the threads; what waits or runs is rejected. */
  stop(): Promise<void>;
}

/** Runs a task by name; of a name that comes as data. */
export function perform(name: TaskName, input: unknown): unknown {
  const task = tasks[name] as (input: unknown) => unknown;
  return task(input);
}
