// Texts: of those that come again and again the host makes one string.
import { Cursor, NUMBER, TEXT } from './cursor';

const MAX_TEXT: u32 = 8_192;
/** More than an event has values. */
export const MAX_VALUES = 2_200;
/** Bytes of a text's entry: its slot; 1 for a number; from, end; its number among the known ones, or a number's value. */
export const ENTRY = 24;
const FRESH_ENTRY = 12;
/** Bytes of a known text: the last row that had it, its length, its bytes. */
const PLACE_SIZE = 40;
const PLACES: u32 = 4_096;
const SHORT_TEXT: u32 = 32;

const KNOWN = memory.data(PLACES * PLACE_SIZE, 8);
/** Texts that were put among the known ones by this row: number, from, end. */
const FRESH = memory.data(MAX_VALUES * FRESH_ENTRY, 8);

export class Texts {
  /** Counts rows from 1: 0 is a place that is free. */
  static row: u32 = 0;
  static fresh: u32 = 0;
}

export function fresh(): usize {
  return FRESH;
}

/** The host may have missed what was fresh. */
export function forgetTexts(): void {
  memory.fill(KNOWN, 0, PLACES * PLACE_SIZE);
}

export function nextRow(): void {
  Texts.row = Texts.row == u32.MAX_VALUE ? 1 : Texts.row + 1;
  Texts.fresh = 0;
}

/** The number of a short text that was seen before or is put in place of another one; -1 for the others. */
function numberOf(from: u32, length: u32): i32 {
  if (length > SHORT_TEXT) return -1;
  let hash: u32 = length;
  for (let index: u32 = 0; index < length; index += 1) hash = hash * 31 + load<u8>(from + index);
  const number = (hash ^ (hash >>> 15)) & (PLACES - 1);
  const place = KNOWN + number * PLACE_SIZE;
  if (load<u32>(place) != 0 && load<u32>(place, 4) == length) {
    let index: u32 = 0;
    while (index < length && load<u8>(from + index) == load<u8>(place + 8 + index)) index += 1;
    if (index == length) {
      store<u32>(place, Texts.row);
      return number;
    }
  }
  // Another text of this row has the place.
  if (load<u32>(place) == Texts.row) return -1;
  store<u32>(place, Texts.row);
  store<u32>(place, length, 4);
  memory.copy(place + 8, from, length);
  const entry = FRESH + Texts.fresh * FRESH_ENTRY;
  store<u32>(entry, number);
  store<u32>(entry, from, 4);
  store<u32>(entry, from + length, 8);
  Texts.fresh += 1;
  return number;
}

/** Of a value that is kept as text: a number's is for the host to write. */
export function putText(entry: usize, slot: u32, kind: u32): bool {
  store<u32>(entry, slot);
  store<u32>(entry, kind == NUMBER ? 1 : 0, 4);
  if (kind == NUMBER) {
    store<f64>(entry, Cursor.value, 16);
    return true;
  }
  const end = kind == TEXT ? Cursor.at - 1 : Cursor.at;
  if (end - Cursor.textFrom > MAX_TEXT) return false;
  store<i32>(entry, numberOf(Cursor.textFrom, end - Cursor.textFrom), 16);
  store<u32>(entry, Cursor.textFrom, 8);
  store<u32>(entry, end, 12);
  return true;
}
