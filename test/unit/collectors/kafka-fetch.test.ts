import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { registerKafkaCodecs } from '../../../src/collectors/kafka-codecs.js';
import type { LogRecord } from '../../../src/collectors/log-source.js';
import {
  batchOf,
  decodeFetched,
  decodeWithKafkajs,
  encodeBatch,
  encodeFetch,
  packBatch,
  plain,
  refusing,
  type SamplePartition,
} from '../../support/kafka-batches.js';

registerKafkaCodecs();

/** The records that each partition of a fetch hands over, and the last offset of each of its batches. */
async function read(partitions: readonly SamplePartition[]) {
  const fetched = await decodeFetched(encodeFetch('t', partitions), refusing);
  return fetched.partitions.map(({ batches }) => {
    const records = batches[0]?.records;
    const all = Array.from({ length: records?.length ?? 0 }, (_, index) => records?.at(index) as LogRecord);
    const bytes = all.map((_, index) => records?.bytesAt(index));
    expect(bytes).toEqual(all.map(({ value }) => value?.length ?? 0));
    return { records: all, lasts: batches.map(({ offset }) => offset) };
  });
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const record = (offsetDelta: number) =>
  fc.record({
    offsetDelta: fc.constant(offsetDelta),
    timestampDelta: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    key: fc.option(bytes(40)),
    value: fc.option(bytes(300)),
    // kafkajs mixes up a name like toString with what every object has.
    headers: fc.dictionary(
      fc.string({ maxLength: 8 }).map((name) => `h-${name}`),
      bytes(12),
      { maxKeys: 3 },
    ),
  });
const batch = fc
  .record({
    gaps: fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 12 }),
    firstOffset: fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 2 ** 40, max: 2 ** 45 })),
    firstTimestamp: fc.integer({ min: 0, max: 2 ** 42 }),
    logAppendTime: fc.boolean(),
    packed: fc.boolean(),
  })
  .chain(({ gaps, ...rest }) => {
    const deltas = gaps.map((_, index) => gaps.slice(0, index).reduce((a, b) => a + b, 0));
    return fc.tuple(...deltas.map(record)).map((records) => ({
      ...rest,
      records,
      lastOffsetDelta: (deltas.at(-1) ?? 0) + 2,
    }));
  });

/** Each behind the one before, at its own distance. */
const inOrder = <T extends { firstOffset: number; lastOffsetDelta: number }>(batches: readonly T[]): T[] => {
  let next = 0;
  return batches.map((one) => {
    const firstOffset = next + (one.firstOffset % 2 ** 45);
    next = firstOffset + one.lastOffsetDelta + 1;
    return { ...one, firstOffset };
  });
};

/** The marker that ends a transaction: version 0, then 0 for an abort and 1 for a commit. */
const marker = (firstOffset: number, producerId: number, kind: 0 | 1) =>
  encodeBatch({
    firstOffset,
    firstTimestamp: 1_000,
    lastOffsetDelta: 0,
    producerId,
    transactional: true,
    control: true,
    records: [{ ...plain('', 0), key: Buffer.from([0, 0, 0, kind]) }],
  });

describe('fetched record batches', () => {
  it('are read as kafkajs reads them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { maxLength: 4 }).map(inOrder), async (batches) => {
        const set = Buffer.concat(
          await Promise.all(
            batches.map(async ({ packed, ...sample }) => {
              const whole = await encodeBatch(sample);
              return packed ? packBatch(whole, 1, (records) => gzipSync(records)) : whole;
            }),
          ),
        );
        const [found] = (await read([{ partition: 0, set }])) ?? [];
        const expected = await decodeWithKafkajs(encodeFetch('t', [{ partition: 0, set }]));
        const messages = expected.responses[0]?.partitions[0]?.messages ?? [];
        expect(
          found?.records.map(({ offset, timestampMs, value, headers }) => ({
            offset: String(offset),
            timestamp: String(timestampMs),
            value,
            headers: headers ?? {},
          })),
        ).toEqual(
          messages.map(({ offset, timestamp, value, headers }) => ({ offset, timestamp, value, headers })),
        );
        expect(found?.lasts).toEqual(
          batches.map(({ firstOffset, lastOffsetDelta }) => String(firstOffset + lastOffsetDelta)),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('keep what kafkajs itself says of a response and its partitions', async () => {
    const payload = encodeFetch('t', [
      { partition: 3, set: await batchOf(5, ['a']) },
      { partition: 4, set: Buffer.alloc(0) },
    ]);
    const ours = (await decodeFetched(payload, refusing)).fetched;
    const theirs = await decodeWithKafkajs(payload);
    const heads = (response: typeof theirs | typeof ours) =>
      JSON.stringify({
        ...response,
        responses: response?.responses.map(({ topicName, partitions }) => ({
          topicName,
          partitions: partitions.map((partition) => ({ ...partition, messages: partition.messages.length })),
        })),
      });
    expect(heads(ours)).toBe(heads(theirs));
  });

  it('give a header that comes twice as a list', async () => {
    const whole = await encodeBatch({
      firstOffset: 0,
      firstTimestamp: 0,
      lastOffsetDelta: 0,
      records: [{ ...plain('a', 0), headers: { h: [Buffer.from('1'), Buffer.from('2')] as never } }],
    });
    const [found] = (await read([{ partition: 0, set: whole }])) ?? [];
    expect(found?.records[0]?.headers).toEqual({ h: [Buffer.from('1'), Buffer.from('2')] });
  });

  it('leave out aborted transactions and markers, and keep what others wrote in between', async () => {
    const of = (producerId: number) => ({ producerId, transactional: true });
    const set = Buffer.concat([
      await batchOf(0, ['first'], of(1)),
      await batchOf(1, ['aborted', 'aborted'], of(2)),
      await batchOf(3, ['plain']),
      await marker(4, 1, 1),
      await batchOf(5, ['aborted'], of(2)),
      await marker(6, 2, 0),
      await batchOf(7, ['second'], of(2)),
      await marker(8, 2, 1),
    ]);
    const aborted = [{ producerId: 2, firstOffset: 1 }];
    const [found] = (await read([{ partition: 0, aborted, set }])) ?? [];
    expect(found?.records.map(({ value }) => String(value))).toEqual(['first', 'plain', 'second']);
    expect(found?.lasts).toEqual(['0', '2', '3', '4', '5', '6', '7', '8']);
  });

  it('leave out two aborted transactions that both began before the fetch', async () => {
    // kafkajs takes notice of one of them for each message, and would hand over the first of producer 2.
    const of = (producerId: number) => ({ producerId, transactional: true });
    const set = Buffer.concat([
      await batchOf(50, ['aborted', 'aborted'], of(2)),
      await batchOf(52, ['aborted'], of(1)),
      await marker(53, 1, 0),
      await marker(54, 2, 0),
      await batchOf(55, ['kept'], of(1)),
    ]);
    const aborted = [
      { producerId: 1, firstOffset: 10 },
      { producerId: 2, firstOffset: 12 },
    ];
    const [found] = (await read([{ partition: 0, aborted, set }])) ?? [];
    expect(found?.records.map(({ value }) => String(value))).toEqual(['kept']);
  });

  it('move the position where compaction took every record of a packed batch', async () => {
    const emptied = packBatch(
      await encodeBatch({ firstOffset: 10, firstTimestamp: 0, lastOffsetDelta: 500_000, records: [] }),
      2,
      (records) => records,
    );
    const [found] =
      (await read([{ partition: 0, set: Buffer.concat([emptied, await batchOf(500_011, ['a'])]) }])) ?? [];
    expect(found).toMatchObject({ records: [{ offset: 500_011 }], lasts: ['500010', '500011'] });
  });

  it('count times from before 1970 and far deltas', async () => {
    const deltas = [-1, -(2 ** 40), 2 ** 51, -(2 ** 51), 0];
    const records = deltas.map((timestampDelta, i) => ({ ...plain('a', i), timestampDelta }));
    for (const firstTimestamp of [-1, -(2 ** 41), 0]) {
      const set = await encodeBatch({ firstOffset: 0, firstTimestamp, lastOffsetDelta: 4, records });
      const [found] = (await read([{ partition: 0, set }])) ?? [];
      expect(found?.records.map(({ timestampMs }) => timestampMs)).toEqual(
        deltas.map((delta) => firstTimestamp + delta),
      );
    }
  });

  it('leave a batch that was cut off for the next fetch', async () => {
    const whole = await batchOf(0, ['a', 'b']);
    const next = await batchOf(2, ['c']);
    for (let cut = 0; cut < next.length; cut += 1) {
      const set = Buffer.concat([whole, next.subarray(0, cut)]);
      const [found] = (await read([{ partition: 0, set }])) ?? [];
      expect(found?.records.map(({ value }) => String(value))).toEqual(['a', 'b']);
      expect(found?.lasts).toEqual(['1']);
    }
  });

  it('begin where they are told to', async () => {
    const set = Buffer.concat([await batchOf(0, ['a', 'b', 'c']), await batchOf(3, ['d'])]);
    const { partitions } = await decodeFetched(encodeFetch('t', [{ partition: 0, set }]), refusing);
    const records = partitions[0]?.batches[1]?.records;
    records?.skipTo(2);
    expect(records?.length).toBe(2);
    expect([records?.at(0)?.offset, records?.at(1)?.offset, records?.at(2)]).toEqual([2, 3, undefined]);
    expect(records?.bytesAt(0)).toBe(1);
  });
});
