import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { createKafkaClient } from '../../src/collectors/kafka-client.js';
import type { KafkaCollector } from '../../src/collectors/kafka-collector.js';
import { openKafkaSession } from '../../src/collectors/kafka-session.js';
import { createKafkaSource } from '../../src/collectors/kafka-source.js';
import type { LogRecord } from '../../src/collectors/log-source.js';
import { createLogger } from '../../src/logger.js';
import { createMetrics } from '../../src/metrics.js';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { collect, events, until } from '../support/kafka-collect.js';
import type { Codec } from '../support/kafka-log.js';
import { createMemoryRowSink } from '../support/memory-row-sink.js';
import { ascending, range } from '../support/offsets.js';

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

  const start = (options: Omit<Parameters<typeof collect>[0], 'brokers'>) => {
    const started = collect({ brokers: [broker.address], ...options });
    running.push(started.collector);
    return started;
  };

  it('accounts for every offset of predictions and labels, and commits behind them', async () => {
    const { topic, labels, group } = setting();
    await broker.createTopic(topic, 3);
    await broker.createTopic(labels, 1);
    await broker.produce(topic, [...events(1_500), 'not json', '[1]', '{}'], { partition: 0 });
    await broker.produce(topic, events(2_500, 1_500), { partition: 1 });
    await broker.produce(topic, events(1_000, 4_000), { partition: 2 });
    await broker.produce(labels, events(1_000));
    const sink = createMemoryRowSink();
    const { collector, metrics } = start({ topic, labels, group, sink });
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
      start({ topic, group, sink });
      start({ topic: packed.topic, group: packed.group, sink });
      await until('all stored', () =>
        [topic, packed.topic].every((name) => sink.offsets(name, 0).length >= 1_000),
      );
      expect(sink.offsets(topic, 0)).toEqual(range(1_000));
      expect(sink.offsets(packed.topic, 0)).toEqual(range(1_000));
      expect(sink.reasons()).toEqual([]);
    },
  );

  it('reads on when a partition is resumed before it is paused', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 1);
    await broker.produce(topic, events(5));
    const source = createKafkaSource({
      connection: { brokers: [broker.address] },
      group,
      topics: [topic],
      logger: createLogger({ level: 'silent' }),
      metrics: createMetrics(),
      maxWaitMs: 100,
    });
    const asked: number[] = [];
    let end = 0;
    source.start({
      assigned: (_, positions) => positions.map((position) => ({ ...position, offset: position.logStart })),
      batch: async (_, { records, nextOffset }) => {
        const first = records.at(0)?.offset ?? -1;
        asked.push(first);
        if (asked.length === 1) {
          // There was no room; it comes before the answer does.
          source.resume({ topic, partition: 0 });
          return first;
        }
        end = nextOffset;
        return nextOffset;
      },
      revoked: () => undefined,
      ends: () => undefined,
    });
    try {
      await until('read to the end', () => end === 5);
    } finally {
      await source.stop();
    }
    expect(asked.slice(0, 2)).toEqual([0, 0]);
  });

  it('reads what kafkajs decodes itself, as it does of brokers before 2.3', async () => {
    const { topic } = setting();
    await broker.createTopic(topic, 1);
    const sent = events(30).map((value, i) => ({
      value,
      headers: { n: String(i) },
      timestamp: String(1e12 + i),
    }));
    await broker.withProducer(async (producer) => {
      for (const part of [0, 10, 20]) await producer.send({ topic, messages: sent.slice(part, part + 10) });
    });
    const logger = createLogger({ level: 'silent' });
    const readBy = async (kafka: Kafka, group: string) => {
      const records: LogRecord[] = [];
      const session = await openKafkaSession({
        kafka,
        group,
        topics: [topic],
        logger,
        handler: {
          // From the middle of a batch.
          assigned: (_, positions) => positions.map((position) => ({ ...position, offset: 13 })),
          batch: async (_, batch) => {
            for (let i = 0; i < batch.records.length; i += 1) records.push(batch.records.at(i) as LogRecord);
            return batch.nextOffset;
          },
          revoked: () => undefined,
          ends: () => undefined,
        },
        nextGeneration: () => 1,
        onJoined: () => undefined,
        onRebalancing: () => undefined,
        onUnreadable: () => undefined,
        onReadable: () => undefined,
        unreadableRetryMs: 30_000,
        onAlive: () => undefined,
        sessionTimeoutMs: 6_000,
        maxWaitMs: 100,
        endsIntervalMs: 60_000,
        signal: new AbortController().signal,
      });
      try {
        await until('read to the end', () => records.at(-1)?.offset === 29);
      } finally {
        await session.close();
      }
      return records;
    };
    const plain = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
    const theirs = await readBy(plain, `${topic}-theirs`);
    const ours = await readBy(createKafkaClient({ brokers: [broker.address] }, logger), `${topic}-ours`);
    expect(theirs.map(({ offset }) => offset)).toEqual(range(30).slice(13));
    expect(ours).toEqual(theirs);
  });

  it('takes what transactions committed, nothing of those they aborted, and reads on behind them', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 1);
    const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
    const producers = ['a', 'b'].map((name) =>
      kafka.producer({ transactionalId: `${topic}-${name}`, idempotent: true, maxInFlightRequests: 1 }),
    );
    const kept: number[] = [];
    let offset = 0;
    try {
      await Promise.all(producers.map((producer) => producer.connect()));
      for (let round = 0; round < 4; round += 1) {
        // Both at once, so that their batches lie between each other's.
        const open = await Promise.all(producers.map((producer) => producer.transaction()));
        for (const [index, transaction] of open.entries())
          for (let part = 0; part < 2; part += 1) {
            const messages = events(10, 1_000 * round + 100 * index + 10 * part).map((value) => ({ value }));
            await transaction.send({ topic, messages });
            if ((round + index) % 2 === 0) kept.push(...messages.map((_, i) => offset + i));
            offset += messages.length;
          }
        for (const [index, transaction] of open.entries()) {
          await ((round + index) % 2 === 0 ? transaction.commit() : transaction.abort());
          offset += 1; // the marker
        }
      }
    } finally {
      await Promise.all(producers.map((producer) => producer.disconnect()));
    }
    const sink = createMemoryRowSink();
    const { metrics } = start({ topic, group, sink });
    await until('all stored', () => sink.offsets(topic, 0).length >= kept.length);
    expect(sink.offsets(topic, 0)).toEqual(kept);
    // The last record of the log is a marker: the position is behind it all the same.
    await until('committed', async () => (await broker.committed(group, topic))[0]?.offset === offset);
    await until('no lag', async () =>
      (await metrics.kafkaLag.get()).values.every(({ value }) => value === 0),
    );
    await broker.produce(topic, events(1, 9_000));
    await until('one more', () => sink.offsets(topic, 0).length > kept.length);
    expect(sink.offsets(topic, 0)).toEqual([...kept, offset]);
  });
});
