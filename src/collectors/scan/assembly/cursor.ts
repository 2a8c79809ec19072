// Where reading stands, and the values that stand there.
import { readNumber } from './numbers';

export class Cursor {
  static at: u32 = 0;
  /** Of the number that was read last. */
  static value: f64 = 0;
  /** First byte of the text, true or false that was read last; it ends before `at`, a text before its quote. */
  static textFrom: u32 = 0;
}

/** What a value is. */
export const FAILED: u32 = 0;
export const NUMBER: u32 = 1;
export const TEXT: u32 = 2;
export const TRUE: u32 = 3;
export const FALSE: u32 = 4;
export const NULL: u32 = 5;

/** Whether the bytes stand here; then reading goes on behind them. */
export function isPattern(from: u32, length: u32): bool {
  let place = Cursor.at;
  let expected = from;
  const end = from + length;
  while (expected + 8 <= end) {
    if (load<u64>(place) != load<u64>(expected)) return false;
    place += 8;
    expected += 8;
  }
  while (expected < end) {
    if (load<u8>(place) != load<u8>(expected)) return false;
    place += 1;
    expected += 1;
  }
  Cursor.at = place;
  return true;
}

/** Whose quote stands here: plain ASCII without an escape. */
function readText(): bool {
  Cursor.textFrom = Cursor.at + 1;
  let place = Cursor.at + 1;
  let byte: u32 = load<u8>(place);
  while (byte != 0x22) {
    if (byte < 0x20 || byte > 0x7e || byte == 0x5c) return false;
    byte = load<u8>(++place);
  }
  Cursor.at = place + 1;
  return true;
}

export function readScalar(): u32 {
  const byte: u32 = load<u8>(Cursor.at);
  if (byte == 0x22) return readText() ? TEXT : FAILED;
  if (byte == 0x6e) {
    if (load<u32>(Cursor.at) != 0x6c6c756e) return FAILED;
    Cursor.at += 4;
    return NULL;
  }
  if (byte == 0x74) {
    if (load<u32>(Cursor.at) != 0x65757274) return FAILED;
    Cursor.textFrom = Cursor.at;
    Cursor.at += 4;
    return TRUE;
  }
  if (byte == 0x66) {
    if (load<u32>(Cursor.at + 1) != 0x65736c61) return FAILED;
    Cursor.textFrom = Cursor.at;
    Cursor.at += 5;
    return FALSE;
  }
  return readNumber() ? NUMBER : FAILED;
}
