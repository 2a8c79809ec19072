import { createKafkaCollector, type KafkaCollector } from '../../src/collectors/kafka-collector.js';
import type { CollectorLimits } from '../../src/collectors/kafka-partition.js';
import type { LogSource } from '../../src/collectors/log-source.js';
import type { RecordDecoders } from '../../src/collectors/range-buffer.js';
import type { RowBatch } from '../../src/domain/ports.js';
import { createLogger } from '../../src/logger.js';
import { createMetrics, type Metrics } from '../../src/metrics.js';
import { EVENT_DECODERS } from './event-decoders.js';
import type { MemoryRowSink } from './memory-row-sink.js';

const logger = createLogger({ level: 'silent' });
export const event = (id: number) => JSON.stringify({ id: `r${id}` });
export const events = (count: number) => Array.from({ length: count }, (_, i) => event(i));

/** Limits that are soon reached, and short waits. */
export const FAST: CollectorLimits = {
  insertRows: 20,
  insertBytes: 1_000_000,
  maxRows: 20,
  maxBytes: 1_000_000,
  lingerMs: 2,
  maxTotalBytes: 10_000_000,
  minBackoffMs: 1,
  maxBackoffMs: 4,
};

let epochs = 0;
/** A collector of the topics `p` (predictions) and `l` (labels) into the sink. */
export function collectorOf(
  source: LogSource,
  sink: MemoryRowSink,
  options: {
    metrics?: Metrics;
    limits?: Partial<CollectorLimits>;
    decoders?: RecordDecoders;
    write?: (batch: RowBatch) => Promise<void>;
  } = {},
): KafkaCollector {
  return createKafkaCollector({
    source,
    predictionTopics: ['p'],
    labelTopics: ['l'],
    decoders: options.decoders ?? EVENT_DECODERS,
    write: options.write ?? sink.write,
    newPredictions: () => [],
    audit: sink,
    metrics: options.metrics ?? createMetrics(),
    logger,
    newEpoch: () => {
      epochs += 1;
      return `e${epochs}`;
    },
    limits: { ...FAST, ...options.limits },
  });
}
