import { messageOfPair } from '../collectors/formats/pair-halves.js';
import { createRowWriter, type RowWriter } from '../collectors/row-writer.js';
import type { CallHalf, Outcome } from '../domain/prediction.js';
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
  const read = wireMessageReader(parts);
  const pairing = createCallPairing({
    store,
    read: (request, response) => {
      const sides = opened(request, response);
      if (sides === null) return [unreadable(request)];
      const value = messageOfPair(...sides);
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
  /** Null for sides that were sealed with another key. */
  function opened(request: CallHalf, response: CallHalf): [CallHalf, CallHalf] | null {
    if (privacy === null) return [request, response];
    try {
      return [privacy.open(request), privacy.open(response)];
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

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

function unreadable({ model, payload, source }: CallHalf): Outcome {
  const detail =
    'the sides of the call were sealed with another privacy key: give all processes the same one';
  const row = {
    kind: 'prediction',
    reason: 'unsupported_payload',
    detail,
    payload,
    model,
    rowIndex: 0,
    source,
  } as const;
  return { kind: 'rejected', row };
}
