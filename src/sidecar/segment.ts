import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeRecord, PREFIX_BYTES, readPrefix, type SpooledRequest } from './records.js';

/** One file of the spool: records one after the other. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** Bytes up to the end of the last whole record. */
  end: number;
  /** Records in them. */
  records: number;
}

export const segmentPath = (directory: string, number: number) =>
  join(directory, `${String(number).padStart(10, '0')}.spool`);

export const segmentNumber = (name: string): number | null => {
  const digits = /^(\d{10})\.spool$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
};

/** The record at `at` and where the next one begins; null when none is whole there. */
export async function readRecord(
  file: FileHandle,
  at: number,
  end: number,
): Promise<{ request: SpooledRequest; next: number } | null> {
  const head = Buffer.alloc(PREFIX_BYTES);
  if (at + PREFIX_BYTES > end) return null;
  await file.read(head, 0, PREFIX_BYTES, at);
  const prefix = readPrefix(head);
  if (prefix === null) return null;
  const length = prefix.headLength + prefix.bodyLength;
  if (at + PREFIX_BYTES + length > end) return null;
  const bytes = Buffer.allocUnsafe(length);
  await file.read(bytes, 0, length, at + PREFIX_BYTES);
  const request = decodeRecord(prefix, bytes);
  return request === null ? null : { request, next: at + PREFIX_BYTES + length };
}

/** Finds how far a segment of an earlier run is whole from `from` on: a crash may have cut its last record, which nobody was told was kept. */
export async function scanSegment(
  directory: string,
  number: number,
  from: number,
): Promise<{ segment: Segment; cut: number }> {
  const path = segmentPath(directory, number);
  const { size } = await stat(path);
  const file = await open(path, 'r');
  try {
    let end = Math.min(from, size);
    let records = 0;
    for (let found = await readRecord(file, end, size); found !== null; ) {
      end = found.next;
      records += 1;
      found = await readRecord(file, end, size);
    }
    return { segment: { number, path, end, records }, cut: size - end };
  } finally {
    await file.close();
  }
}
