import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CompressionTypes } from 'kafkajs';
import { breakBrokers, loseInsert } from '../support/delivery-outages.js';
import { type DeliveryRig, startDeliveryRig } from '../support/delivery-rig.js';
import { withDelivery } from '../support/delivery-scenarios.js';
import type { KafkaBroker } from '../support/kafka-broker.js';
import { until } from '../support/kafka-collect.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

describe('delivery over a bad network', () => {
  let rig: DeliveryRig<KafkaBroker>;
  let proxy: TcpProxy;
  beforeAll(async () => {
    proxy = await startTcpProxy();
    rig = await startDeliveryRig({ proxyPort: proxy.port });
    proxy.target = rig.broker.proxiedPort;
  });
  afterEach(() => {
    proxy.fault = () => null;
    proxy.latencyMs = 0;
  });
  afterAll(async () => {
    await rig.stop();
    await proxy.stop();
  });
  const round = (name: string) => ({ rig, name, round: 1, random: () => 0.5 });

  it('brokers behind resets, cut answers and silence longer than the session: every offset once', async () => {
    const { violations } = await breakBrokers(round('brokers'), proxy);
    expect(violations).toEqual([]);
  }, 1_200_000);

  it('a store that answers an insert never or in part: it is repeated, and every offset is stored once', async () => {
    const outcomes = await Promise.all([
      loseInsert(round('silent-answer'), { lost: 'answer', end: 'silence' }),
      loseInsert(round('silent-request'), { lost: 'request', end: 'silence' }),
      loseInsert(round('closed-answer'), { lost: 'answer', end: 'close' }),
    ]);
    expect(outcomes.map(({ violations }) => violations)).toEqual([[], [], []]);
  }, 1_200_000);

  it('a batch that unpacks to more than 128 MiB stops reading before it, in bounded memory', () =>
    withDelivery(round('bomb'), 'embedded', async (delivery) => {
      await delivery.produce(200);
      const process = delivery.start();
      await delivery.untilDone(process);
      const done = await delivery.committed();
      const [topic = ''] = delivery.topics;
      const value = Buffer.alloc(1_024 * 1_024);
      const messages = Array.from({ length: 140 }, () => ({ value, partition: 0 }));
      await rig.broker.withProducer(async (producer) => {
        await producer.send({ topic, messages, compression: CompressionTypes.GZIP });
      });
      await until('it says why it stops', () =>
        process.log().includes('sent a batch that cannot be unpacked, reading stops before it'),
      );
      const pid = /^pid (\d+)$/m.exec(process.log())?.[1];
      const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      expect(Number(peak) / 1_024).toBeLessThan(1_024);
      await process.kill();
      expect(await delivery.committed()).toBe(done);
      expect(await delivery.commitViolations()).toEqual([]);
    }));

  it('a batch that the disk of a broker has damaged stops reading before it, is not stored, and is read when it is whole again', () =>
    withDelivery(round('disk'), 'embedded', async (delivery) => {
      await delivery.produce(100);
      const first = delivery.start();
      await delivery.untilDone(first);
      await first.kill();
      const done = await delivery.committed();
      const [topic = ''] = delivery.topics;
      await rig.broker.produce(topic, [JSON.stringify({ mark: 'a letter in it is to change' })], {
        partition: 0,
      });
      const log = join(rig.broker.logDirectory, `${topic}-0`, '00000000000000000000.log');
      const at = readFileSync(log).indexOf('a letter in it');
      const write = (letter: string) => {
        const file = openSync(log, 'r+');
        writeSync(file, letter, at);
        closeSync(file);
      };
      write('A');
      const second = delivery.start({ late: true });
      await until('it says why it stops', () => /reading stops before it: .*checksum/.test(second.log()));
      // The other partitions go on, and all that is said of health is this one.
      await delivery.produce(100);
      await until('the others are read', async () => (await delivery.committed()) === done + 250);
      const committed = async () => (await rig.broker.committed(delivery.group, topic))[0]?.offset;
      expect(await committed()).toBe(100);
      write('a');
      await until('what was damaged is read', async () => (await committed()) === 201);
      expect(second.log()).toContain('the batch that could not be read was read');
      await second.kill();
      expect(await delivery.commitViolations()).toEqual([]);
    }));
});
