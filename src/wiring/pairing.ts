import { messageOfPair } from '../collectors/formats/pair-halves.js';
import { createRowWriter, type RowWriter } from '../collectors/row-writer.js';
import { createCallPairing } from '../jobs/pair-calls.js';
import type { Job } from '../jobs/scheduler.js';
import { type Parts, wireMessageReader } from './parts.js';

export const PAIRING = 'pairing';
const CRON = '*/5 * * * * *';

/**
 * Makes rows of inference calls whose request and answer were logged apart: part of the detector role, of which there is one process.
 * `writer` is the process's own, if it collects rows: two of them would not see each other's.
 */
export function wirePairing(parts: Parts, writer: RowWriter | null): Job {
  const { config, store, metrics, clock, wallClock, logger } = parts;
  const { write } = writer ?? createRowWriter({ store, metrics, clock, logger });
  const read = wireMessageReader(parts);
  const pairing = createCallPairing({
    store,
    read: (request, response) => {
      const value = messageOfPair(request, response);
      const { source } = request;
      return read({
        value,
        text: JSON.stringify(value),
        kind: 'prediction',
        source,
        index: 0,
        defaultId: null,
      });
    },
    write,
    wallClock: wallClock.now,
    withinMs: config.pairing.within,
  });
  return {
    name: PAIRING,
    cron: CRON,
    run: async () => {
      const { paired, expired } = await pairing.run();
      if (paired + expired > 0) logger.info({ paired, expired }, 'calls: sides that were logged apart');
    },
  };
}
