import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { whereMissing } from '../errors.js';
import { fileAt, type NamedFile, type Sibling, siblingsOf } from './rotated-files.js';

/** How far a file was sent: up to this byte of the file with this inode. */
export interface TailPosition {
  readonly inode: number;
  readonly offset: number;
  /** When the file was last written, as far as it was read: what was rotated after it is younger. */
  readonly mtimeMs: number;
  /** How it begins, as far as it was read: one that was truncated and written anew, or that got the inode of one removed, begins otherwise. */
  readonly head?: TailHead | undefined;
}

/** Of the bytes that a file begins with. */
export interface TailHead {
  readonly bytes: number;
  readonly sha256: string;
}

export interface TailBatch {
  readonly lines: readonly string[];
  /** Where to go on once the lines are stored. */
  readonly next: TailPosition;
}

const HEAD_BYTES = 1024;
const CHUNK_BYTES = 1024 * 1024;
const MAX_LINES = 5_000;
/** A line beyond it is sent in a piece, which the service keeps as too large. */
const MAX_LINE_BYTES = 2 * 1024 * 1024;
const NEWLINE = 0x0a;
/** A program goes on writing to a file that was renamed until it opens the new one, which may be there before. */
const SETTLED_MS = 5_000;

async function readAt(file: FileHandle, offset: number, length = CHUNK_BYTES): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

function headOf(bytes: Buffer): TailHead {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Whether a file whose first bytes these are is the one of a position; one that is shorter was written anew. */
function isOf(first: Buffer, size: number, { offset, head }: TailPosition): boolean {
  if (size < offset) return false;
  return head === undefined || headOf(first.subarray(0, head.bytes)).sha256 === head.sha256;
}

/**
 * Whole lines from an offset on, up to a batch. `last` says that nothing will be added: then the end of the file ends a line, too.
 */
async function linesFrom(
  file: FileHandle,
  offset: number,
  last: boolean,
): Promise<{ lines: string[]; end: number }> {
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const more = await readAt(file, offset + bytes.length);
    bytes = Buffer.concat([bytes, more]);
    const newline = bytes.lastIndexOf(NEWLINE);
    if (newline >= 0) {
      const lines: string[] = [];
      let start = 0;
      while (start <= newline && lines.length < MAX_LINES) {
        const end = bytes.indexOf(NEWLINE, start);
        const line = bytes.toString('utf8', start, end);
        if (line.trim() !== '') lines.push(line);
        start = end + 1;
      }
      return { lines, end: offset + start };
    }
    const isEnd = more.length === 0;
    if (bytes.length > MAX_LINE_BYTES || (isEnd && last && bytes.length > 0))
      return { lines: [bytes.toString('utf8')], end: offset + bytes.length };
    if (isEnd) return { lines: [], end: offset };
  }
}

/** As whereMissing, for a file that may not be read. */
const whereForbidden =
  <T>(value: T) =>
  (error: unknown): T => {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return value;
    throw error;
  };

export interface FileTail {
  /** Lines not sent yet, or where to go on without any; null when there is nothing now. */
  next(position: TailPosition | null): Promise<TailBatch | null>;
}

/** Is told what could not be read. */
export interface TailGaps {
  /** The file that was being read is gone; it may have had more lines. */
  readonly gone: (position: TailPosition) => void;
  /** A file was compressed before it was read. */
  readonly compressed: (path: string) => void;
}

const startOf = ({ inode, mtimeMs }: NamedFile): TailPosition => ({ inode, offset: 0, mtimeMs });

/**
 * Follows a file that is written line by line, over rotation by renaming (the old file is read to its end first, then all that were
 * rotated after it, also after a restart) and by copying and truncating (the copy is read to its end first).
 */
export function createFileTail(path: string, gaps: TailGaps, settledMs = SETTLED_MS): FileTail {
  /** 'other' when the file is not the one of the position any more, 'moved' when it was renamed this very moment. */
  async function readFile(
    from: string,
    position: TailPosition,
    last: boolean,
  ): Promise<TailBatch | 'other' | 'moved' | null> {
    const file = await open(from, 'r').catch(whereMissing(null));
    if (file === null) return 'moved';
    try {
      const { ino, size, mtimeMs } = await file.stat();
      if (ino !== position.inode) return 'moved';
      const { lines, end } = await linesFrom(file, position.offset, last);
      // After the lines: if it was truncated meanwhile, they are of both.
      const first = await readAt(file, 0, HEAD_BYTES);
      if (!isOf(first, size, position)) return 'other';
      if (end === position.offset) return null;
      return { lines, next: { inode: ino, offset: end, mtimeMs, head: headOf(first.subarray(0, end)) } };
    } finally {
      await file.close();
    }
  }

  async function begins(sibling: Sibling, position: TailPosition): Promise<boolean | 'moved'> {
    const file = await open(sibling.path, 'r').catch(whereMissing(null));
    if (file === null) return 'moved';
    try {
      const { ino, size } = await file.stat();
      if (ino !== sibling.inode) return 'moved';
      return isOf(await readAt(file, 0, HEAD_BYTES), size, position);
    } finally {
      await file.close();
    }
  }

  /**
   * Where the file of a position is now: under its inode, or a copy of it, which begins like it. Throws when the one under the inode cannot be
   * read: a rotation that gives it to another user for a moment takes no lines with it.
   */
  async function oldOf(
    siblings: readonly Sibling[],
    position: TailPosition,
  ): Promise<Sibling | 'moved' | undefined> {
    const renamed = siblings.find(({ inode }) => inode === position.inode);
    const found = renamed === undefined ? false : await begins(renamed, position);
    if (found !== false) return found === true ? renamed : found;
    if (position.head === undefined) return undefined;
    const copies = siblings.filter(({ rotated, compressed }) => rotated && !compressed);
    for (const copy of copies.reverse()) {
      const copied = await begins(copy, position).catch(whereForbidden(false));
      if (copied !== false) return copied === true ? copy : copied;
    }
    return undefined;
  }

  /** What is left of a file that was rotated away; then the next younger one, which is the current one at last. */
  async function readRotated(position: TailPosition, current: NamedFile | null): Promise<TailBatch | null> {
    const siblings = await siblingsOf(path);
    const old = await oldOf(siblings, position);
    if (old === 'moved') return null; // at the next look it has its new name
    if (old === undefined) gaps.gone(position);
    const after =
      old === undefined
        ? siblings.filter(({ mtimeMs }) => mtimeMs > position.mtimeMs)
        : siblings.slice(siblings.indexOf(old) + 1);
    const younger = after.filter(({ inode, rotated }) => rotated && inode !== current?.inode);
    const following = younger.find(({ compressed }) => !compressed) ?? current;
    // By either sign: clocks of file systems may go ahead.
    const settled = old === undefined || Math.abs(Date.now() - old.mtimeMs) >= settledMs;
    const rest =
      old === undefined
        ? null
        : await readFile(old.path, { ...position, inode: old.inode }, following !== null && settled);
    if (rest === 'other' || rest === 'moved') return null; // it went this very moment
    if (rest !== null || following === null || !settled) return rest;
    for (const { compressed, path: passed, mtimeMs } of younger)
      if (compressed && (following === current || mtimeMs <= following.mtimeMs)) gaps.compressed(passed);
    return { lines: [], next: startOf(following) };
  }

  return {
    async next(position) {
      const current = await fileAt(path);
      if (position !== null && position.inode !== current?.inode) return readRotated(position, current);
      if (current === null) return null;
      const found = await readFile(path, position ?? startOf(current), false);
      if (found === 'moved') return null;
      if (found !== 'other') return found;
      return position === null ? null : readRotated(position, current);
    },
  };
}
