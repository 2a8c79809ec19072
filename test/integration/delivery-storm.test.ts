import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRandom } from '../../src/stats/random.js';
import { type DeliveryRig, startDeliveryRig } from '../support/delivery-rig.js';
import { stormMembers } from '../support/delivery-storm.js';

describe('delivery in a rebalance storm', () => {
  let rig: DeliveryRig;
  beforeAll(async () => {
    rig = await startDeliveryRig();
  });
  afterAll(() => rig?.stop());

  it('members are killed, end, sleep and join every few seconds: progress in each part, every offset once', async () => {
    const { violations, struck } = await stormMembers({
      rig,
      name: 'storm',
      round: 1,
      random: createRandom(1),
    });
    expect(violations).toEqual([]);
    expect(new Set(struck)).toEqual(new Set(['SIGKILL', 'SIGTERM', 'SIGSTOP']));
  }, 1_200_000);
});
