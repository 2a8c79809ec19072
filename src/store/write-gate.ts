import { AppError } from '../errors.js';
import type { StoreClient } from './client.js';

/** Lets writers through side by side, and now and then somebody who needs them all to stand still. */
export interface WriteGate {
  pass<T>(write: () => Promise<T>): Promise<T>;
  /** Runs when no writer is under way; those that come meanwhile wait. One after the other. Throws overloaded when a writer takes too long. */
  alone<T>(run: () => Promise<T>): Promise<T>;
}

/** A statement that takes longer (an erasure, a large reference) must not keep all others waiting. */
const PATIENCE_MS = 10_000;

export function createWriteGate(patienceMs = PATIENCE_MS): WriteGate {
  const writing = new Set<Promise<unknown>>();
  let closed: Promise<unknown> | null = null;
  return {
    async pass(write) {
      while (closed !== null) await closed;
      const written = write();
      // Whatever it ends with is its caller's.
      const ended: Promise<unknown> = written.then(
        () => writing.delete(ended),
        () => writing.delete(ended),
      );
      writing.add(ended);
      return written;
    },
    async alone(run) {
      while (closed !== null) await closed;
      const done = inTime(Promise.all(writing), patienceMs).then(run);
      closed = done.then(
        () => undefined,
        () => undefined,
      );
      try {
        return await done;
      } finally {
        closed = null;
      }
    },
  };
}

async function inTime(idle: Promise<unknown>, patienceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new AppError('overloaded', `the store has been writing for ${patienceMs} ms: try again later`, {
            retryable: true,
          }),
        ),
      patienceMs,
    );
  });
  try {
    await Promise.race([idle, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The client, whose writes go through the gate. */
export function gated(client: StoreClient, gate: WriteGate): StoreClient {
  return {
    ...client,
    command: (...args) => gate.pass(() => client.command(...args)),
    insert: (...args) => gate.pass(() => client.insert(...args)),
    insertBlock: (...args) => gate.pass(() => client.insertBlock(...args)),
  };
}
