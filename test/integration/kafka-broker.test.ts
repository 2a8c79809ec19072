import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';

describe('the test broker', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafkaBroker();
  });
  afterAll(() => broker.stop());

  it('keeps what was produced over a kill and a restart', async () => {
    await broker.createTopic('events', 2);
    await broker.produce('events', ['a', 'b', 'c'], { partition: 1 });
    expect(await broker.endOffsets('events')).toEqual([0, 3]);
    await broker.kill();
    await broker.restart();
    expect(await broker.endOffsets('events')).toEqual([0, 3]);
  });
});
