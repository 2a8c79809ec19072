import { crc32 } from 'node:zlib';

/** A request as it came: where to, the headers that say what it is, and its body, still compressed if it was. */
export interface SpooledRequest {
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Magic, length of the head, length of the body, CRC-32 of both; then the head (JSON) and the body. */
export const PREFIX_BYTES = 16;
const MAGIC = 0x31_53_4c_50; // PLS1
export const MAGIC_BYTES = Buffer.from('PLS1');

export interface RecordPrefix {
  readonly headLength: number;
  readonly bodyLength: number;
  readonly checksum: number;
}

/** The record in parts, to be written one after the other. */
export function encodeRecord({ path, headers, body }: SpooledRequest): Buffer[] {
  const head = Buffer.from(JSON.stringify({ path, headers }));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(MAGIC, 0);
  prefix.writeUInt32LE(head.length, 4);
  prefix.writeUInt32LE(body.length, 8);
  prefix.writeUInt32LE(crc32(body, crc32(head)), 12);
  return [prefix, head, body];
}

/** Null where no record begins. */
export function readPrefix(bytes: Buffer): RecordPrefix | null {
  if (bytes.length < PREFIX_BYTES || bytes.readUInt32LE(0) !== MAGIC) return null;
  return {
    headLength: bytes.readUInt32LE(4),
    bodyLength: bytes.readUInt32LE(8),
    checksum: bytes.readUInt32LE(12),
  };
}

/** Null when the bytes are not those that were written. */
export function decodeRecord(prefix: RecordPrefix, bytes: Buffer): SpooledRequest | null {
  const { headLength, bodyLength, checksum } = prefix;
  if (bytes.length !== headLength + bodyLength || crc32(bytes) !== checksum) return null;
  const { path, headers } = JSON.parse(bytes.toString('utf8', 0, headLength)) as Omit<SpooledRequest, 'body'>;
  return { path, headers, body: bytes.subarray(headLength) };
}
