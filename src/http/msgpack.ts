import { AppError } from '../errors.js';
import type { BodyEvent, Slice } from './events-body.js';
import { MAX_EVENT_BYTES } from './events-body.js';
import { createWireBudget } from './wire-budget.js';

const wrong = (detail: string) => new AppError('invalid_request', `the body is no MessagePack: ${detail}`);
/** Records taken before the event loop gets a turn. */
const SLICE_RECORDS = 500;
const KEPT_LENGTH = 64 * 1024;

/** Times of Fluentd's event time (type 0) and MessagePack's own (type -1), as seconds; other extensions mean nothing here. */
function extension(type: number, bytes: Buffer): unknown {
  if (type === 0 && bytes.length === 8) return bytes.readUInt32BE(0) + bytes.readUInt32BE(4) / 1e9;
  if (type !== 0xff) return null;
  if (bytes.length === 4) return bytes.readUInt32BE(0);
  if (bytes.length === 8) {
    const value = bytes.readBigUInt64BE(0);
    return Number(value & 0x3ffffffffn) + Number(value >> 34n) / 1e9;
  }
  return bytes.length === 12 ? Number(bytes.readBigInt64BE(4)) + bytes.readUInt32BE(0) / 1e9 : null;
}

/** Whole numbers beyond 2^53 are text: a double would change them. */
function whole(value: bigint): number | string {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
}

/** The values of a stream of MessagePack (github.com/msgpack/msgpack, spec.md), each with the position behind it. Throws invalid_request, payload_too_large. */
export function* decodeMsgpack(bytes: Buffer): Generator<{ readonly value: unknown; readonly end: number }> {
  const spend = createWireBudget();
  let at = 0;

  function take(length: number): number {
    const from = at;
    if (length > bytes.length - at) throw wrong('a value is cut');
    at += length;
    return from;
  }
  const uint = (size: 1 | 2 | 4) => bytes.readUIntBE(take(size), size);
  const text = (length: number) => {
    const from = take(length);
    return bytes.toString('utf8', from, at);
  };
  function list(length: number, depth: number): unknown[] {
    const values: unknown[] = [];
    for (let index = 0; index < length; index += 1) values.push(value(depth + 1));
    return values;
  }
  function map(length: number, depth: number): object {
    const entries: [string, unknown][] = [];
    for (let index = 0; index < length; index += 1)
      entries.push([String(value(depth + 1)), value(depth + 1)]);
    return Object.fromEntries(entries);
  }
  function ext(length: number): unknown {
    const type = uint(1);
    const from = take(length);
    return extension(type, bytes.subarray(from, at));
  }

  function value(depth: number): unknown {
    spend(depth);
    const byte = uint(1);
    if (byte < 0x80) return byte;
    if (byte < 0x90) return map(byte & 0x0f, depth);
    if (byte < 0xa0) return list(byte & 0x0f, depth);
    if (byte < 0xc0) return text(byte & 0x1f);
    if (byte >= 0xe0) return byte - 0x100;
    if (byte >= 0xd4 && byte <= 0xd8) return ext(2 ** (byte - 0xd4));
    switch (byte) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xd9:
        return text(uint(1));
      case 0xc5:
      case 0xda:
        return text(uint(2));
      case 0xc6:
      case 0xdb:
        return text(uint(4));
      case 0xc7:
        return ext(uint(1));
      case 0xc8:
        return ext(uint(2));
      case 0xc9:
        return ext(uint(4));
      case 0xca:
        return bytes.readFloatBE(take(4));
      case 0xcb:
        return bytes.readDoubleBE(take(8));
      case 0xcc:
        return uint(1);
      case 0xcd:
        return uint(2);
      case 0xce:
        return uint(4);
      case 0xcf:
        return whole(bytes.readBigUInt64BE(take(8)));
      case 0xd0:
        return bytes.readInt8(take(1));
      case 0xd1:
        return bytes.readInt16BE(take(2));
      case 0xd2:
        return bytes.readInt32BE(take(4));
      case 0xd3:
        return whole(bytes.readBigInt64BE(take(8)));
      case 0xdc:
        return list(uint(2), depth);
      case 0xdd:
        return list(uint(4), depth);
      case 0xde:
        return map(uint(2), depth);
      case 0xdf:
        return map(uint(4), depth);
      default:
        throw wrong('a byte that begins no value');
    }
  }

  while (at < bytes.length) {
    const decoded = value(0);
    yield { value: decoded, end: at };
  }
}

/** A forwarder's entry `[time, record]`, or `[[time, metadata], record]`, as the record with its time; else the value as it is. */
function recordOf(value: unknown): unknown {
  if (!Array.isArray(value) || value.length !== 2) return value;
  const [first, record] = value;
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return value;
  const time: unknown = Array.isArray(first) ? first[0] : first;
  return { '@timestamp': time, ...record };
}

function eventOf(value: unknown): BodyEvent {
  const text = JSON.stringify(value) ?? 'null';
  if (text.length <= MAX_EVENT_BYTES) return { ok: true, value, text };
  const detail = `the event has more than ${MAX_EVENT_BYTES} bytes`;
  return { ok: false, reason: 'too_large', text: text.slice(0, KEPT_LENGTH), detail };
}

/** The events of one value of the stream: of an entry, of a list of records, or of the value itself. */
function eventsOf(decoded: unknown): BodyEvent[] {
  const one = recordOf(decoded);
  const isList = one === decoded && Array.isArray(decoded) && decoded.length > 0;
  return isList ? decoded.map((entry) => eventOf(recordOf(entry))) : [eventOf(one)];
}

/** The events of a body of MessagePack, in slices. From where it cannot be read on it is one event that is none, kept as base64. */
export function* msgpackSlices(body: Buffer): Generator<Slice> {
  const stream = decodeMsgpack(body);
  let events: BodyEvent[] = [];
  let start = 0;
  for (;;) {
    let next: ReturnType<typeof stream.next>;
    try {
      next = stream.next();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'invalid_request') throw error;
      const rest = body.subarray(start, start + KEPT_LENGTH).toString('base64');
      events.push({ ok: false, reason: 'malformed_json', text: rest, detail: error.message });
      break;
    }
    if (next.done === true) break;
    for (const one of eventsOf(next.value.value)) events.push(one);
    if (events.length >= SLICE_RECORDS) {
      yield { events, bytes: next.value.end - start };
      events = [];
      start = next.value.end;
    }
  }
  if (events.length > 0) yield { events, bytes: body.length - start };
}
