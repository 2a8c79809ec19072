import type { Named } from '../domain/prediction.js';
import type { PlainText } from '../domain/row-list.js';
import {
  createLongColumn,
  FIRST_ROWS,
  giveBytes,
  grown,
  type ListColumn,
  longs,
  makeWords,
  type NativeColumn,
  takeBytes,
  type ValueColumn,
} from './native-numbers.js';

export interface TextColumn extends ListColumn<string> {
  appendPlain(text: PlainText): void;
}

const FIRST_BYTES = 1_024;
/** Longest text that is written unit by unit; a call of the runtime costs as much as about 60 units. */
const SHORT_TEXT = 64;
/** Lists of names that one map column remembers. */
const MAX_FORMS = 256;

/** Half a surrogate pair has no UTF-8 form and becomes U+FFFD. */
export function createTextColumn(): TextColumn {
  let bytes = Buffer.from(takeBytes(FIRST_BYTES));
  let at = 0;
  /** Where the lengths of texts stand, as far as they were asked for. */
  const starts: number[] = [0];

  function reserve(more: number): void {
    if (at + more <= bytes.length) return;
    const larger = Buffer.from(takeBytes(Math.max(2 * bytes.length, at + more)));
    bytes.copy(larger, 0, 0, at);
    giveBytes(bytes);
    bytes = larger;
  }

  /** Whether the text was short and plain ASCII, and is written. */
  function appendShort(text: string): boolean {
    const { length } = text;
    if (length > SHORT_TEXT) return false;
    bytes[at] = length;
    for (let index = 0; index < length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return false;
      bytes[at + 1 + index] = unit;
    }
    at += length + 1;
    return true;
  }

  /** The position behind the text that starts at `start`, and its own. */
  function extent(start: number): { from: number; to: number } {
    let length = 0;
    let from = start;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[from] as number;
      from += 1;
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) return { from, to: from + length };
    }
  }

  function append(text: string): void {
    // Up to three bytes a unit, and up to five of length.
    reserve(3 * text.length + 5);
    if (appendShort(text)) return;
    at = writeVarUInt(bytes, at, Buffer.byteLength(text));
    at += bytes.write(text, at, 'utf8');
  }

  return {
    type: 'String',
    append,
    appendPlain({ bytes: text, from, end }) {
      reserve(end - from + 5);
      at = writeVarUInt(bytes, at, end - from);
      for (let index = from; index < end; index += 1) {
        bytes[at] = text[index] as number;
        at += 1;
      }
    },
    appendAll(texts) {
      for (let index = 0; index < texts.length; index += 1) append(texts[index] as string);
    },
    read(row) {
      while (starts.length <= row) starts.push(extent(starts[starts.length - 1] as number).to);
      const { from, to } = extent(starts[row] as number);
      return bytes.toString('utf8', from, to);
    },
    size: () => at,
    prefix: () => [],
    data: () => [bytes.subarray(0, at)],
    release: () => giveBytes(bytes),
  };
}

export interface LowCardinalityColumn<Nullable extends boolean>
  extends ListColumn<Nullable extends true ? string | null : string> {
  /** The place of a key in this block's dictionary; it joins it. */
  place(key: string): number;
  /** One row for each. */
  appendPlaces(places: readonly number[]): void;
}

/** SharedDictionariesWithAdditionalKeys, and the block's own dictionary: additional keys, one update. */
const DICTIONARY_VERSION = longs(1);
const OWN_DICTIONARY = 0x600;

/** Texts with few different values: each is written once, rows refer to it. Of the nullable type, key 0 is null. */
export function createLowCardinalityColumn<Nullable extends boolean = false>(
  nullable: Nullable = false as Nullable,
): LowCardinalityColumn<Nullable> {
  type Text = Nullable extends true ? string | null : string;
  const places = new Map<string, number>();
  const texts: string[] = [];
  const keys = createTextColumn();
  let keyCount = 0;
  let indexes = makeWords(FIRST_ROWS);
  let rows = 0;
  // Of most columns one row after the other has the same text.
  let lastText: string | null = null;
  let lastPlace = 0;
  // As the engine itself: null, then the type's default.
  if (nullable) {
    keys.append('');
    texts.push('');
    keyCount = 1;
    placeOf('');
  }

  function placeOf(text: string): number {
    const known = places.get(text);
    if (known !== undefined) return known;
    places.set(text, keyCount);
    keys.append(text);
    texts.push(text);
    keyCount += 1;
    return keyCount - 1;
  }

  function append(text: Text): void {
    if (rows === indexes.length) indexes = grown(indexes, makeWords);
    if (text !== lastText) {
      lastText = text;
      lastPlace = text === null ? 0 : placeOf(text);
    }
    indexes[rows] = lastPlace;
    rows += 1;
  }

  return {
    append,
    appendAll(list) {
      for (let index = 0; index < list.length; index += 1) append(list[index] as Text);
    },
    type: nullable ? 'LowCardinality(Nullable(String))' : 'LowCardinality(String)',
    read(row) {
      const place = indexes[row] as number;
      return (nullable && place === 0 ? null : texts[place]) as Text;
    },
    place: placeOf,
    appendPlaces(keys) {
      if (rows + keys.length > indexes.length) indexes = grown(indexes, makeWords, rows + keys.length);
      for (let index = 0; index < keys.length; index += 1) indexes[rows + index] = keys[index] as number;
      rows += keys.length;
    },
    size: () => 4 * rows + keys.size(),
    prefix: () => [DICTIONARY_VERSION],
    release() {
      keys.release();
      giveBytes(indexes);
    },
    data() {
      // An empty column has no dictionary at all.
      if (rows === 0) return [];
      const used = indexes.subarray(0, rows);
      const [width, narrow] =
        keyCount <= 0x100
          ? [0, new Uint8Array(used)]
          : keyCount <= 0x10000
            ? [1, new Uint16Array(used)]
            : [2, used];
      const places = new Uint8Array(narrow.buffer, narrow.byteOffset, narrow.byteLength);
      return [longs(OWN_DICTIONARY + width, keyCount), ...keys.data(), longs(rows), places];
    },
  };
}

/** A map with few different keys. Lists of names that rows share are looked up once. */
export function createMapColumn<Value>(values: ListColumn<Value>): ValueColumn<Named<Value>> {
  const keys = createLowCardinalityColumn();
  const offsets = createLongColumn('UInt64');
  const places = new Map<readonly string[], readonly number[]>();
  let entries = 0;

  let lastNames: readonly string[] = [];
  let lastPlaces: readonly number[] = [];

  function placesOf(names: readonly string[]): readonly number[] {
    if (names === lastNames) return lastPlaces;
    const found = places.get(names) ?? names.map(keys.place);
    // Rows may share nothing: then a memory of their names would only grow.
    if (places.size < MAX_FORMS) places.set(names, found);
    lastNames = names;
    lastPlaces = found;
    return found;
  }

  return {
    type: `Map(LowCardinality(String), ${values.type})`,
    append(row) {
      const { length } = row.names;
      if (length > 0) keys.appendPlaces(placesOf(row.names));
      values.appendAll(row.values);
      entries += length;
      offsets.append(entries);
    },
    read(row) {
      const from = row === 0 ? 0 : offsets.read(row - 1);
      const entries = Array.from({ length: offsets.read(row) - from }, (_, index) => from + index);
      return { names: entries.map(keys.read), values: entries.map(values.read) };
    },
    size: () => offsets.size() + keys.size() + values.size(),
    prefix: () => [...keys.prefix(), ...values.prefix()],
    data: () => [...offsets.data(), ...keys.data(), ...values.data()],
    release() {
      for (const column of [offsets, keys, values]) column.release();
    },
  };
}

/** One block in parts, which are the columns' own memory: `rows` rows of the named columns. */
export function nativeBlock(rows: number, columns: Readonly<Record<string, NativeColumn>>): Uint8Array[] {
  const named = Object.entries(columns);
  const head = Buffer.allocUnsafe(10);
  const parts: Uint8Array[] = [
    head.subarray(0, writeVarUInt(head, writeVarUInt(head, 0, named.length), rows)),
  ];
  for (const [name, column] of named) {
    const title = createTextColumn();
    title.append(name);
    title.append(column.type);
    parts.push(...title.data(), ...column.prefix(), ...column.data());
  }
  return parts;
}

function writeVarUInt(bytes: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  while (rest > 0x7f) {
    bytes[at] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}
