import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaCollector } from '../../src/collectors/kafka-collector.js';
import { createInnerCluster } from '../../src/collectors/kafkajs-inner.js';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { collect, events, until } from '../support/kafka-collect.js';
import { createMemoryRowSink } from '../support/memory-row-sink.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

const JOIN_GROUP_API = 11;

describe('kafka collectors that join their group', () => {
  let broker: KafkaBroker;
  let proxy: TcpProxy;
  let names = 0;
  const running: KafkaCollector[] = [];

  beforeAll(async () => {
    proxy = await startTcpProxy();
    broker = await startKafkaBroker({ proxyPort: proxy.port });
    proxy.target = broker.proxiedPort;
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((collector) => collector.stop()));
  });
  afterAll(async () => {
    await broker.stop();
    await proxy.stop();
  });

  const setting = () => {
    names += 1;
    return { topic: `joins-${names}`, group: `group-${names}` };
  };
  const start = (options: Parameters<typeof collect>[0]) => {
    const started = collect(options);
    running.push(started.collector);
    return started;
  };

  /** With a member in the group that stops to answer, within its long session, once it is told to hold. */
  async function whileHolding(
    { topic, group }: { topic: string; group: string },
    use: (hold: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const kafka = new Kafka({ brokers: [broker.address], clientId: 'holder', logLevel: logLevel.NOTHING });
    const holder = kafka.consumer({ groupId: group, sessionTimeout: 240_000, rebalanceTimeout: 240_000 });
    let assigned: readonly number[] = [];
    holder.on(holder.events.GROUP_JOIN, ({ payload }) => {
      assigned = payload.memberAssignment[topic] ?? [];
    });
    let holds = false;
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    try {
      await holder.connect();
      await holder.subscribe({ topic, fromBeginning: true });
      await holder.run({
        eachBatch: async () => {
          holds = true;
          await released;
        },
      });
      await use(async () => {
        await until('the holder is given a partition', () => assigned.length > 0);
        await broker.produce(topic, events(1), { partition: assigned[0] as number });
        await until('it holds', () => holds);
      });
    } finally {
      release();
      await holder.disconnect();
    }
  }

  /** As the brokers do with members that they do not hear of. */
  async function expelAll(group: string): Promise<void> {
    const members = await broker.withAdmin(
      async (admin) => (await admin.describeGroups([group])).groups[0]?.members,
    );
    const cluster = createInnerCluster(new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }));
    await cluster.connect();
    try {
      const coordinator = await cluster.findGroupCoordinator({ groupId: group });
      for (const { memberId } of members ?? []) await coordinator.leaveGroup({ groupId: group, memberId });
    } finally {
      await cluster.disconnect();
    }
  }

  it('have left when they have stopped, told to end while they joined anew or again', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 3);
    const { brokers, sink } = { brokers: [broker.address], sink: createMemoryRowSink() };
    const again = start({ brokers, topic, group, sink });
    await until('it joined', () => again.collector.health().ready);
    await whileHolding({ topic, group }, async (hold) => {
      // Rebalances wait from here on for a member that does not hear of them.
      await hold();
      const rebalances = async () => (await again.metrics.kafkaRebalances.get()).values[0]?.value ?? 0;
      const before = await rebalances();
      const anew = start({ brokers, topic, group, sink });
      const members = () =>
        broker.withAdmin(async (admin) => {
          const { groups } = await admin.describeGroups([group]);
          return (groups[0]?.members ?? []).map(({ clientId }) => clientId).sort();
        });
      await until('both join', async () => (await rebalances()) > before && (await members()).length === 3);
      await Promise.all([again.collector.stop(), anew.collector.stop()]);
      expect(await members()).toEqual(['holder']);
    });
  });

  it('are replaced when they hang before they have joined for the first time', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 1);
    await broker.produce(topic, events(10));
    let swallowed = true;
    // Of a request the number of its kind comes behind its length.
    proxy.fault = ({ direction, bytes }) =>
      swallowed && direction === 'up' && bytes.length > 6 && bytes.readInt16BE(4) === JOIN_GROUP_API
        ? { pass: 0, end: 'silence' }
        : null;
    const sink = createMemoryRowSink();
    const brokers = [`127.0.0.1:${proxy.port}`];
    // Longer than a busy machine takes to join: those that are replaced while they do stay members until their session is over.
    const { collector } = start({ brokers, topic, group, sink, stallTimeoutMs: 15_000 });
    await until('it is taken for dead', () => /no sign of life for/.test(collector.health().detail));
    swallowed = false;
    await until('all stored', () => sink.offsets(topic, 0).length === 10);
    expect(collector.health().ready).toBe(true);
  });

  it('are replaced when the brokers expel them, and the join that follows fails', async () => {
    const { topic, group } = setting();
    await broker.createTopic(topic, 1);
    const sink = createMemoryRowSink();
    const brokers = [`127.0.0.1:${proxy.port}`];
    const { collector } = start({ brokers, topic, group, sink, stallTimeoutMs: 15_000 });
    await until('it joined', () => collector.health().ready);
    let failed = 0;
    proxy.fault = ({ direction, bytes }) => {
      if (failed > 0 || direction === 'down' || bytes.length <= 6 || bytes.readInt16BE(4) !== JOIN_GROUP_API)
        return null;
      failed += 1;
      return { pass: 0, end: 'reset' };
    };
    await expelAll(group);
    await until('its join failed', () => failed > 0);
    await broker.produce(topic, events(10));
    await until('all stored', () => sink.offsets(topic, 0).length === 10);
  });
});
