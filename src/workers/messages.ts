import type { TaskName } from './tasks.js';

/** To a worker: one task. It gets the next when it has answered. */
export interface Order {
  readonly name: TaskName;
  readonly input: unknown;
}

/** From a worker. An error keeps its type (of the standard ones), message and stack. */
export type Answer =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: unknown };
