/** Reversed polynomial of CRC-32C (Castagnoli), RFC 3720, appendix B.4. */
const POLYNOMIAL = 0x82f6_3b78;
const SLICES = 8;

/** For each slice what its 256 bytes add, that many bytes before the end of a step. */
const TABLES: readonly Uint32Array[] = Array.from({ length: SLICES }, () => new Uint32Array(256));
for (const [slice, table] of TABLES.entries())
  for (let byte = 0; byte < 256; byte += 1) {
    const before = TABLES[slice - 1]?.[byte] ?? byte;
    if (slice === 0) table[byte] = shifted(before, 8);
    else table[byte] = (before >>> 8) ^ ((TABLES[0] as Uint32Array)[before & 0xff] as number);
  }

function shifted(crc: number, bits: number): number {
  let left = crc;
  for (let bit = 0; bit < bits; bit += 1) left = (left & 1) === 1 ? (left >>> 1) ^ POLYNOMIAL : left >>> 1;
  return left;
}
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

/**
 * CRC-32C of all bytes, from 0 to 2^32 - 1. Eight bytes at a time (Kounavis and Berry, "A systematic approach to building high performance
 * software-based CRC generators", 2005).
 */
export function crc32c(bytes: Uint8Array): number {
  let crc = -1;
  let at = 0;
  for (const last = bytes.length - SLICES; at <= last; at += SLICES) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (T7[crc & 0xff] as number) ^
      (T6[(crc >>> 8) & 0xff] as number) ^
      (T5[(crc >>> 16) & 0xff] as number) ^
      (T4[crc >>> 24] as number) ^
      (T3[bytes[at + 4] as number] as number) ^
      (T2[bytes[at + 5] as number] as number) ^
      (T1[bytes[at + 6] as number] as number) ^
      (T0[bytes[at + 7] as number] as number);
  }
  for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ (T0[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}
