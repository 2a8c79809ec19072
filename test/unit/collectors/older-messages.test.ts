import { describe, expect, it } from '@jest/globals';
import { intactBytes } from '../../../src/collectors/older-messages.js';
import { encodeOlder } from '../../support/kafka-batches.js';

describe('messages of before Kafka 0.11', () => {
  it('are whole up to one that is damaged, wherever it is', () => {
    const whole = encodeOlder(0, 'a value');
    const set = Buffer.concat([whole, encodeOlder(1, 'another one')]);
    for (let at = whole.length + 12; at < set.length; at += 1) {
      const damaged = Buffer.from(set);
      damaged.writeUInt8((damaged[at] as number) ^ 1, at);
      expect(intactBytes(damaged)).toBe(whole.length);
      const first = damaged.subarray(whole.length);
      expect(() => intactBytes(first)).toThrow('its checksum does not fit');
    }
  });

  it('may be cut off at the end', () => {
    const set = Buffer.concat([encodeOlder(0, 'a'), encodeOlder(1, 'b')]);
    for (let end = 0; end <= set.length; end += 1) expect(intactBytes(set.subarray(0, end))).toBe(end);
  });
});
