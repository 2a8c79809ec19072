// Times: the usual form here, all others by the host.
import { Cursor, NUMBER, readScalar, TEXT } from './cursor';

/** ms since the epoch; NaN when it is no time. */
declare function timeOfNumber(value: f64): f64;
declare function timeOfText(from: u32, end: u32): f64;

/** Two digits; above 99 when they are none. */
function pair(place: u32): u32 {
  const tens = <u32>load<u8>(place) - 0x30;
  const ones = <u32>load<u8>(place + 1) - 0x30;
  return tens <= 9 && ones <= 9 ? 10 * tens + ones : 1_000_000;
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, chrono-compatible low-level date algorithms), year ≥ 1000. */
function daysFromCivil(year: u32, month: u32, day: u32): i32 {
  const y = <i32>(month <= 2 ? year - 1 : year);
  const era = y / 400;
  const ofEra = y - era * 400;
  const ofYear = (153 * <i32>(month > 2 ? month - 3 : month + 9) + 2) / 5 + <i32>day - 1;
  return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468;
}

function daysOfMonth(year: u32, month: u32): u32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** ms of a text like 2026-01-01T00:00:00.123Z whose quote stands here; NaN when it is written otherwise, and nothing is read. */
function readPlainTime(): f64 {
  const place = Cursor.at;
  if (load<u8>(place) != 0x22 || load<u8>(place + 11) != 0x54) return NaN;
  const year = 100 * pair(place + 1) + pair(place + 3);
  const month = pair(place + 6);
  const day = pair(place + 9);
  const hour = pair(place + 12);
  const minute = pair(place + 15);
  const second = pair(place + 18);
  if (load<u8>(place + 5) != 0x2d || load<u8>(place + 8) != 0x2d) return NaN;
  if (load<u8>(place + 14) != 0x3a || load<u8>(place + 17) != 0x3a) return NaN;
  let end = place + 20;
  let ms: u32 = 0;
  if (load<u8>(end) == 0x2e) {
    const last = <u32>load<u8>(end + 3) - 0x30;
    if (last > 9) return NaN;
    ms = 10 * pair(end + 1) + last;
    end += 4;
  }
  if (year < 1_000 || year > 9_999 || month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month))
    return NaN;
  if (hour > 23 || minute > 59 || second > 59 || ms > 999) return NaN;
  if (load<u8>(end) != 0x5a || load<u8>(end + 1) != 0x22) return NaN;
  Cursor.at = end + 2;
  return (
    <f64>daysFromCivil(year, month, day) * 86_400_000 +
    <f64>(hour * 3_600_000 + minute * 60_000 + second * 1_000 + ms)
  );
}

export function readTime(): f64 {
  const plain = readPlainTime();
  if (plain == plain) return plain;
  const kind = readScalar();
  if (kind == NUMBER) return timeOfNumber(Cursor.value);
  if (kind == TEXT) return timeOfText(Cursor.textFrom, Cursor.at - 1);
  return NaN;
}
