import type { Logger } from '../domain/ports.js';
import type { EventReader } from './event-reader.js';

/** A bug in the quick reader must neither stop a partition nor refuse a body: from then on the ordinary way has the word. */
export function guardedReader(reader: EventReader, logger: Logger): EventReader {
  let failed = false;
  function guarded<Result>(otherwise: Result, work: () => Result): Result {
    if (failed) return otherwise;
    try {
      return work();
    } catch (err) {
      failed = true;
      logger.error({ err }, 'the quick reader of events failed and is left out, please report this');
      return otherwise;
    }
  }
  return {
    begin: () => guarded(undefined, reader.begin),
    read: (bytes, start, source) => guarded(null, () => reader.read(bytes, start, source)),
    end: reader.end,
    learn: (bytes, start, end) => guarded(undefined, () => reader.learn(bytes, start, end)),
  };
}
