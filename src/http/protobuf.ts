import { AppError } from '../errors.js';
import { createWireBudget } from './wire-budget.js';

/** A field of a message: its name in JSON, what it is, and whether it comes several times. */
export type ProtobufField = readonly [
  name: string,
  type: 'string' | 'bytes' | 'bool' | 'int64' | 'fixed64' | 'double' | (() => ProtobufMessage),
  repeated?: 'repeated',
];
/** Fields by their number; others are skipped. */
export type ProtobufMessage = Readonly<Record<number, ProtobufField>>;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
/** Wire type that each kind of value is written with. */
const WIRE = {
  string: BYTES,
  bytes: BYTES,
  bool: VARINT,
  int64: VARINT,
  fixed64: FIXED64,
  double: FIXED64,
} as const;

const wrong = (detail: string) =>
  new AppError('invalid_request', `the body is no Protocol Buffers message: ${detail}`);

/**
 * Decodes a message of Protocol Buffers (protobuf.dev, encoding) into what its JSON form would be after parsing: 64-bit integers are text,
 * bytes base64. Throws invalid_request for bytes that are none, payload_too_large.
 */
export function decodeProtobuf(bytes: Buffer, message: ProtobufMessage): Record<string, unknown> {
  const spend = createWireBudget();

  function decode(start: number, end: number, type: ProtobufMessage, depth: number): Record<string, unknown> {
    spend(depth);
    const fields: Record<string, unknown> = {};
    let at = start;

    function varint(): bigint {
      let value = 0n;
      for (let shift = 0n; shift < 70n; shift += 7n) {
        const byte = bytes[at];
        if (at >= end || byte === undefined) throw wrong('a number is cut');
        at += 1;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return BigInt.asUintN(64, value);
      }
      throw wrong('a number is too long');
    }
    function take(length: number): number {
      const from = at;
      if (length > end - at) throw wrong('a field is cut');
      at += length;
      return from;
    }
    function length(): number {
      const value = varint();
      if (value > BigInt(end - at)) throw wrong('a field is cut');
      return Number(value);
    }
    function skip(wire: number): void {
      if (wire === VARINT) varint();
      else if (wire === FIXED64) take(8);
      else if (wire === BYTES) take(length());
      else if (wire === FIXED32) take(4);
      else throw wrong('a field of an unknown wire type');
    }
    function value(kind: ProtobufField[1]): unknown {
      switch (kind) {
        case 'bool':
          return varint() !== 0n;
        case 'int64':
          return String(BigInt.asIntN(64, varint()));
        case 'fixed64':
          return String(bytes.readBigUInt64LE(take(8)));
        case 'double':
          return bytes.readDoubleLE(take(8));
        case 'string':
        case 'bytes': {
          const from = take(length());
          return bytes.toString(kind === 'string' ? 'utf8' : 'base64', from, at);
        }
        default: {
          const from = take(length());
          return decode(from, at, kind(), depth + 1);
        }
      }
    }

    while (at < end) {
      const tag = Number(varint());
      const wire = tag & 7;
      const field = type[Math.floor(tag / 8)];
      if (field === undefined) {
        skip(wire);
        continue;
      }
      const [name, kind, repeated] = field;
      if (wire !== (typeof kind === 'string' ? WIRE[kind] : BYTES)) throw wrong(`${name} has another type`);
      spend(depth);
      if (repeated === undefined) fields[name] = value(kind);
      else {
        const known = fields[name] as unknown[] | undefined;
        if (known === undefined) fields[name] = [value(kind)];
        else known.push(value(kind));
      }
    }
    return fields;
  }

  return decode(0, bytes.length, message, 0);
}
