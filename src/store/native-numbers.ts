import { createSpareBuffers } from '../spare-buffers.js';

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
  /** Gives the memory back, to be used by other columns; the column and its data are not to be used any more. */
  release(): void;
}

export interface ValueColumn<Value> extends NativeColumn {
  append(value: Value): void;
  /** The value of a row that was appended, as it is stored. */
  read(row: number): Value;
}

/** Also takes the values of one row of a map at once. */
export interface ListColumn<Value> extends ValueColumn<Value> {
  appendAll(values: readonly Value[]): void;
}

export type NumberColumn = ValueColumn<number>;

if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1)
  throw new RangeError('inserts are made of little-endian arrays: this machine is big-endian');

/** Small: a request may hold one row. */
export const FIRST_ROWS = 64;

type Words = Uint32Array | Int32Array | Float64Array | Uint8Array;

/** About what the rows of two inserts take. */
const spare = createSpareBuffers(32 * 1_024 * 1_024);

/** Bytes of one column; what is in them is not to be relied on. */
export const takeBytes = (bytes: number) => spare.take(bytes);
export const giveBytes = (words: { readonly buffer: ArrayBufferLike }) => spare.give(words.buffer);

function bytesOf(words: Words, length: number): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, length * words.BYTES_PER_ELEMENT);
}

export function grown<T extends Words>(words: T, make: (length: number) => T, needed = 0): T {
  const larger = make(Math.max(2 * words.length, needed));
  larger.set(words);
  giveBytes(words);
  return larger;
}

const makeFloats = (length: number) => new Float64Array(takeBytes(8 * length));
export const makeWords = (length: number) => new Uint32Array(takeBytes(4 * length));
const makeBytes = (length: number) => new Uint8Array(takeBytes(length));

export function createFloat64Column(): ListColumn<number> {
  let values = makeFloats(FIRST_ROWS);
  let rows = 0;
  return {
    type: 'Float64',
    append(value) {
      if (rows === values.length) values = grown(values, makeFloats);
      values[rows] = value;
      rows += 1;
    },
    appendAll(list) {
      const { length } = list;
      while (rows + length > values.length) values = grown(values, makeFloats);
      for (let index = 0; index < length; index += 1) values[rows + index] = list[index] as number;
      rows += length;
    },
    read: (row) => values[row] as number,
    size: () => 8 * rows,
    prefix: () => [],
    data: () => [bytesOf(values, rows)],
    release: () => giveBytes(values),
  };
}

/** One byte for each. */
export function createBoolColumn(): NativeColumn & { append(value: boolean): void } {
  let values = makeBytes(FIRST_ROWS);
  let rows = 0;
  return {
    type: 'Bool',
    append(value) {
      if (rows === values.length) values = grown(values, makeBytes);
      values[rows] = value ? 1 : 0;
      rows += 1;
    },
    size: () => rows,
    prefix: () => [],
    data: () => [bytesOf(values, rows)],
    release: () => giveBytes(values),
  };
}

/** Null, or a number. */
export function createNullableFloat64Column(): ValueColumn<number | null> {
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
    read: (row) => (nulls[row] === 1 ? null : values.read(row)),
    size: () => 9 * rows,
    prefix: () => [],
    data: () => [bytesOf(nulls, rows), ...values.data()],
    release() {
      giveBytes(nulls);
      values.release();
    },
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
    read: (row) => (type === 'Int32' ? (values[row] as number) | 0 : (values[row] as number)),
    size: () => 4 * rows,
    prefix: () => [],
    data: () => [bytesOf(values, rows)],
    release: () => giveBytes(values),
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
    // The high half carries the sign; values that `append` takes need no more than 53 bits.
    read: (row) => ((halves[2 * row + 1] as number) | 0) * WORD + (halves[2 * row] as number),
    size: () => 4 * at,
    prefix: () => [],
    data: () => [bytesOf(halves, at)],
    release: () => giveBytes(halves),
  };
}

/** Words of 64 bits. */
export function longs(...values: number[]): Uint8Array {
  const column = createLongColumn('UInt64');
  for (const value of values) column.append(value);
  return column.data()[0] ?? new Uint8Array(0);
}
