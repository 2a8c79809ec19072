import { describe, expect, it } from '@jest/globals';
import { type Admin, type Consumer, Kafka } from 'kafkajs';
import { openKafkaSession } from '../../../src/collectors/kafka-session.js';
import { createSilentLogger } from '../../support/silent-logger.js';

const never = () => new Promise<never>(() => undefined);
const EVENTS = [
  'GROUP_JOIN',
  'REBALANCING',
  'HEARTBEAT',
  'FETCH',
  'COMMIT_OFFSETS',
  'START_BATCH_PROCESS',
  'CRASH',
] as const;

/** A session on a client whose events are told here, and which never hears where its partitions stand. */
async function openOnFake() {
  const listeners = new Map<string, (event: unknown) => void>();
  const nothing = async () => undefined;
  const consumer = {
    events: Object.fromEntries(EVENTS.map((name) => [name, name])),
    on: (name: string, listener: (event: unknown) => void) => listeners.set(name, listener),
    connect: nothing,
    subscribe: nothing,
    run: nothing,
    disconnect: nothing,
    pause: () => undefined,
  };
  const admin = {
    connect: nothing,
    disconnect: nothing,
    listTopics: async () => ['events'],
    describeCluster: never,
    fetchOffsets: never,
    fetchTopicOffsets: never,
  };
  const kafka = new Kafka({ brokers: ['127.0.0.1:1'] });
  kafka.consumer = () => consumer as unknown as Consumer;
  kafka.admin = () => admin as unknown as Admin;
  for (const symbol of Object.getOwnPropertySymbols(kafka))
    if (symbol.description === 'private:Kafka:createCluster')
      Reflect.set(kafka, symbol, () => ({ connect: never }));
  let revocations = 0;
  let signs = 0;
  const session = await openKafkaSession({
    kafka,
    group: 'group',
    topics: ['events'],
    logger: createSilentLogger(),
    handler: {
      assigned: () => [],
      batch: async () => -1,
      revoked: () => {
        revocations += 1;
      },
      ends: () => undefined,
    },
    nextGeneration: () => 1,
    onJoined: () => undefined,
    onRebalancing: () => undefined,
    onUnreadable: () => undefined,
    onReadable: () => undefined,
    unreadableRetryMs: 30_000,
    onAlive: () => {
      signs += 1;
    },
    sessionTimeoutMs: 6_000,
    maxWaitMs: 100,
    endsIntervalMs: 60_000,
    signal: new AbortController().signal,
  });
  const tell = (name: (typeof EVENTS)[number]) =>
    listeners.get(name)?.({ payload: { memberAssignment: { events: [0] } } });
  return { session, tell, revocations: () => revocations, signs: () => signs };
}

describe('a session of the kafka client', () => {
  it('leaves the handler to the next one when it is closed, whatever kafkajs still tells', async () => {
    const { session, tell, revocations } = await openOnFake();
    tell('GROUP_JOIN');
    expect(revocations()).toBe(1);
    await session.close();
    const before = revocations();
    tell('REBALANCING');
    tell('GROUP_JOIN');
    expect(revocations()).toBe(before);
  });

  it('gives no sign of life while it does not know where to read, though the group hears of it', async () => {
    const { session, tell, signs } = await openOnFake();
    tell('HEARTBEAT');
    tell('GROUP_JOIN');
    const joined = signs();
    expect(joined).toBeGreaterThan(0);
    tell('HEARTBEAT');
    tell('FETCH');
    expect(signs()).toBe(joined);
    tell('REBALANCING');
    expect(signs()).toBeGreaterThan(joined);
    await session.close();
  });

  it('gives no sign of life by fetching alone: kafkajs does so without being a member', async () => {
    const { session, tell, signs } = await openOnFake();
    const before = signs();
    tell('FETCH');
    expect(signs()).toBe(before);
    tell('HEARTBEAT');
    expect(signs()).toBe(before + 1);
    await session.close();
  });

  it('is broken when kafkajs goes on with partitions that were revoked', async () => {
    const { session, tell } = await openOnFake();
    tell('GROUP_JOIN');
    tell('HEARTBEAT');
    tell('REBALANCING');
    tell('GROUP_JOIN');
    tell('HEARTBEAT');
    const early = await Promise.race([session.broken, Promise.resolve('whole')]);
    expect(early).toBe('whole');
    tell('REBALANCING');
    tell('HEARTBEAT');
    expect(await session.broken).toMatchObject({ message: expect.stringContaining('without having joined') });
    await session.close();
  });
});
