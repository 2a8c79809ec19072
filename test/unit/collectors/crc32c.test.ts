import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc32c } from '../../../src/collectors/crc32c.js';

/** Bit by bit, as the polynomial says. */
function oracle(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('CRC-32C', () => {
  test.each([
    ['nothing', [], 0],
    ['the digits', [...Buffer.from('123456789')], 0xe306_9283],
    // RFC 3720, appendix B.4.
    ['32 zeros', Array(32).fill(0), 0x8a91_36aa],
    ['32 ones', Array(32).fill(0xff), 0x62a8_ab43],
    ['ascending', Array.from({ length: 32 }, (_, index) => index), 0x46dd_794e],
    ['descending', Array.from({ length: 32 }, (_, index) => 31 - index), 0x113f_db5c],
  ])('of %s', (_, bytes: number[], expected) => {
    expect(crc32c(Uint8Array.from(bytes))).toBe(expected);
  });

  test('is that of its polynomial, for any length', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => crc32c(bytes) === oracle(bytes)));
  });
});
