import { AppError } from '../errors.js';

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once, as a shell user expects. */
export function untilInterrupted(forget?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const ignore = () => {
      process.removeListener('SIGINT', stop);
      process.removeListener('SIGTERM', stop);
    };
    const stop = () => {
      ignore();
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    forget?.addEventListener('abort', ignore);
  });
}

/** What `work` gives, unless SIGINT or SIGTERM comes first: then throws `interrupted`, so that the caller can clean up. */
export function unlessInterrupted<T>(what: string, work: Promise<T>): Promise<T> {
  return withInterruption(what, (interruption) => Promise.race([work, interruption]));
}

/** Runs work that has to clean up after itself: its part that may be cut short races with the interruption, from the start. */
export async function withInterruption<T>(
  what: string,
  run: (interruption: Promise<never>) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const interruption = untilInterrupted(done.signal).then(() => {
    throw new AppError('interrupted', `${what} was interrupted before its end: start it again`);
  });
  // It may come before anything races with it.
  interruption.catch(() => undefined);
  try {
    return await run(interruption);
  } finally {
    done.abort();
  }
}
