import { describe, expect, it } from '@jest/globals';
import type { KafkaMessage } from 'kafkajs';
import { handedRecords } from '../../../src/collectors/handed-records.js';
import { decodeFetched, encodeBatch, encodeFetch } from '../../support/kafka-batches.js';

async function batches(firstOffset: number) {
  const records = ['a', 'b', 'c'].map((value, offsetDelta) => ({
    offsetDelta,
    timestampDelta: 0,
    key: null,
    value: Buffer.from(value),
    headers: {},
  }));
  const set = await encodeBatch({ firstOffset, firstTimestamp: 1, lastOffsetDelta: 2, records });
  const { partitions } = await decodeFetched(encodeFetch('t', [{ partition: 0, set }]), (_, error) => {
    throw error;
  });
  return partitions[0]?.batches ?? [];
}
const offsetsOf = (records: ReturnType<typeof handedRecords>) =>
  Array.from({ length: records.length }, (_, index) => records.at(index)?.offset);

describe('records that kafkajs hands over', () => {
  it('begin at the offset that was asked for', async () => {
    expect(offsetsOf(handedRecords(await batches(98), 99))).toEqual([99, 100]);
    expect(offsetsOf(handedRecords(await batches(98), 100))).toEqual([100]);
    expect(offsetsOf(handedRecords([], 100))).toEqual([]);
  });

  it('are refused where the batch says that it ends before it', async () => {
    const found = await batches(97);
    expect(() => handedRecords(found, 100)).toThrow(
      'a record batch is damaged: it ends at offset 99, before 100',
    );
  });

  it('are single ones in a format before Kafka 0.11', () => {
    const message = {
      offset: '7',
      value: Buffer.from('a'),
      timestamp: '5',
      headers: {},
    } as unknown as KafkaMessage;
    expect(offsetsOf(handedRecords([message], 7))).toEqual([7]);
  });
});
