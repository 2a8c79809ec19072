import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import {
  decodeRecord,
  PREFIX_BYTES,
  type RecordPrefix,
  readPrefix,
  type SpooledRequest,
  sealOf,
} from './records.js';

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

/** What stands before the record at `at`; null when none is whole there. */
async function prefixAt(file: FileHandle, at: number, end: number): Promise<RecordPrefix | null> {
  const head = Buffer.alloc(Math.max(0, Math.min(PREFIX_BYTES, end - at)));
  await file.read(head, 0, head.length, at);
  const prefix = readPrefix(head);
  return prefix === null || at + lengthOf(prefix) > end ? null : prefix;
}

const lengthOf = (prefix: RecordPrefix) => prefix.bytes + prefix.headLength + prefix.bodyLength;

async function recordAt(file: FileHandle, at: number, prefix: RecordPrefix) {
  const bytes = Buffer.allocUnsafe(prefix.headLength + prefix.bodyLength);
  await file.read(bytes, 0, bytes.length, at + prefix.bytes);
  const request = decodeRecord(prefix, bytes);
  return request === null ? null : { request, next: at + lengthOf(prefix) };
}

/** The record at `at` and where the next one begins; null when none is whole there. */
export async function readRecord(
  file: FileHandle,
  at: number,
  end: number,
): Promise<{ request: SpooledRequest; next: number } | null> {
  const prefix = await prefixAt(file, at, end);
  return prefix === null ? null : recordAt(file, at, prefix);
}

const LOOK_AHEAD_BYTES = 64 * 1024;

/**
 * Where a record may begin, from `from` on. It is known by the directory's salt: without it, a sender's body could hold what would be delivered as
 * another request.
 */
async function findStart(file: FileHandle, salt: Buffer, from: number, end: number): Promise<number | null> {
  const seal = sealOf(salt);
  const bytes = Buffer.alloc(LOOK_AHEAD_BYTES);
  for (let at = from; at + PREFIX_BYTES <= end; at += LOOK_AHEAD_BYTES - seal.length + 1) {
    const { bytesRead } = await file.read(bytes, 0, Math.min(LOOK_AHEAD_BYTES, end - at), at);
    const found = bytes.subarray(0, bytesRead).indexOf(seal);
    if (found !== -1) return at + found;
  }
  return null;
}

/** Times the size of a file, of what may be read for records that turn out to be damaged: where the damage is in lengths, each claims the rest. */
const MOST_IN_VAIN = 4;

/** The intact records from `from` on, where the last one ends, and what is damaged between them. */
export async function survey(file: FileHandle, salt: Buffer, from: number, size: number) {
  const gaps: Gap[] = [];
  let end = from;
  let records = 0;
  let inVain = 0;
  for (let at: number | null = from; at !== null; ) {
    const prefix: RecordPrefix | null = await prefixAt(file, at, size);
    const found: { next: number } | null = prefix === null ? null : await recordAt(file, at, prefix);
    if (found === null) {
      inVain += prefix === null ? 0 : lengthOf(prefix);
      if (inVain > MOST_IN_VAIN * size) {
        gaps.push({ from: end, to: size });
        end = size;
        break;
      }
      at = await findStart(file, salt, at + 1, size);
      continue;
    }
    if (at > end) gaps.push({ from: end, to: at });
    records += 1;
    end = found.next;
    at = end;
  }
  return { records, end, gaps };
}

/** CRC-32 of the salt and what stands between two places, as a record has it. */
async function checksumOf(file: FileHandle, salt: Buffer, from: number, end: number): Promise<number> {
  const bytes = Buffer.alloc(LOOK_AHEAD_BYTES);
  let checksum = crc32(salt);
  for (let at = from; at < end; ) {
    const { bytesRead } = await file.read(bytes, 0, Math.min(LOOK_AHEAD_BYTES, end - at), at);
    if (bytesRead === 0) break;
    checksum = crc32(bytes.subarray(0, bytesRead), checksum);
    at += bytesRead;
  }
  return checksum;
}

/**
 * Whether what stands from `at` to the end of the newest file is the beginning of a record, of which a crash kept the rest from the disk. All
 * that may be a whole one is none, although disks that write in any order leave such, too: one that was answered must not go with it. Nor is one
 * of another salt, behind which nothing is found.
 */
async function isCut(file: FileHandle, salt: Buffer, at: number, size: number): Promise<boolean> {
  const seal = sealOf(salt);
  const head = Buffer.alloc(Math.min(PREFIX_BYTES, size - at));
  await file.read(head, 0, head.length, at);
  if (!head.subarray(0, seal.length).equals(seal.subarray(0, head.length))) return false;
  if (head.length < PREFIX_BYTES) return true;
  const prefix = readPrefix(head);
  if (prefix === null || at + lengthOf(prefix) <= size) return false;
  // Its lengths are in no checksum. Where another one follows, or its checksum fits what is there, they are damaged.
  if ((await findStart(file, salt, at + 1, size)) !== null) return false;
  return (await checksumOf(file, salt, at + prefix.bytes, size)) !== prefix.checksum;
}

/**
 * Finds what is intact in a segment of an earlier run from `from` on. What is behind the last intact record is damaged, but for what a crash can
 * have cut, of the newest file only: nobody was told that it was kept.
 */
export async function scanSegment(
  path: string,
  number: number,
  { from, salt, isNewest }: { readonly from: number; readonly salt: Buffer; readonly isNewest: boolean },
): Promise<{ segment: Segment; cut: number }> {
  const { size } = await stat(path);
  const file = await open(path, 'r');
  try {
    const { records, end, gaps } = await survey(file, salt, Math.min(from, size), size);
    const segment = { number, path, end, records, gaps };
    if (end === size) return { segment, cut: 0 };
    if (isNewest && (await isCut(file, salt, end, size))) return { segment, cut: size - end };
    gaps.push({ from: end, to: size });
    return { segment: { ...segment, end: size }, cut: 0 };
  } finally {
    await file.close();
  }
}
