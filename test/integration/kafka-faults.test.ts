import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { KafkaCollector } from '../../src/collectors/kafka-collector.js';
import { type KafkaBroker, SASL_USER, startKafkaBroker } from '../support/kafka-broker.js';
import { collect, events, until } from '../support/kafka-collect.js';
import { createMemoryRowSink } from '../support/memory-row-sink.js';
import { ascending, range } from '../support/offsets.js';

describe('kafka collector in trouble', () => {
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

  const setting = () => {
    names += 1;
    return { topic: `faults-${names}`, group: `group-${names}` };
  };
  const start = (options: Parameters<typeof collect>[0]) => {
    const started = collect(options);
    running.push(started.collector);
    return started;
  };

  it('says that no broker answers, and stops at once when told to', async () => {
    const { collector, metrics } = start({
      brokers: ['127.0.0.1:1'],
      ...setting(),
      sink: createMemoryRowSink(),
    });
    await until('not ready', () =>
      /no kafka broker answers at 127\.0\.0\.1:1/.test(collector.health().detail),
    );
    expect(collector.health().ready).toBe(false);
    await until('tried again', async () => ((await metrics.kafkaRestarts.get()).values[0]?.value ?? 0) >= 2);
    const begin = performance.now();
    await collector.stop();
    expect(performance.now() - begin).toBeLessThan(8_000);
  });

  it('reads over an authenticated connection, and names the user when it is refused', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 1);
    await broker.produce(topic, events(100));
    const sink = createMemoryRowSink();
    const sasl = { mechanism: 'plain' as const, ...SASL_USER };
    const good = start({ brokers: [broker.saslAddress], sasl, topic, group, sink });
    await until('all stored', () => sink.offsets(topic, 0).length === 100);
    expect(good.collector.health().ready).toBe(true);

    const wrong = { ...sasl, password: 'a-wrong-one' };
    const bad = start({ brokers: [broker.saslAddress], sasl: wrong, topic, group: `${group}-bad`, sink });
    await until('refused', () => /refused the credentials of user drift/.test(bad.collector.health().detail));
    const none = start({ brokers: [broker.saslAddress], topic, group: `${group}-none`, sink });
    await until('closed', () => /may want kafka\.sasl/.test(none.collector.health().detail));
    expect(bad.collector.health().ready || none.collector.health().ready).toBe(false);
    expect(bad.collector.health().detail).not.toContain('a-wrong-one');
    expect(sink.offsets(topic, 0)).toHaveLength(100);
  });

  it('waits for a topic that does not exist yet', async () => {
    const { topic, group } = setting();
    const sink = createMemoryRowSink();
    const { collector } = start({ brokers: [broker.address], topic, group, sink });
    await until('missing', () => collector.health().detail.includes(`topic(s) ${topic} do not exist`));
    expect(collector.health().ready).toBe(false);
    await broker.createTopic(topic, 1);
    await broker.produce(topic, events(10));
    await until('all stored', () => sink.offsets(topic, 0).length === 10);
    expect(collector.health().ready).toBe(true);
  });

  it('sits out a store that is down for longer than the session, as a member of the group', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 1);
    await broker.produce(topic, events(20_000));
    const sink = createMemoryRowSink();
    let down = true;
    sink.fault = async (_batch, stored) => {
      if (down && !stored) throw new Error('the store is down');
    };
    const { collector, metrics } = start({ brokers: [broker.address], topic, group, sink });
    await until('not ready', () => /wait for the store: the store is down/.test(collector.health().detail));
    // The session lasts 6 s: without heartbeats the group would have thrown it out by then.
    await new Promise((wake) => setTimeout(wake, 8_000));
    expect(sink.offsets(topic, 0)).toEqual([]);
    const [{ offset } = { offset: -1 }] = await broker.committed(group, topic);
    expect(offset).toBe(0);
    down = false;
    await until('all stored', () => sink.offsets(topic, 0).length === 20_000);
    expect(sink.offsets(topic, 0)).toEqual(range(20_000));
    expect(collector.health().ready).toBe(true);
    expect((await metrics.kafkaRebalances.get()).values[0]?.value ?? 0).toBe(0);
    expect((await metrics.kafkaRestarts.get()).values[0]?.value ?? 0).toBe(0);
  });

  it('shares the partitions of a group, hands them over, and stores each offset once', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 6);
    const sink = createMemoryRowSink();
    const perPartition = 3_000;
    const produce = async (from: number) => {
      for (const partition of range(6))
        await broker.produce(topic, events(perPartition / 2, from), { partition });
    };
    await produce(0);
    // Slow enough that members come and go in the middle of inserts.
    sink.fault = async () => {
      await new Promise((wake) => setTimeout(wake, 15));
    };
    const options = { brokers: [broker.address], topic, group, sink };
    start(options);
    await until('some stored', () => sink.offsets(topic, 0).length > 0);
    const second = start(options);
    await until('shared', () => second.collector.health().ready);
    const third = start(options);
    await produce(10_000);
    await until('shared by three', () => third.collector.health().ready);
    await second.collector.stop();
    await until('all stored', () =>
      range(6).every((partition) => sink.offsets(topic, partition).length >= perPartition),
    );
    for (const partition of range(6)) {
      expect(ascending(sink.offsets(topic, partition))).toEqual(range(perPartition));
    }
  });

  it('reads a topic that was deleted and made anew from its start', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 1);
    await broker.produce(topic, events(200));
    const first = createMemoryRowSink();
    const before = start({ brokers: [broker.address], topic, group, sink: first });
    await until('all stored', () => first.offsets(topic, 0).length === 200);
    await before.collector.stop();
    await broker.deleteTopic(topic);
    await until('made anew', async () => {
      try {
        await broker.createTopic(topic, 1);
        return true;
      } catch {
        // The old one is still being deleted.
        return false;
      }
    });
    await broker.produce(topic, events(300, 1_000));
    // The same store: offsets 0 to 199 of the new topic are other records than those of the old one.
    start({ brokers: [broker.address], topic, group, sink: first });
    await until('all stored', () => first.offsets(topic, 0).length === 500);
    expect(ascending(first.offsets(topic, 0))).toEqual(ascending([...range(200), ...range(300)]));
  });

  it('counts records that retention took before they were read', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 1);
    await broker.produce(topic, events(50));
    const sink = createMemoryRowSink();
    const before = start({ brokers: [broker.address], topic, group, sink });
    await until('all stored', () => sink.offsets(topic, 0).length === 50);
    await until('committed', async () => (await broker.committed(group, topic))[0]?.offset === 50);
    await before.collector.stop();
    await broker.produce(topic, events(100, 50));
    await broker.deleteRecordsBefore(topic, 0, 90);
    const { metrics } = start({ brokers: [broker.address], topic, group, sink });
    await until('the rest stored', () => sink.offsets(topic, 0).length === 110);
    expect((await metrics.kafkaRecordsLost.get()).values).toEqual([{ labels: { topic }, value: 40 }]);
    expect(sink.offsets(topic, 0).slice(50)).toEqual(range(150).slice(90));
  });

  it('counts records that retention took from under a reader that waits for its store', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 1);
    const sink = createMemoryRowSink();
    let open: () => void = () => undefined;
    const store = new Promise<void>((resolve) => {
      open = resolve;
    });
    sink.fault = () => store;
    const { metrics } = start({ brokers: [broker.address], topic, group, sink });
    // More than it holds, so that it stops reading.
    await broker.produce(topic, events(20_000));
    const held = async () => (await metrics.kafkaPending.get()).values[0]?.value ?? 0;
    await until('it holds what it may', async () => {
      const before = await held();
      await new Promise((wake) => setTimeout(wake, 1_500));
      return before >= 500 && (await held()) === before;
    });
    await broker.deleteRecordsBefore(topic, 0, 19_900);
    open();
    await until('the rest stored', () => sink.offsets(topic, 0).includes(19_999));
    const offsets = ascending(sink.offsets(topic, 0));
    const read = offsets.filter((offset) => offset < 19_900).length;
    expect(read).toBeLessThan(19_000);
    expect(offsets).toEqual([...range(read), ...range(20_000).slice(19_900)]);
    expect((await metrics.kafkaRecordsLost.get()).values).toEqual([
      { labels: { topic }, value: 19_900 - read },
    ]);
    await until('committed', async () => (await broker.committed(group, topic))[0]?.offset === 20_000);
  });

  it('rides out brokers that are killed and come back', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 2);
    await broker.produce(topic, events(2_000), { partition: 0 });
    const sink = createMemoryRowSink();
    sink.fault = async () => {
      await new Promise((wake) => setTimeout(wake, 20));
    };
    const { collector } = start({ brokers: [broker.address], topic, group, sink });
    await until('some stored', () => sink.offsets(topic, 0).length > 0);
    await broker.kill();
    await until('not ready', () => !collector.health().ready);
    await broker.restart();
    await broker.produce(topic, events(1_000), { partition: 1 });
    await until(
      'all stored',
      () => sink.offsets(topic, 0).length >= 2_000 && sink.offsets(topic, 1).length >= 1_000,
    );
    await until('ready', () => collector.health().ready);
    expect(ascending(sink.offsets(topic, 0))).toEqual(range(2_000));
    expect(ascending(sink.offsets(topic, 1))).toEqual(range(1_000));
  });
});
