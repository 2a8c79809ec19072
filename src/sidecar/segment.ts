import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeRecord, MAGIC_BYTES, PREFIX_BYTES, readPrefix, type SpooledRequest } from './records.js';

/** One file of the spool: records one after the other. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** Bytes up to the end of the last whole record. */
  end: number;
  /** Records in them that are not delivered. */
  records: number;
  /** What is damaged in between. */
  readonly gaps: Gap[];
}

/** Bytes in which no record is intact. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** What of some gaps lies in none of the others. */
export const without = (gaps: readonly Gap[], others: readonly Gap[]): Gap[] =>
  others.reduce<readonly Gap[]>(
    (left, other) =>
      left.flatMap(({ from, to }) =>
        [
          { from, to: Math.min(to, other.from) },
          { from: Math.max(from, other.to), to },
        ].filter((part) => part.from < part.to),
      ),
    gaps,
  ) as Gap[];

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

const LOOK_AHEAD_BYTES = 64 * 1024;

/** Where a record may begin, from `from` on. */
async function findStart(file: FileHandle, from: number, end: number): Promise<number | null> {
  const bytes = Buffer.alloc(LOOK_AHEAD_BYTES);
  for (let at = from; at + PREFIX_BYTES <= end; at += LOOK_AHEAD_BYTES - MAGIC_BYTES.length + 1) {
    const { bytesRead } = await file.read(bytes, 0, Math.min(LOOK_AHEAD_BYTES, end - at), at);
    const found = bytes.subarray(0, bytesRead).indexOf(MAGIC_BYTES);
    if (found !== -1) return at + found;
  }
  return null;
}

/** The intact records from `from` on, where the last one ends, and what is damaged between them. */
export async function survey(file: FileHandle, from: number, size: number) {
  const gaps: Gap[] = [];
  let end = from;
  let records = 0;
  for (let at: number | null = from; at !== null; ) {
    const found: { next: number } | null = await readRecord(file, at, size);
    if (found === null) {
      at = await findStart(file, at + 1, size);
      continue;
    }
    if (at > end) gaps.push({ from: end, to: at });
    records += 1;
    end = found.next;
    at = end;
  }
  return { records, end, gaps };
}

/**
 * Finds what is intact in a segment of an earlier run from `from` on. What is behind the last intact record a crash may have cut: nobody was told
 * that it was kept.
 */
export async function scanSegment(
  directory: string,
  number: number,
  from: number,
): Promise<{ segment: Segment; cut: number }> {
  const path = segmentPath(directory, number);
  const { size } = await stat(path);
  const file = await open(path, 'r');
  try {
    const { records, end, gaps } = await survey(file, Math.min(from, size), size);
    return { segment: { number, path, end, records, gaps }, cut: size - end };
  } finally {
    await file.close();
  }
}
