import type { DecodeContext } from './decode-event.js';
import { decodeLabel } from './decode-label.js';
import { decodePrediction } from './decode-prediction.js';
import type { RecordDecoders } from './range-buffer.js';

/** Decoders of Kafka records. A prediction without an id gets its place in the log as one; a label needs to name its own. */
export function createRecordDecoders(
  options: Pick<DecodeContext, 'featureKinds' | 'earliestMs'> & {
    /** The real time, ms. */
    readonly wallClock: () => number;
  },
): RecordDecoders {
  const { featureKinds, earliestMs, wallClock } = options;
  return {
    prediction: (value, source) =>
      decodePrediction(value, {
        featureKinds,
        earliestMs,
        nowMs: wallClock(),
        source,
        defaultId: `${source.topic}/${source.partition}/${source.offset}`,
      }),
    label: (value, source) =>
      decodeLabel(value, { featureKinds, earliestMs, nowMs: wallClock(), source, defaultId: null }),
  };
}
