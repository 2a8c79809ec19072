import type { StoreClient } from './client.js';

/** Lets writers through side by side, and now and then somebody who needs them all to stand still. */
export interface WriteGate {
  pass<T>(write: () => Promise<T>): Promise<T>;
  /** Runs when no writer is under way; those that come meanwhile wait. One after the other. */
  alone<T>(run: () => Promise<T>): Promise<T>;
}

export function createWriteGate(): WriteGate {
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
      const done = Promise.all(writing).then(run);
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

/** The client, whose writes go through the gate. */
export function gated(client: StoreClient, gate: WriteGate): StoreClient {
  return {
    ...client,
    command: (...args) => gate.pass(() => client.command(...args)),
    insert: (...args) => gate.pass(() => client.insert(...args)),
    insertBlock: (...args) => gate.pass(() => client.insertBlock(...args)),
  };
}
