import type { FileHandle } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { encodeRecord, SALT_BYTES } from '../../../src/sidecar/records.js';
import { survey } from '../../../src/sidecar/segment.js';

const SALT = Buffer.alloc(SALT_BYTES, 7);
const SIZE = 1_000_000;

describe('the survey of a damaged file', () => {
  /** A file in memory, and how much of it was read. */
  const surveyed = async (bytes: Buffer) => {
    let read = 0;
    const file = {
      async read(into: Buffer, at: number, length: number, from: number) {
        const bytesRead = bytes.copy(into, at, from, from + length);
        read += bytesRead;
        return { bytesRead };
      },
    } as unknown as FileHandle;
    return { ...(await survey(file, SALT, 0, bytes.length)), read };
  };
  const record = (body: Buffer, salt: Buffer = SALT) =>
    Buffer.concat(encodeRecord({ path: '/v1/ingest', headers: {}, body }, salt));
  /** Beginnings of records, each of which claims what makes up half of the file. */
  const claims = (salt: Buffer) => {
    const one = record(Buffer.alloc(0), salt).subarray(0, 4 + SALT_BYTES + 12);
    one.writeUInt32LE(SIZE / 2, 4 + SALT_BYTES + 4);
    return Buffer.concat(Array.from({ length: SIZE / one.length }, () => one));
  };

  it.each([
    ['a body of claims', claims(Buffer.alloc(SALT_BYTES, 8)), 1],
    ['claims with the salt', claims(SALT), 0],
  ])('reads %s a few times only', async (_, body, behind) => {
    const damaged = record(body);
    damaged.writeUInt8(1, 50);
    const next = record(Buffer.from('next'));
    const found = await surveyed(Buffer.concat([damaged, next]));
    expect(found.read).toBeLessThan(7 * SIZE);
    // Where it gives up, what is left counts as damaged.
    expect(found).toMatchObject({
      records: behind,
      end: damaged.length + next.length,
      gaps: [{ from: 0, to: damaged.length + (1 - behind) * next.length }],
    });
  });

  it('refuses a head of absurd length without reading it', async () => {
    const one = record(Buffer.alloc(5_000_000));
    one.writeUInt32LE(4_000_000, 4 + SALT_BYTES);
    one.writeUInt32LE(1_000_000, 4 + SALT_BYTES + 4);
    const next = record(Buffer.from('next'));
    const found = await surveyed(Buffer.concat([one, next]));
    expect(found).toMatchObject({ records: 1, gaps: [{ from: 0, to: one.length }] });
    expect(found.read).toBeLessThan(1.1 * one.length);
  });
});
