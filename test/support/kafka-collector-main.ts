// A collector process: `node … OPTIONS_AS_JSON`. Kafka → row writer → store, as the service wires it. Prints `ready` once it
// has its partitions, and stops cleanly on SIGTERM.
import { createWallClock } from '../../src/clock.js';
import { createKafkaCollector } from '../../src/collectors/kafka-collector.js';
import type { CollectorLimits } from '../../src/collectors/kafka-partition.js';
import { createKafkaSource } from '../../src/collectors/kafka-source.js';
import { createRecordDecoders } from '../../src/collectors/record-decoders.js';
import { createRowWriter } from '../../src/collectors/row-writer.js';
import { createModelRegistry } from '../../src/jobs/model-registry.js';
import { createLogger } from '../../src/logger.js';
import { createMetrics } from '../../src/metrics.js';
import type { StoreLocation } from '../../src/store/client.js';
import { createStore } from '../../src/store/store.js';

export interface CollectorProcessOptions {
  readonly location: StoreLocation;
  readonly brokers: readonly string[];
  readonly group: string;
  readonly predictions: readonly string[];
  readonly labels: readonly string[];
  readonly limits: Partial<CollectorLimits>;
}

const options: CollectorProcessOptions = JSON.parse(process.argv[2] ?? '');
const logger = createLogger({ level: 'info' });
const metrics = createMetrics();
const clock = createWallClock();
const store = await createStore({ ...options.location, logger });
const registry = createModelRegistry(store);
await registry.refresh();
const { write } = createRowWriter({ store, metrics, clock, logger });
const source = createKafkaSource({
  connection: { brokers: options.brokers },
  group: options.group,
  topics: [...options.predictions, ...options.labels],
  logger,
  metrics,
  sessionTimeoutMs: 6_000,
});
const collector = createKafkaCollector({
  source,
  predictionTopics: options.predictions,
  labelTopics: options.labels,
  decoders: createRecordDecoders({
    featureKinds: registry.featureKinds,
    earliestMs: () => 0,
    wallClock: clock.now,
    logger,
  }),
  write,
  newPredictions: store.newPredictions,
  audit: store,
  metrics,
  logger,
  limits: options.limits,
});
collector.start();
const readiness = setInterval(() => {
  if (!collector.health().ready) return;
  clearInterval(readiness);
  process.stdout.write('ready\n');
}, 20);
process.on('SIGTERM', () => {
  clearInterval(readiness);
  void collector.stop().then(() => store.close());
});
