import { crc32 } from 'node:zlib';
import { damaged } from './fetched-records.js';

/** Of the message formats 0 and 1 (before Kafka 0.11), https://kafka.apache.org/documentation/#messageset. */
const AT = { length: 8, checksum: 12, magic: 16 } as const;
/** The length of a message counts what comes behind it. */
const BEFORE_LENGTH_ENDS = 12;
const MAX_MAGIC = 1;

export function isOlder(magic: number): boolean {
  return magic >= 0 && magic <= MAX_MAGIC;
}

/**
 * How many bytes of a set of older messages are whole, up to one that is damaged, or of the format of today: kafkajs, which reads them, does
 * not look at checksums. Throws a RangeError when the first one is damaged.
 */
export function intactBytes(set: Buffer): number {
  let at = 0;
  while (at + AT.magic < set.length) {
    const end = at + BEFORE_LENGTH_ENDS + set.readInt32BE(at + AT.length);
    // Cut off by the size of the fetch.
    if (end > set.length) return set.length;
    const isWhole =
      end > at + AT.magic &&
      isOlder(set.readInt8(at + AT.magic)) &&
      crc32(set.subarray(at + AT.magic, end)) === set.readUInt32BE(at + AT.checksum);
    if (!isWhole && at === 0) damaged('its checksum does not fit');
    if (!isWhole) return at;
    at = end;
  }
  return set.length;
}
