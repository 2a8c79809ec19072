import { crc32 } from 'node:zlib';
import type { SpooledRequest } from '../../src/sidecar/records.js';

/** A record of the sidecar's spool as versions before the salt wrote it. */
export function unsaltedRecord({ path, headers, body }: SpooledRequest): Buffer {
  const head = Buffer.from(JSON.stringify({ path, headers }));
  const prefix = Buffer.alloc(16);
  prefix.write('PLS1');
  prefix.writeUInt32LE(head.length, 4);
  prefix.writeUInt32LE(body.length, 8);
  prefix.writeUInt32LE(crc32(body, crc32(head)), 12);
  return Buffer.concat([prefix, head, body]);
}
