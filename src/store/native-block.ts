import type { Named } from '../domain/prediction.js';

/**
 * Columns of the engine's Native format, grown row by row and written once per block: the engine copies them instead of
 * parsing text. Layouts: https://clickhouse.com/docs/interfaces/formats/Native and the engine's Serialization classes.
 * Fixed widths are little-endian; so are the machines this runs on (checked once below).
 */
export interface NativeColumn {
  /** The engine's type, to the letter. */
  readonly type: string;
  /** About what the column takes so far, bytes. */
  size(): number;
  /** What stands before the data of all columns nested in this one: versions of dictionaries. */
  prefix(): Uint8Array[];
  data(): Uint8Array[];
}

export interface TextColumn extends NativeColumn {
  append(text: string): void;
}

export interface NumberColumn extends NativeColumn {
  append(value: number): void;
}

if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1)
  throw new RangeError('inserts are made of little-endian arrays: this machine is big-endian');

const FIRST_ROWS = 1_024;
const FIRST_BYTES = 16_384;
/** Longest text that is written unit by unit; a call of the runtime costs as much as about 60 units. */
const SHORT_TEXT = 64;
/** Lists of names that one map column remembers. */
const MAX_FORMS = 256;

type Words = Uint32Array | Int32Array | Float64Array | Uint8Array;

function bytesOf(words: Words, length: number): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, length * words.BYTES_PER_ELEMENT);
}

function grown<T extends Words>(words: T, make: (length: number) => T, needed = 0): T {
  const larger = make(Math.max(2 * words.length, needed));
  larger.set(words);
  return larger;
}

const makeFloats = (length: number) => new Float64Array(length);
const makeWords = (length: number) => new Uint32Array(length);
const makeBytes = (length: number) => new Uint8Array(length);

export function createFloat64Column(): NumberColumn {
  let values = makeFloats(FIRST_ROWS);
  let rows = 0;
  return {
    type: 'Float64',
    append(value) {
      if (rows === values.length) values = grown(values, makeFloats);
      values[rows] = value;
      rows += 1;
    },
    size: () => 8 * rows,
    prefix: () => [],
    data: () => [bytesOf(values, rows)],
  };
}

/** Null, or a number. */
export function createNullableFloat64Column(): NativeColumn & { append(value: number | null): void } {
  const values = createFloat64Column();
  let nulls = makeBytes(FIRST_ROWS);
  let rows = 0;
  return {
    type: 'Nullable(Float64)',
    append(value) {
      if (rows === nulls.length) nulls = grown(nulls, makeBytes);
      nulls[rows] = value === null ? 1 : 0;
      rows += 1;
      values.append(value ?? 0);
    },
    size: () => 9 * rows,
    prefix: () => [],
    data: () => [bytesOf(nulls, rows), ...values.data()],
  };
}

/** Whole numbers of 32 bits; two's complement, so that one array serves both types. */
export function createWordColumn(type: 'UInt32' | 'Int32'): NumberColumn {
  let values = makeWords(FIRST_ROWS);
  let rows = 0;
  const [least, greatest] = type === 'UInt32' ? [0, 0xffffffff] : [-0x80000000, 0x7fffffff];
  return {
    type,
    append(value) {
      if (!(Number.isInteger(value) && value >= least && value <= greatest))
        throw new RangeError(`not an ${type}: ${value}`);
      if (rows === values.length) values = grown(values, makeWords);
      values[rows] = value;
      rows += 1;
    },
    size: () => 4 * rows,
    prefix: () => [],
    data: () => [bytesOf(values, rows)],
  };
}

const WORD = 2 ** 32;

/** Whole numbers up to ±2^53, or 64 bits in two halves, as Int64, UInt64 or a DateTime64 (which is ms since the epoch). */
export function createLongColumn(
  type: 'Int64' | 'UInt64' | "DateTime64(3, 'UTC')",
): NumberColumn & { appendHalves(high: number, low: number): void } {
  let halves = makeWords(2 * FIRST_ROWS);
  let at = 0;
  const appendHalves = (high: number, low: number) => {
    if (at === halves.length) halves = grown(halves, makeWords);
    halves[at] = low;
    halves[at + 1] = high;
    at += 2;
  };
  return {
    type,
    append(value) {
      if (!Number.isSafeInteger(value)) throw new RangeError(`not a whole number below 2^53: ${value}`);
      const high = Math.floor(value / WORD);
      appendHalves(high, value - high * WORD);
    },
    appendHalves,
    size: () => 4 * at,
    prefix: () => [],
    data: () => [bytesOf(halves, at)],
  };
}

/** Half a surrogate pair has no UTF-8 form and becomes U+FFFD. */
export function createTextColumn(): TextColumn {
  let bytes = Buffer.allocUnsafe(FIRST_BYTES);
  let at = 0;

  function reserve(more: number): void {
    if (at + more <= bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * bytes.length, at + more));
    bytes.copy(larger, 0, 0, at);
    bytes = larger;
  }

  /** Whether the text was short and plain ASCII, and is written. */
  function appendPlain(text: string): boolean {
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

  return {
    type: 'String',
    append(text) {
      // Up to three bytes a unit, and up to five of length.
      reserve(3 * text.length + 5);
      if (appendPlain(text)) return;
      at = writeVarUInt(bytes, at, Buffer.byteLength(text));
      at += bytes.write(text, at, 'utf8');
    },
    size: () => at,
    prefix: () => [],
    data: () => [bytes.subarray(0, at)],
  };
}

export interface LowCardinalityColumn<Nullable extends boolean> extends NativeColumn {
  append(text: Nullable extends true ? string | null : string): void;
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
  const places = new Map<string, number>();
  const keys = createTextColumn();
  let keyCount = 0;
  let indexes = makeWords(FIRST_ROWS);
  let rows = 0;
  // As the engine itself: null, then the type's default.
  if (nullable) {
    keys.append('');
    keyCount = 1;
    placeOf('');
  }

  function placeOf(text: string): number {
    const known = places.get(text);
    if (known !== undefined) return known;
    places.set(text, keyCount);
    keys.append(text);
    keyCount += 1;
    return keyCount - 1;
  }

  return {
    type: nullable ? 'LowCardinality(Nullable(String))' : 'LowCardinality(String)',
    append(text) {
      if (rows === indexes.length) indexes = grown(indexes, makeWords);
      indexes[rows] = text === null ? 0 : placeOf(text);
      rows += 1;
    },
    place: placeOf,
    appendPlaces(keys) {
      if (rows + keys.length > indexes.length) indexes = grown(indexes, makeWords, rows + keys.length);
      for (let index = 0; index < keys.length; index += 1) indexes[rows + index] = keys[index] as number;
      rows += keys.length;
    },
    size: () => 4 * rows + keys.size(),
    prefix: () => [DICTIONARY_VERSION],
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

type Appended<Value> = NativeColumn & { append(value: Value): void };

/** A map with few different keys. Lists of names that rows share are looked up once. */
export function createMapColumn<Value>(values: Appended<Value>): Appended<Named<Value>> {
  const keys = createLowCardinalityColumn();
  const offsets = createLongColumn('UInt64');
  const places = new Map<readonly string[], readonly number[]>();
  let entries = 0;

  function placesOf(names: readonly string[]): readonly number[] {
    const known = places.get(names);
    if (known !== undefined) return known;
    const found = names.map(keys.place);
    // Rows may share nothing: then a memory of their names would only grow.
    if (places.size < MAX_FORMS) places.set(names, found);
    return found;
  }

  return {
    type: `Map(LowCardinality(String), ${values.type})`,
    append(row) {
      const { length } = row.names;
      if (length > 0) keys.appendPlaces(placesOf(row.names));
      for (let index = 0; index < length; index += 1) values.append(row.values[index] as Value);
      entries += length;
      offsets.append(entries);
    },
    size: () => offsets.size() + keys.size() + values.size(),
    prefix: () => [...keys.prefix(), ...values.prefix()],
    data: () => [...offsets.data(), ...keys.data(), ...values.data()],
  };
}

/** One block: `rows` rows of the named columns. */
export function nativeBlock(rows: number, columns: Readonly<Record<string, NativeColumn>>): Buffer {
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
  return Buffer.concat(parts);
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

function longs(...values: number[]): Uint8Array {
  const column = createLongColumn('UInt64');
  for (const value of values) column.append(value);
  return column.data()[0] ?? new Uint8Array(0);
}
