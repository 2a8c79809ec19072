import type { RecordHeaders } from './kafka-cloud-event.js';
import type { LogRecord, LogRecords } from './log-source.js';

export function damaged(what: string): never {
  throw new RangeError(`a record batch is damaged: ${what}`);
}

/**
 * The records of a fetch as places in its bytes. A fetch waits while the one before it is decoded: an object for each record would be
 * copied by the garbage collector in the meantime.
 */
export class FetchedRecords implements LogRecords {
  private readonly sources: Buffer[] = [];
  private readonly offsets: number[] = [];
  private readonly timesMs: number[] = [];
  /** -1 for a record without a value. */
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly headers = new Map<number, RecordHeaders>();
  private first = 0;

  /** Takes the record that the cursor has read. */
  add(cursor: RecordCursor): void {
    if (cursor.headers !== undefined) this.headers.set(this.offsets.length, cursor.headers);
    this.sources.push(cursor.bytes);
    this.offsets.push(cursor.offset);
    this.timesMs.push(cursor.timestampMs);
    this.starts.push(cursor.valueStart);
    this.ends.push(cursor.valueEnd);
  }

  /** Leaves out all but the first ones. */
  cut(count: number): void {
    const length = this.first + count;
    for (const list of [this.sources, this.offsets, this.timesMs, this.starts, this.ends])
      list.length = length;
    for (const place of this.headers.keys()) if (place >= length) this.headers.delete(place);
  }

  /** Leaves out the records before an offset. */
  skipTo(offset: number): void {
    while (this.first < this.offsets.length && (this.offsets[this.first] as number) < offset) this.first += 1;
  }

  get length(): number {
    return this.offsets.length - this.first;
  }

  at(index: number): LogRecord | undefined {
    const place = this.first + index;
    const start = this.starts[place];
    if (start === undefined) return undefined;
    return {
      offset: this.offsets[place] as number,
      value: start < 0 ? null : (this.sources[place] as Buffer).subarray(start, this.ends[place]),
      timestampMs: this.timesMs[place] as number,
      headers: this.headers.get(place),
    };
  }

  bytesAt(index: number): number {
    const place = this.first + index;
    return (this.ends[place] as number) - (this.starts[place] as number);
  }
}

/** Reads records out of an unpacked batch, https://kafka.apache.org/documentation/#record. Throws a RangeError for damage. */
export class RecordCursor {
  /** Of the record that was read last. */
  offset = -1;
  timestampMs = 0;
  valueStart = -1;
  valueEnd = -1;
  key: Buffer | null = null;
  headers: RecordHeaders | undefined;
  private at = 0;

  /** `first`: what the offsets and times of the records are counted from. `writtenMs`: when the log got them, where that is their time. */
  constructor(
    readonly bytes: Buffer,
    private readonly first: {
      readonly offset: number;
      readonly timestampMs: number;
      readonly writtenMs: number | undefined;
    },
  ) {}

  /** Reads the next record. */
  next(): void {
    const end = this.varint() + this.at;
    if (end < this.at || end > this.bytes.length) damaged('a record does not fit into it');
    this.at += 1; // attributes, which mean nothing yet
    const timestampMs = this.first.timestampMs + this.varlong();
    this.timestampMs = this.first.writtenMs ?? timestampMs;
    this.offset = this.first.offset + this.varint();
    this.key = this.field();
    const length = this.varint();
    this.valueStart = length < 0 ? -1 : this.at;
    this.at += Math.max(0, length);
    this.valueEnd = length < 0 ? -1 : this.at;
    const count = this.varint();
    this.headers = count > 0 ? this.headersOf(count, end) : undefined;
    // Past its end a record has read what belongs to another one.
    if (this.at > end) damaged('a record is longer than it says');
    this.at = end;
  }

  private field(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const from = this.at;
    this.at = from + length;
    return this.bytes.subarray(from, this.at);
  }

  /** A name that comes again gets a list, as kafkajs gives it. */
  private headersOf(count: number, end: number): RecordHeaders {
    const headers = new Map<string, Buffer | Buffer[]>();
    for (let left = count; left > 0; left -= 1) {
      if (this.at >= end) damaged('a record has fewer headers than it says');
      const name = this.field()?.toString('utf8') ?? '';
      const value = this.field();
      const before = headers.get(name);
      if (value !== null) headers.set(name, before === undefined ? value : [before, value].flat());
    }
    return Object.fromEntries(headers);
  }

  /** Signed, of at most 32 bits (zigzag). */
  private varint(): number {
    let value = 0;
    let shift = 0;
    let byte = 0;
    do {
      if (shift > 28) damaged('a number has too many bytes');
      byte = this.byte();
      value |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    return (value >>> 1) ^ -(value & 1);
  }

  /** Signed, of at most 64 bits: exact below 2^53, beyond which no time lies. */
  private varlong(): number {
    let value = 0;
    let scale = 1;
    let byte = 0;
    do {
      if (scale > 2 ** 63) damaged('a number has too many bytes');
      byte = this.byte();
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    } while (byte >= 0x80);
    const half = Math.floor(value / 2);
    return value % 2 === 0 ? half : -half - 1;
  }

  private byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) damaged('it ends within a record');
    this.at += 1;
    return byte;
  }
}
