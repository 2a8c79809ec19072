import type { Logger } from '../domain/ports.js';
import type { PredictionRow, RowSource } from '../domain/prediction.js';
import { treatBorrowed } from '../domain/row-list.js';
import type { DecodeContext } from './decode-event.js';
import { createEventReader } from './event-reader.js';
import { createMessageReader, type MessageReader } from './formats/read-message.js';
import type { RecordDecoders } from './range-buffer.js';

/** The identity of a record's prediction that has none of its own: its place in the log. */
export const placeId = ({ topic, partition, offset }: RowSource) => `${topic}/${partition}/${offset}`;

/** Decoders of Kafka records. A prediction without an id gets its place in the log as one; a label needs to name its own. */
export function createRecordDecoders(
  options: Pick<DecodeContext, 'earliestMs'> & {
    /** One that knows the usual names, when left out. */
    readonly read?: MessageReader;
    /** Of versions whose events have the usual names. */
    readonly featureKinds: DecodeContext['featureKinds'];
    /** The real time, ms. */
    readonly wallClock: () => number;
    readonly logger: Logger;
    /** Applied to what is read from its bytes; what `read` gives is treated already. */
    readonly treat?: ((row: PredictionRow) => PredictionRow) | undefined;
  },
): RecordDecoders {
  const { featureKinds, earliestMs, wallClock, logger, treat } = options;
  const { read = createMessageReader(options) } = options;
  const reader = createEventReader({ featureKinds, earliestMs, wallClock, idOf: placeId });
  let quickFailed = false;
  return {
    begin: reader.begin,
    quickPrediction: (value, source) => {
      if (quickFailed) return null;
      try {
        const row = reader.read(value, 0, source);
        if (row !== null && reader.end() === value.length)
          return treat === undefined ? row : treatBorrowed(row, treat);
        reader.learn(value, 0, value.length);
      } catch (err) {
        // A bug in it must not stop the partition: the ordinary decoder has the word, from now on.
        quickFailed = true;
        logger.error({ err }, 'the quick reader of events failed and is left out, please report this');
      }
      return null;
    },
    read: (kind, value, text, source) =>
      read({
        kind,
        value,
        text,
        source,
        index: 0,
        defaultId: kind === 'prediction' ? placeId(source) : null,
      }),
  };
}
