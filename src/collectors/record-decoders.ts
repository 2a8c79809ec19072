import type { Logger } from '../domain/ports.js';
import type { PredictionRow, RowSource } from '../domain/prediction.js';
import { treatBorrowed } from '../domain/row-list.js';
import type { DecodeContext } from './decode-event.js';
import { createEventReader } from './event-reader.js';
import { createMessageReader, type MessageReader } from './formats/read-message.js';
import { guardedReader } from './guarded-reader.js';
import type { RecordDecoders } from './range-buffer.js';

/** The identity of a record's prediction that has none of its own: its place in the log. */
export const placeId = ({ topic, partition, offset }: RowSource) => `${topic}/${partition}/${offset}`;

const NEWLINE = 0x0a;

/** Some producers end each record as a line. */
const isEnd = (value: Buffer, at: number) =>
  at === value.length || (at === value.length - 1 && value[at] === NEWLINE);

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
  const reader = guardedReader(
    createEventReader({ featureKinds, earliestMs, wallClock, idOf: placeId }),
    logger,
  );
  return {
    begin: reader.begin,
    quickPrediction: (value, source) => {
      const row = reader.read(value, 0, source);
      if (row !== null && isEnd(value, reader.end()))
        return treat === undefined ? row : treatBorrowed(row, treat);
      reader.learn(value, 0, value.length);
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
