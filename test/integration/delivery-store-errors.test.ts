import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { BRIDGE_PASSWORD, type DeliveryRig, startDeliveryRig } from '../support/delivery-rig.js';
import { withDelivery } from '../support/delivery-scenarios.js';
import { until } from '../support/kafka-collect.js';
import type { CollectorProcess } from '../support/kafka-collector-process.js';

const healthOf = (process: CollectorProcess) => process.log().match(/^health .*$/gm) ?? [];

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

  it.each<[string, () => void, () => void, RegExp]>([
    [
      'a user that may only read',
      () => {
        rig.bridge.readOnly = true;
      },
      () => {
        rig.bridge.readOnly = false;
      },
      /its user may only read, take readonly out of .* engine error 164/,
    ],
    [
      'a password that is refused',
      () => {
        rig.bridge.password = 'changed-by-its-operator';
      },
      () => {
        rig.bridge.password = BRIDGE_PASSWORD;
      },
      /it refuses the user or the password, check store\.username .* engine error 516/,
    ],
  ])(
    '%s: nothing is rejected, commits stand still, health says what to do, and all is stored once when it is mended',
    (what, harm, mend, advice) =>
      withDelivery({ rig, name: what.replaceAll(' ', '-') }, 'http', async (delivery) => {
        await delivery.produce(300, { poison: false });
        const process = delivery.start({ retryForMs: 1_000 });
        await delivery.untilDone(process);
        const done = await delivery.committed();
        harm();
        try {
          await delivery.produce(300, { poison: false });
          await until('its health says so, of all partitions', () => {
            const [last = ''] = healthOf(process).slice(-1);
            return last.startsWith('health unready: kafka: 4 partition(s) wait') && advice.test(last);
          });
          expect(await delivery.committed()).toBe(done);
        } finally {
          mend();
        }
        await delivery.untilDone(process);
        await until('its health is well', () =>
          healthOf(process).slice(-1).join().startsWith('health ready'),
        );
        expect(await delivery.violations()).toEqual([]);
        // Of a version that is not registered, and nothing else.
        const [topic = ''] = delivery.topics;
        expect(
          await operator.query(
            'SELECT reason, count() AS rows FROM rejected WHERE source_topic LIKE {topic:String} GROUP BY reason',
            { topic: `${topic}@%` },
          ),
        ).toEqual([{ reason: 'unknown_model', rows: (3 * 600) / 10 }]);
      }),
    240_000,
  );
});
