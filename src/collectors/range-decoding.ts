import { setImmediate } from 'node:timers/promises';
import type { LogRecords } from './log-source.js';
import type { RangeBuffer } from './range-buffer.js';

export interface RangeDecodingOptions {
  /** Before the records of a slice. */
  readonly begin: () => void;
  readonly decode: (range: RangeBuffer, records: LogRecords, index: number) => void;
  /** The assignment is over: what waits is not decoded any more. */
  readonly ended: () => boolean;
  /** After each slice. */
  readonly decoded: (range: RangeBuffer) => void;
}

/** Records decoded without a pause, some 3 ms. */
const SLICE = 1_000;

/** Decodes what was taken into ranges beside the next fetch: it is asked for before, and received between slices. */
export function createRangeDecoding({ begin, decode, ended, decoded }: RangeDecodingOptions) {
  const underWay = new WeakMap<RangeBuffer, Promise<void>>();

  async function decodeAll(range: RangeBuffer): Promise<void> {
    for (let first = range.waiting[0]; first !== undefined; first = range.waiting[0]) {
      await setImmediate();
      if (ended()) return;
      begin();
      const stop = Math.min(first.count, first.decoded + SLICE);
      for (; first.decoded < stop; first.decoded += 1) decode(range, first.records, first.decoded);
      if (first.decoded === first.count) range.waiting.shift();
      decoded(range);
    }
  }

  return {
    /** Rejects when a record could not be decoded for a bug: it is tried again by the next call. */
    run(range: RangeBuffer): Promise<void> {
      const running = underWay.get(range);
      if (running !== undefined) return running;
      const started = decodeAll(range).finally(() => underWay.delete(range));
      underWay.set(range, started);
      return started;
    },
  };
}
