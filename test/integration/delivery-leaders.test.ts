import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DeliveryRig, startDeliveryRigOn } from '../support/delivery-rig.js';
import { withDelivery } from '../support/delivery-scenarios.js';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.js';
import { until } from '../support/kafka-collect.js';
import type { CollectorProcess } from '../support/kafka-collector-process.js';

/** Times that the whole client was replaced. */
const restartsOf = (process: CollectorProcess) =>
  process
    .log()
    .split('\n')
    .filter((line) => line.includes('"retryInMs"') && !line.includes('the partition waits')).length;

describe('delivery, when leaders move', () => {
  let rig: DeliveryRig<KafkaCluster>;
  beforeAll(async () => {
    rig = await startDeliveryRigOn(startKafkaCluster());
  }, 300_000);
  afterAll(() => rig?.stop());

  it(
    'to another broker, away from one that is killed, and back: no crash loop, every offset once',
    () =>
      withDelivery({ rig, name: 'leaders' }, 'embedded', async (delivery) => {
        const { broker: cluster } = rig;
        const [predictions = ''] = delivery.topics;
        const process = delivery.start();
        /** Strikes while it reads; then all that was written is read, of every partition. */
        const strike = async (blow: () => Promise<void>) => {
          await delivery.produce(1_000);
          await blow();
          await delivery.produce(100);
          await delivery.untilDone(process);
        };
        await strike(() => until('it stores', () => process.log().includes('step inserted')));

        const victim = await cluster.coordinator();
        const leaders = await cluster.leaders(predictions);
        const moved = leaders.findIndex((leader) => leader !== victim);
        await strike(() => cluster.moveLeader(predictions, moved, victim));
        // Two partitions lose their leader, and the group its coordinator.
        await strike(() => cluster.kill(victim));
        expect(await cluster.leaders(predictions)).not.toContain(victim);
        await strike(async () => {
          await cluster.restart(victim);
          await until('it leads again', async () => (await cluster.leaders(predictions)).includes(victim));
        });
        // kafkajs asks the dead coordinator for a while; then it is replaced.
        expect(restartsOf(process)).toBeLessThanOrEqual(3);
        await process.kill();
        expect(await delivery.violations()).toEqual([]);
      }),
    900_000,
  );
});
