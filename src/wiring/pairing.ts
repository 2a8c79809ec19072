import { createPairReader } from '../collectors/formats/pair-halves.js';
import { createRowWriter, type RowWriter } from '../collectors/row-writer.js';
import type { Coordinator } from '../jobs/coordinator.js';
import { createCallPairing } from '../jobs/pair-calls.js';
import type { Job } from '../jobs/scheduler.js';
import { type Parts, wireMessageReader } from './parts.js';

export const PAIRING = 'pairing';
const CRON = '*/5 * * * * *';

/**
 * Makes rows of inference calls whose request and answer were logged apart: part of the detector role, by the process that leads: two at once might store a row twice.
 * `writer` is the process's own, if it collects rows: two of them would not see each other's.
 */
export function wirePairing(parts: Parts, writer: RowWriter | null, coordinator: Coordinator): Job {
  const { config, store, metrics, clock, wallClock, logger, privacy } = parts;
  const { write } =
    writer ??
    createRowWriter({
      store,
      metrics,
      clock,
      logger,
      privacy: privacy ?? undefined,
      erased: parts.erasures.current,
    });
  const pairing = createCallPairing({
    store,
    read: createPairReader(wireMessageReader(parts), (half) => privacy?.open(half) ?? half),
    write,
    wallClock: wallClock.now,
    withinMs: config.pairing.within,
  });

  return {
    name: PAIRING,
    cron: CRON,
    run: async () => {
      if (!coordinator.leads()) return;
      const { paired, expired } = await pairing.run();
      if (paired + expired > 0) logger.info({ paired, expired }, 'calls: sides that were logged apart');
    },
  };
}
