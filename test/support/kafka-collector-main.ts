// A collector process: `node … OPTIONS_AS_JSON`. Kafka → row writer → store, as the service wires it. Prints `pid N`, `ready` once
// it has its partitions, and what it says of its health whenever that changes; stops cleanly on SIGTERM.
import { createWallClock } from '../../src/clock.js';
import { createKafkaCollector } from '../../src/collectors/kafka-collector.js';
import type { CollectorLimits } from '../../src/collectors/kafka-partition.js';
import { createKafkaSource } from '../../src/collectors/kafka-source.js';
import { createRecordDecoders } from '../../src/collectors/record-decoders.js';
import { createRowWriter } from '../../src/collectors/row-writer.js';
import type { ModelVersion } from '../../src/domain/model.js';
import { createModelRegistry } from '../../src/jobs/model-registry.js';
import { createLogger } from '../../src/logger.js';
import { createMetrics } from '../../src/metrics.js';
import type { StoreLocation } from '../../src/store/client.js';
import { createStore } from '../../src/store/store.js';
import { type CollectorFaults, withFaults } from './collector-faults.js';

export interface CollectorProcessOptions {
  readonly location: StoreLocation;
  readonly brokers: readonly string[];
  readonly group: string;
  readonly predictions: readonly string[];
  readonly labels: readonly string[];
  readonly limits: Partial<CollectorLimits>;
  /** Saved before anything is read, in a store that is brought up to date first. */
  readonly register?: readonly ModelVersion[];
  readonly faults?: CollectorFaults;
  /** How long an insert that fails is tried again before its partition is said to wait; as the row writer does when left out. */
  readonly retryForMs?: number;
  /** Of the group; short when left out, so that the partitions of dead members are soon given to others. */
  readonly sessionTimeoutMs?: number;
}

/** The service looks every 5 s; a version registered by another process is seen soon. */
const REGISTRY_MS = 1_000;

const options: CollectorProcessOptions = JSON.parse(process.argv[2] ?? '');
const logger = createLogger({ level: 'info' });
const metrics = createMetrics();
const clock = createWallClock();
process.stdout.write(`pid ${process.pid}\n`);
const opened = await createStore({ ...options.location, logger });
if (options.register !== undefined) {
  await opened.migrate();
  for (const version of options.register) await opened.saveModel(version);
}
const { source, store } = withFaults(
  {
    store: opened,
    source: createKafkaSource({
      connection: { brokers: options.brokers },
      group: options.group,
      topics: [...options.predictions, ...options.labels],
      logger,
      metrics,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 6_000,
      unreadableRetryMs: 1_000,
    }),
  },
  options.faults ?? {},
);
const registry = createModelRegistry(store);
await registry.refresh();
const registryTick = setInterval(() => {
  registry.refresh().catch((err: unknown) => logger.warn({ err }, 'cannot read the registered models'));
}, REGISTRY_MS);
const { write } = createRowWriter({
  store,
  metrics,
  clock,
  logger,
  ...(options.retryForMs === undefined ? {} : { retryForMs: options.retryForMs }),
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
let shown = '';
let wasReady = false;
const healthTick = setInterval(() => {
  const { ready, detail } = collector.health();
  if (ready && !wasReady) process.stdout.write('ready\n');
  wasReady ||= ready;
  const text = `health ${ready ? 'ready' : 'unready'}: ${detail}\n`;
  if (text !== shown) process.stdout.write(text);
  shown = text;
}, 20);
process.on('SIGTERM', () => {
  clearInterval(healthTick);
  clearInterval(registryTick);
  void collector
    .stop()
    .then(() => store.close())
    // As the service does: a kafkajs client that was left behind would go on.
    .then(() => process.exit(0));
});
