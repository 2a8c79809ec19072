import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { BRIDGE_PASSWORD, type DeliveryRig, startDeliveryRig } from '../support/delivery-rig.js';
import { withDelivery } from '../support/delivery-scenarios.js';
import { until } from '../support/kafka-collect.js';

describe('delivery into a store that answers errors', () => {
  let rig: DeliveryRig;
  let operator: StoreClient;
  beforeAll(async () => {
    rig = await startDeliveryRig();
    operator = await createStoreClient({
      kind: 'http',
      url: rig.bridge.url,
      database: 'plumbline',
      username: 'default',
      password: BRIDGE_PASSWORD,
    });
  });
  afterAll(async () => {
    await operator?.close();
    await rig?.stop();
  });

  it.each([
    [
      'too many parts',
      'ALTER TABLE predictions MODIFY SETTING parts_to_delay_insert = 1, parts_to_throw_insert = 1',
      'ALTER TABLE predictions RESET SETTING parts_to_delay_insert, parts_to_throw_insert',
      /engine error 252/,
    ],
    [
      'a missing table',
      'RENAME TABLE predictions TO predictions_away',
      'RENAME TABLE predictions_away TO predictions',
      /engine error 60/,
    ],
    [
      'a column that is gone',
      'ALTER TABLE predictions RENAME COLUMN latency_ms TO latency_away',
      'ALTER TABLE predictions RENAME COLUMN latency_away TO latency_ms',
      /engine error (10|16|47)/,
    ],
  ])(
    '%s: partitions wait, commits stand still, and every offset is stored once when it is mended',
    async (what, harm, mend, reason) => {
      const name = what.replaceAll(' ', '-');
      await withDelivery({ rig, name }, 'http', async (delivery) => {
        await delivery.produce(300);
        const process = delivery.start();
        await delivery.untilDone(process);
        await operator.command(harm);
        try {
          const done = await delivery.committed();
          await delivery.produce(300);
          await until('it waits, and says why', () =>
            process
              .log()
              .split('\n')
              .some((line) => line.includes('inserting failed, the partition waits') && reason.test(line)),
          );
          // Labels go on; of predictions nothing does.
          expect(await delivery.committed()).toBeLessThan(done + 300 * 3);
          expect(process.exitCode()).toBeNull();
        } finally {
          await operator.command(mend);
        }
        await delivery.untilDone(process);
        expect(await delivery.violations()).toEqual([]);
      });
    },
    240_000,
  );
});
