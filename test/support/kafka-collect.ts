import type { KafkaConnection } from '../../src/collectors/kafka-client.js';
import { createKafkaCollector, type KafkaCollector } from '../../src/collectors/kafka-collector.js';
import { createKafkaSource } from '../../src/collectors/kafka-source.js';
import { createLogger } from '../../src/logger.js';
import { createMetrics, type Metrics } from '../../src/metrics.js';
import { EVENT_DECODERS } from './event-decoders.js';
import type { MemoryRowSink } from './memory-row-sink.js';

/** TEST_LOG_LEVEL=info shows what the collectors do. */
const logger = createLogger({ level: process.env.TEST_LOG_LEVEL ?? 'silent' });

export const events = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ id: `r${from + i}`, pad: 'x'.repeat(200) }));

/** Polls until the condition holds; rejects with `what` when it does not in time. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 120_000,
  everyMs = 50,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((wake) => setTimeout(wake, everyMs));
  }
}

/** A collector in this process with short times, into the sink. */
export function collect(options: {
  brokers: readonly string[];
  sasl?: NonNullable<KafkaConnection['sasl']>;
  ssl?: NonNullable<KafkaConnection['ssl']>;
  topic: string;
  labels?: string;
  group: string;
  sink: MemoryRowSink;
  stallTimeoutMs?: number;
}): { collector: KafkaCollector; metrics: Metrics } {
  const { brokers, sasl, ssl, topic, labels, group, sink, stallTimeoutMs } = options;
  const metrics = createMetrics();
  const labelTopics = labels === undefined ? [] : [labels];
  const source = createKafkaSource({
    connection: {
      brokers,
      ...(sasl === undefined ? {} : { sasl }),
      ...(ssl === undefined ? {} : { ssl }),
    },
    group,
    topics: [topic, ...labelTopics],
    logger,
    metrics,
    sessionTimeoutMs: 6_000,
    ...(stallTimeoutMs === undefined ? {} : { stallTimeoutMs }),
    maxWaitMs: 100,
    minBackoffMs: 100,
    maxBackoffMs: 500,
    endsIntervalMs: 300,
  });
  const collector = createKafkaCollector({
    source,
    predictionTopics: [topic],
    labelTopics,
    decoders: EVENT_DECODERS,
    write: sink.write,
    newPredictions: () => [],
    audit: sink,
    metrics,
    logger,
    limits: { maxRows: 500, lingerMs: 100, minBackoffMs: 50, maxBackoffMs: 200 },
  });
  collector.start();
  return { collector, metrics };
}
