import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafkaCollector, type KafkaCollector } from '../../src/collectors/kafka-collector.js';
import { createKafkaSource, type KafkaSourceOptions } from '../../src/collectors/kafka-source.js';
import { createLogger } from '../../src/logger.js';
import { createMetrics, type Metrics } from '../../src/metrics.js';
import { EVENT_DECODERS } from '../support/event-decoders.js';
import { type Codec, type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { createMemoryRowSink, type MemoryRowSink } from '../support/memory-row-sink.js';

const logger = createLogger({ level: process.env.TEST_LOG_LEVEL ?? 'silent' });
const events = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ id: `r${from + i}`, pad: 'x'.repeat(200) }));
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const ascending = (values: number[]) => [...values].sort((a, b) => a - b);

async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

describe('kafka collector on a real broker', () => {
  let broker: KafkaBroker;
  let names = 0;
  const running: KafkaCollector[] = [];

  beforeAll(async () => {
    broker = await startKafkaBroker();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((collector) => collector.stop()));
  });
  afterAll(() => broker.stop());

  /** A fresh topic and group for one test. */
  const setting = () => {
    names += 1;
    return { topic: `predictions-${names}`, labels: `labels-${names}`, group: `group-${names}` };
  };

  function collect(options: {
    topic: string;
    labels?: string | undefined;
    group: string;
    sink: MemoryRowSink;
    source?: Partial<KafkaSourceOptions>;
  }): { collector: KafkaCollector; metrics: Metrics } {
    const metrics = createMetrics();
    const labels = options.labels === undefined ? [] : [options.labels];
    const source = createKafkaSource({
      connection: { brokers: [broker.address] },
      group: options.group,
      topics: [options.topic, ...labels],
      logger,
      metrics,
      sessionTimeoutMs: 6_000,
      maxWaitMs: 100,
      minBackoffMs: 100,
      maxBackoffMs: 500,
      endsIntervalMs: 300,
      ...options.source,
    });
    let epochs = 0;
    const collector = createKafkaCollector({
      source,
      predictionTopics: [options.topic],
      labelTopics: labels,
      decoders: EVENT_DECODERS,
      write: options.sink.write,
      audit: options.sink,
      metrics,
      logger,
      newEpoch: () => {
        epochs += 1;
        return `${process.pid}-${epochs}`;
      },
      limits: { maxRows: 500, lingerMs: 100, minBackoffMs: 50, maxBackoffMs: 200 },
    });
    collector.start();
    running.push(collector);
    return { collector, metrics };
  }

  it('accounts for every offset of predictions and labels, and commits behind them', async () => {
    const { topic, labels, group } = setting();
    await broker.createTopic(topic, 3);
    await broker.createTopic(labels, 1);
    await broker.produce(topic, [...events(1_500), 'not json', '[1]', '{}'], { partition: 0 });
    await broker.produce(topic, events(2_500, 1_500), { partition: 1 });
    await broker.produce(topic, events(1_000, 4_000), { partition: 2 });
    await broker.produce(labels, events(1_000));
    const sink = createMemoryRowSink();
    const { collector, metrics } = collect({ topic, labels, group, sink });
    const ends = await broker.endOffsets(topic);
    expect(ends).toEqual([1_503, 2_500, 1_000]);
    await until(
      'all stored',
      () =>
        ends.every((end, partition) => sink.offsets(topic, partition).length === end) &&
        sink.offsets(labels, 0).length === 1_000,
    );
    ends.forEach((end, partition) => {
      expect(ascending(sink.offsets(topic, partition))).toEqual(range(end));
    });
    expect(sink.reasons().sort()).toEqual(['malformed_json', 'missing_field', 'missing_field']);
    expect(collector.health()).toEqual({ ready: true, detail: expect.stringContaining('4 partition(s)') });
    await until('committed', async () => {
      const committed = await broker.committed(group, topic);
      return ends.every((end, partition) => committed[partition]?.offset === end);
    });
    const [first] = await broker.committed(group, topic);
    expect(JSON.parse(first?.metadata ?? '')).not.toHaveProperty('s');
    await until('no lag', async () =>
      (await metrics.kafkaLag.get()).values.every(({ value }) => value === 0),
    );
    expect((await metrics.kafkaLag.get()).values).toHaveLength(4);
  });

  it.each<Codec>(['gzip', 'snappy', 'lz4', 'zstd'])(
    'reads %s from librdkafka and from Java',
    async (codec) => {
      const { topic, group } = setting();
      await broker.createTopic(topic, 1);
      await broker.produce(topic, events(1_000), { codec });
      // The broker packs these itself, with the Java codecs, whose frames differ.
      const packed = setting();
      await broker.createTopic(packed.topic, 1, { 'compression.type': codec });
      await broker.produce(packed.topic, events(1_000));
      const sink = createMemoryRowSink();
      collect({ topic, group, sink });
      collect({ topic: packed.topic, group: packed.group, sink });
      await until('all stored', () =>
        [topic, packed.topic].every((name) => sink.offsets(name, 0).length >= 1_000),
      );
      expect(sink.offsets(topic, 0)).toEqual(range(1_000));
      expect(sink.offsets(packed.topic, 0)).toEqual(range(1_000));
      expect(sink.reasons()).toEqual([]);
    },
  );
});
