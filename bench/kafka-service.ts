// The service's way: `node … ADDRESS TOPIC EVENTS DATA_DIR` reads the topic into the embedded store, until all is queryable.
import { createWallClock } from '../src/clock.js';
import { createKafkaCollector } from '../src/collectors/kafka-collector.js';
import { createKafkaSource } from '../src/collectors/kafka-source.js';
import { createRecordDecoders } from '../src/collectors/record-decoders.js';
import { createRowWriter } from '../src/collectors/row-writer.js';
import { letHeapGrow } from '../src/heap-growth.js';
import { createModelRegistry } from '../src/jobs/model-registry.js';
import { createLogger } from '../src/logger.js';
import { createMetrics } from '../src/metrics.js';
import { createStore } from '../src/store/store.js';

const [address = '', topic = '', events = '', dataDir = ''] = process.argv.slice(2);
letHeapGrow();
const numeric = ['distance', 'hour', 'temp', 'dewp', 'humid', 'wind_dir', 'wind_speed', 'wind_gust'];
numeric.push('precip', 'pressure', 'visib');
const logger = createLogger({ level: 'warn' });
const metrics = createMetrics();
const clock = createWallClock();
const store = await createStore({ kind: 'embedded', dataDir, logger });
await store.migrate();
await store.saveModel({
  model: 'flight-delay',
  modelVersion: '1',
  schema: {
    task: 'binary',
    features: [
      ...numeric.map((name) => ({ name, kind: 'numeric' as const })),
      ...['carrier', 'origin', 'dest', 'weekday'].map((name) => ({ name, kind: 'categorical' as const })),
    ],
  },
  registeredAtMs: 0,
});
const registry = createModelRegistry(store);
await registry.refresh();
const { write } = createRowWriter({ store, metrics, clock, logger });
const decoders = createRecordDecoders({
  featureKinds: registry.featureKinds,
  earliestMs: () => 0,
  wallClock: clock.now,
  logger,
});
let startMs = 0;
let startCpu = process.cpuUsage();
let stored = 0;
let done: () => void = () => undefined;
const all = new Promise<void>((resolve) => {
  done = resolve;
});
const collector = createKafkaCollector({
  source: createKafkaSource({
    connection: { brokers: [address] },
    group: `service-${process.pid}`,
    topics: [topic],
    logger,
    metrics,
  }),
  predictionTopics: [topic],
  labelTopics: [],
  decoders: {
    ...decoders,
    read: (...record) => {
      if (startMs === 0) {
        startMs = performance.now();
        startCpu = process.cpuUsage();
      }
      return decoders.read(...record);
    },
  },
  write: async (batch) => {
    await write(batch);
    stored += batch.predictions.length;
    if (stored >= Number(events)) done();
  },
  newPredictions: store.newPredictions,
  audit: store,
  metrics,
  logger,
});
collector.start();
await all;
const seconds = (performance.now() - startMs) / 1_000;
const { user, system } = process.cpuUsage(startCpu);
const { predictions } = await store.totals();
process.stdout.write(
  `${JSON.stringify({ stored: predictions, seconds, cpuSeconds: (user + system) / 1e6, rssMb: process.memoryUsage.rss() / 1e6 })}\n`,
);
await collector.stop();
await store.close();
