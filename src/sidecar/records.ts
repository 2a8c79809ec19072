import { crc32 } from 'node:zlib';
import { AppError } from '../errors.js';

/** A request as it came: where to, the headers that say what it is, and its body, still compressed if it was. */
export interface SpooledRequest {
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Magic, the directory's salt, length of the head, length of the body, CRC-32 of salt, head and body; then the head (JSON) and the body. Whoever
 * sends a body does not know the salt, so that nothing in it can be found as a record. Earlier versions wrote none (PLS1).
 */
const MAGIC = Buffer.from('PLS2');
const UNSALTED_MAGIC = Buffer.from('PLS1');
export const SALT_BYTES = 8;
const LENGTHS_BYTES = 12;
export const PREFIX_BYTES = MAGIC.length + SALT_BYTES + LENGTHS_BYTES;
/** Many times what HTTP's headers may be. */
const MAX_HEAD_BYTES = 1024 * 1024;

export interface RecordPrefix {
  /** Its own length. */
  readonly bytes: number;
  readonly salt: Buffer;
  readonly headLength: number;
  readonly bodyLength: number;
  readonly checksum: number;
}

/** What each record that was written with this salt begins with. */
export const sealOf = (salt: Buffer): Buffer => Buffer.concat([MAGIC, salt]);

/** The record in parts, to be written one after the other. Throws payload_too_large. */
export function encodeRecord({ path, headers, body }: SpooledRequest, salt: Buffer): Buffer[] {
  const head = Buffer.from(JSON.stringify({ path, headers }));
  if (head.length > MAX_HEAD_BYTES)
    throw new AppError('payload_too_large', `the request's headers are larger than ${MAX_HEAD_BYTES} bytes`);
  const lengths = Buffer.alloc(LENGTHS_BYTES);
  lengths.writeUInt32LE(head.length, 0);
  lengths.writeUInt32LE(body.length, 4);
  lengths.writeUInt32LE(crc32(body, crc32(head, crc32(salt))), 8);
  return [Buffer.concat([sealOf(salt), lengths]), head, body];
}

/** Null where no record begins. */
export function readPrefix(bytes: Buffer): RecordPrefix | null {
  const magic = bytes.subarray(0, MAGIC.length);
  const saltBytes = magic.equals(MAGIC) ? SALT_BYTES : 0;
  if (saltBytes === 0 && !magic.equals(UNSALTED_MAGIC)) return null;
  const at = MAGIC.length + saltBytes;
  if (bytes.length < at + LENGTHS_BYTES) return null;
  const headLength = bytes.readUInt32LE(at);
  if (headLength > MAX_HEAD_BYTES) return null;
  return {
    bytes: at + LENGTHS_BYTES,
    salt: bytes.subarray(MAGIC.length, at),
    headLength,
    bodyLength: bytes.readUInt32LE(at + 4),
    checksum: bytes.readUInt32LE(at + 8),
  };
}

/** Null when the bytes are not those that were written. */
export function decodeRecord(prefix: RecordPrefix, bytes: Buffer): SpooledRequest | null {
  const { salt, headLength, bodyLength, checksum } = prefix;
  if (bytes.length !== headLength + bodyLength || crc32(bytes, crc32(salt)) !== checksum) return null;
  const { path, headers } = JSON.parse(bytes.toString('utf8', 0, headLength)) as Omit<SpooledRequest, 'body'>;
  return { path, headers, body: bytes.subarray(headLength) };
}
