import { describe, expect, it } from '@jest/globals';
import { registerKafkaCodecs } from '../../../src/collectors/kafka-codecs.js';
import {
  batchOf,
  decodeFetched,
  encodeFetch,
  encodeOlder,
  refusing,
  sealBatch,
} from '../../support/kafka-batches.js';

registerKafkaCodecs();

describe('fetched record batches', () => {
  it('are left to kafkajs in a format before Kafka 0.11, up to damage, one of today, and of their partition alone', async () => {
    const older = [encodeOlder(5, 'a'), encodeOlder(6, 'b')];
    const flawed = encodeOlder(7, 'c');
    flawed.writeUInt8(0x7a, flawed.length - 1);
    const today = await batchOf(7, ['c', 'd']);
    const told: number[] = [];
    const { partitions } = await decodeFetched(
      encodeFetch('t', [
        { partition: 0, set: Buffer.concat([...older, flawed, encodeOlder(8, 'd')]) },
        { partition: 1, set: Buffer.concat([...older, today]) },
        { partition: 2, set: Buffer.concat([today, encodeOlder(9, 'e')]) },
        { partition: 3, set: flawed },
        { partition: 4, set: Buffer.concat(older).subarray(0, -1) },
      ]),
      ({ partition }) => told.push(partition),
    );
    expect(told).toEqual([3]);
    expect(
      partitions.map(({ older: found }) => found.map(({ offset, value }) => [offset, `${value}`])),
    ).toEqual([
      [
        ['5', 'a'],
        ['6', 'b'],
      ],
      [
        ['5', 'a'],
        ['6', 'b'],
      ],
      [],
      [],
      [['5', 'a']],
    ]);
    expect(partitions.map(({ batches }) => batches.map(({ offset }) => offset))).toEqual([
      [],
      [],
      ['8'],
      [],
      [],
    ]);
  });

  it('are refused where their format, length or offset is damaged, which no checksum covers', async () => {
    const [first, second] = [await batchOf(100, ['a', 'b']), await batchOf(102, ['c'])];
    const told = async (at: number, value: number, set: readonly Buffer[]) => {
      const bytes = Buffer.concat(set);
      bytes.writeUInt8(value, at);
      const errors: string[] = [];
      const { partitions } = await decodeFetched(
        encodeFetch('t', [
          { partition: 0, set: bytes },
          { partition: 1, set: second },
        ]),
        (_, error) => errors.push(String(error)),
      );
      expect(partitions[1]?.batches.map(({ offset }) => offset)).toEqual(['102']);
      return [
        errors,
        partitions[0]?.batches.map(({ offset }) => offset),
        partitions[0]?.batches[0]?.records.length,
      ];
    };
    const damage = (text: string) => [[expect.stringContaining(text)], [], undefined];
    for (const magic of [0, 1])
      expect(await told(16, magic, [first, second])).toEqual(damage('its checksum'));
    expect(await told(16, 3, [first, second])).toEqual(damage('its format is unknown, 3'));
    expect(await told(9, 1, [first, second])).toEqual(damage('it ends before it should'));
    expect(await told(11, 20, [first, second])).toEqual(damage('it is shorter than its header'));
    expect(await told(7, 164, [first, second])).toEqual(damage('its offsets do not fit'));
    // Of a later one: what comes before it is read.
    for (const magic of [0, 1, 3])
      expect(await told(first.length + 16, magic, [first, second])).toEqual([[], ['101'], 2]);
    const third = await batchOf(103, ['d']);
    expect(await told(first.length + 7, 164, [first, second, third])).toEqual([[], ['101'], 2]);
  });

  it('are refused when they are damaged', async () => {
    const changed = async (at: number, value: number, seal = sealBatch) => {
      const whole = await batchOf(0, ['value', 'value']);
      whole.writeUInt8(value, at);
      seal(whole);
      return decodeFetched(encodeFetch('t', [{ partition: 0, set: whole }]), refusing);
    };
    // The first record's length, too great and negative; its value's length; the number of its headers; more records than there are.
    await expect(changed(61, 0x7e)).rejects.toThrow('a record does not fit into it');
    await expect(changed(61, 0x01)).rejects.toThrow('a record does not fit into it');
    await expect(changed(66, 0x7e)).rejects.toThrow(RangeError);
    await expect(changed(72, 0x7e)).rejects.toThrow(RangeError);
    await expect(changed(60, 9)).rejects.toThrow('it ends within a record');
    await expect(changed(22, 7)).rejects.toThrow('unknown codec, 7');
    // A letter of a value, on a broker's disk.
    await expect(changed(68, 0x7a, (whole) => whole)).rejects.toThrow('its checksum does not fit');
    expect((await changed(68, 0x7a)).partitions[0]?.batches).toHaveLength(1);
  });

  it('are read up to one that is damaged, and of other partitions all the same', async () => {
    const flawed = await batchOf(2, ['c', 'd']);
    flawed.writeUInt8(0x7a, 68);
    const whole = await batchOf(0, ['a', 'b']);
    const fetch = encodeFetch('t', [
      { partition: 0, set: flawed },
      { partition: 1, set: Buffer.concat([whole, flawed, await batchOf(4, ['e'])]) },
      { partition: 2, set: whole },
    ]);
    const told: unknown[] = [];
    const { partitions } = await decodeFetched(fetch, ({ topic, partition }, error) =>
      told.push([topic, partition, String(error)]),
    );
    expect(told).toEqual([['t', 0, expect.stringContaining('its checksum does not fit')]]);
    expect(partitions.map(({ batches }) => batches.map(({ offset }) => offset))).toEqual([[], ['1'], ['1']]);
    expect(partitions.map(({ batches }) => batches[0]?.records.length)).toEqual([undefined, 2, 2]);
  });
});
