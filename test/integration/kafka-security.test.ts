import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { KafkaConnection } from '../../src/collectors/kafka-client.js';
import type { KafkaCollector } from '../../src/collectors/kafka-collector.js';
import { collect, events, until } from '../support/kafka-collect.js';
import { SCRAM_USERS, type SecuredBroker, startSecuredBroker } from '../support/kafka-secured-broker.js';
import { createMemoryRowSink } from '../support/memory-row-sink.js';
import { range } from '../support/offsets.js';

const TOPIC = 'secured';
type Security = Pick<KafkaConnection, 'sasl' | 'ssl'>;

describe('kafka collector on a broker with TLS and SCRAM', () => {
  let broker: SecuredBroker;
  let groups = 0;
  const running: KafkaCollector[] = [];

  beforeAll(async () => {
    broker = await startSecuredBroker();
    await broker.createTopic(TOPIC, 1);
    await broker.produce(TOPIC, events(100));
  }, 120_000);
  afterEach(async () => {
    await Promise.all(running.splice(0).map((collector) => collector.stop()));
  });
  afterAll(() => broker?.stop());

  const start = (address: string, { sasl, ssl }: Security) => {
    groups += 1;
    const sink = createMemoryRowSink();
    const { collector } = collect({
      brokers: [address],
      ...(sasl === undefined ? {} : { sasl }),
      ...(ssl === undefined ? {} : { ssl }),
      topic: TOPIC,
      group: `secured-${groups}`,
      sink,
    });
    running.push(collector);
    return { collector, sink };
  };
  const trusted = () => ({ ca: broker.keys.ca });
  const user = (mechanism: keyof typeof SCRAM_USERS) => ({ mechanism, ...SCRAM_USERS[mechanism] });

  it.each<[string, () => string, () => Security]>([
    ['TLS', () => broker.tls, () => ({ ssl: trusted() })],
    [
      'TLS with a certificate of its own',
      () => broker.mutual,
      () => ({ ssl: { ...trusted(), ...broker.keys.client } }),
    ],
    ['SCRAM-SHA-256', () => broker.scram, () => ({ ssl: trusted(), sasl: user('scram-sha-256') })],
    ['SCRAM-SHA-512', () => broker.scram, () => ({ ssl: trusted(), sasl: user('scram-sha-512') })],
  ])('reads over %s', async (_what, address, security) => {
    const { collector, sink } = start(address(), security());
    await until('all stored', () => sink.offsets(TOPIC, 0).length === 100);
    expect(sink.offsets(TOPIC, 0)).toEqual(range(100));
    expect(collector.health().ready).toBe(true);
  });

  it.each<[string, () => string, () => Security, RegExp]>([
    [
      'an authority that did not sign',
      () => broker.tls,
      () => ({ ssl: { ca: broker.keys.otherCa } }),
      /certificate .* check kafka\.ssl\.caFile/,
    ],
    [
      "the system's authorities",
      () => broker.tls,
      () => ({ ssl: true }),
      /certificate .* check kafka\.ssl\.caFile/,
    ],
    ['no TLS', () => broker.tls, () => ({}), /may want kafka\.sasl or kafka\.ssl/],
    [
      'TLS where there is none',
      () => broker.addresses[0] ?? '',
      () => ({ ssl: trusted() }),
      /does not speak TLS.* kafka\.ssl/,
    ],
    [
      'no certificate',
      () => broker.mutual,
      () => ({ ssl: trusted() }),
      /wants a certificate.* kafka\.ssl\.certFile/,
    ],
    [
      'a wrong password',
      () => broker.scram,
      () => ({ ssl: trusted(), sasl: { ...user('scram-sha-512'), password: 'a-wrong-one' } }),
      /refused the credentials of user longer: check kafka\.sasl/,
    ],
    [
      'a user of another mechanism',
      () => broker.scram,
      () => ({ ssl: trusted(), sasl: { ...user('scram-sha-256'), mechanism: 'scram-sha-512' as const } }),
      /refused the credentials of user shorter: check kafka\.sasl/,
    ],
    [
      'a mechanism that is not offered',
      () => broker.scram,
      () => ({ ssl: trusted(), sasl: { ...user('scram-sha-256'), mechanism: 'plain' as const } }),
      /kafka\.sasl\.mechanism/,
    ],
    [
      'SCRAM, and no TLS',
      () => broker.scram,
      () => ({ sasl: user('scram-sha-256') }),
      /may want kafka\.sasl or kafka\.ssl/,
    ],
    ['SCRAM, and no user', () => broker.scram, () => ({ ssl: trusted() }), /may want kafka\.sasl/],
  ])('says what to mend: %s', async (_what, address, security, advice) => {
    const { collector, sink } = start(address(), security());
    // Which of two texts comes first, a certificate that is missed or a closed connection, is the network's choice.
    await until('it says what is wrong', () => advice.test(collector.health().detail)).catch(() =>
      expect(collector.health().detail).toMatch(advice),
    );
    const { ready, detail } = collector.health();
    expect(ready).toBe(false);
    expect(detail).not.toContain('a-wrong-one');
    expect(sink.offsets(TOPIC, 0)).toEqual([]);
  });
});
