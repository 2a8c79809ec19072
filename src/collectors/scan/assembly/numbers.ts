// Numbers as JSON writes them, with the bits that JSON.parse gives them.
import { Cursor } from './cursor';

/** The value of a number that is not read here. */
declare function hostNumber(from: u32, end: u32): f64;

const POWERS = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
  1e20, 1e21, 1e22,
]);
/** 128 bits each, by power of five: 2^b / 5^k rounded up, with the largest b that fits. The host writes them. */
export const RECIPROCALS = memory.data(28 * 16, 8);

export function isDigit(byte: u32): bool {
  return byte - 0x30 <= 9;
}

/** The lower half of what `times` gave last. */
let low: u64 = 0;

/** The upper half of a product of 128 bits. */
function times(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  const other = a0 * b1 + (middle & 0xffffffff);
  low = a * b;
  return a1 * b1 + (middle >> 32) + (other >> 32);
}

/**
 * `mantissa` (not 0) over 10^`decimals` (1 to 27), rounded to the nearest double, ties to even. D. Lemire, Number parsing at a gigabyte per second,
 * Software: Practice and Experience 51 (2021), algorithm 1: reciprocals of powers of five of 128 bits are enough for every mantissa of 64.
 */
function quotient(mantissa: u64, decimals: u32): f64 {
  const zeros = clz(mantissa);
  const shifted = mantissa << zeros;
  const reciprocal = RECIPROCALS + (decimals << 4);
  let high = times(shifted, load<u64>(reciprocal, 8));
  if ((high & 0x1ff) == 0x1ff) {
    const first = low;
    const more = times(shifted, load<u64>(reciprocal));
    low = first + more;
    if (low < more) high += 1;
  }
  const upper = high >> 63;
  const shift = upper + 9;
  let bits = high >> shift;
  let exponent = ((-217706 * <i64>decimals) >> 16) + 63 + <i64>upper - <i64>zeros + 1023;
  // A tie: only where the division comes out even.
  if (low <= 1 && decimals <= 4 && (bits & 3) == 1 && bits << shift == high) bits &= ~1;
  bits += bits & 1;
  bits >>= 1;
  if (bits >= 1 << 53) {
    bits = 1 << 52;
    exponent += 1;
  }
  return reinterpret<f64>((bits & ~(1 << 52)) | ((<u64>exponent) << 52));
}

/** Digits of which a mantissa of 64 bits can hold any. */
const DIGITS: u32 = 19;

/** Digits and points from the first one that is not zero. */
function significant(from: u32, end: u32): u32 {
  let place = from;
  while (place < end && (load<u8>(place) == 0x30 || load<u8>(place) == 0x2e)) place += 1;
  return end - place;
}

/** Where a mantissa and a power of ten are exact doubles, one operation rounds once, as it should (W. Clinger 1990). */
export function readNumber(): bool {
  const from = Cursor.at;
  let place = Cursor.at;
  let byte: u32 = load<u8>(place);
  const negative = byte == 0x2d;
  if (negative) byte = load<u8>(++place);
  if (!isDigit(byte)) return false;
  const first = place;
  let mantissa: u64 = 0;
  if (byte == 0x30) byte = load<u8>(++place);
  else
    while (isDigit(byte)) {
      mantissa = mantissa * 10 + (byte - 0x30);
      byte = load<u8>(++place);
    }
  let decimals: i32 = 0;
  if (byte == 0x2e) {
    const point = ++place;
    byte = load<u8>(place);
    while (isDigit(byte)) {
      mantissa = mantissa * 10 + (byte - 0x30);
      byte = load<u8>(++place);
    }
    decimals = <i32>(place - point);
    if (decimals == 0) return false;
  }
  // A point among them counts, too: then the host has the word once more often than it need.
  const fits = place - first <= DIGITS || significant(first, place) <= DIGITS;
  if ((byte | 0x20) == 0x65) {
    byte = load<u8>(++place);
    const less = byte == 0x2d;
    if (less || byte == 0x2b) byte = load<u8>(++place);
    if (!isDigit(byte)) return false;
    let exponent: i32 = 0;
    while (isDigit(byte)) {
      if (exponent < 1_000) exponent = exponent * 10 + <i32>(byte - 0x30);
      byte = load<u8>(++place);
    }
    decimals += less ? exponent : -exponent;
  }
  Cursor.at = place;
  const exact = mantissa < 1 << 53;
  let magnitude: f64;
  if (!fits) {
    Cursor.value = hostNumber(from, place);
    return true;
  }
  if (mantissa == 0) magnitude = 0;
  else if (exact && decimals >= 0 && decimals <= 22)
    magnitude = <f64>mantissa / load<f64>(POWERS + (decimals << 3));
  else if (exact && decimals < 0 && decimals >= -22)
    magnitude = <f64>mantissa * load<f64>(POWERS + (-decimals << 3));
  else if (decimals > 0 && decimals <= 27) magnitude = quotient(mantissa, decimals);
  else {
    Cursor.value = hostNumber(from, place);
    return true;
  }
  Cursor.value = negative ? -magnitude : magnitude;
  return true;
}
