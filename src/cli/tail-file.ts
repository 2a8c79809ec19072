import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** How far a file was sent: up to this byte of the file with this inode. */
export interface TailPosition {
  readonly inode: number;
  readonly offset: number;
}

export interface TailBatch {
  readonly lines: readonly string[];
  /** Where to go on once the lines are stored. */
  readonly next: TailPosition;
}

const CHUNK_BYTES = 1024 * 1024;
const MAX_LINES = 5_000;
/** A line beyond it is sent in a piece, which the service keeps as too large. */
const MAX_LINE_BYTES = 2 * 1024 * 1024;
const NEWLINE = 0x0a;

async function inodeOf(path: string): Promise<number | null> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null; // not written yet, or between two names
    throw error;
  });
  return found?.ino ?? null;
}

/** The rotated file that goes on from a position: one beside the file whose name begins with the file's. */
async function rotatedOf(path: string, inode: number): Promise<string | null> {
  const names = await readdir(dirname(path));
  for (const name of names.filter((other) => other.startsWith(basename(path)))) {
    const candidate = join(dirname(path), name);
    if ((await inodeOf(candidate)) === inode) return candidate;
  }
  return null;
}

async function readAt(file: FileHandle, offset: number): Promise<Buffer> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, offset);
  return buffer.subarray(0, bytesRead);
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

export interface FileTail {
  /** Lines not sent yet; null when there are none now. */
  next(position: TailPosition | null): Promise<TailBatch | null>;
}

/**
 * Follows a file that is written line by line, over rotation by renaming (the old file is read to its end first, also after a restart) and
 * by copying and truncating. `onGap` is told when a file that was not read to its end is gone.
 */
export function createFileTail(path: string, onGap: (position: TailPosition) => void): FileTail {
  async function readFile(from: string, position: TailPosition, last: boolean): Promise<TailBatch | null> {
    const file = await open(from, 'r');
    try {
      const { ino, size } = await file.stat();
      if (ino !== position.inode) return null; // renamed this very moment
      const offset = size < position.offset ? 0 : position.offset;
      const { lines, end } = await linesFrom(file, offset, last);
      if (end === position.offset) return null;
      return { lines, next: { inode: position.inode, offset: end } };
    } finally {
      await file.close();
    }
  }

  return {
    async next(position) {
      const inode = await inodeOf(path);
      if (position !== null && position.inode !== inode) {
        const old = await rotatedOf(path, position.inode);
        if (old === null) onGap(position);
        const rest = old === null ? null : await readFile(old, position, inode !== null);
        if (rest !== null || inode === null) return rest;
      }
      if (inode === null) return null;
      return readFile(path, position?.inode === inode ? position : { inode, offset: 0 }, false);
    },
  };
}
