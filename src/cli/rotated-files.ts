import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { whereMissing } from '../errors.js';

/** A file as it stands under a name. */
export interface NamedFile {
  readonly path: string;
  readonly inode: number;
  readonly mtimeMs: number;
}

export interface Sibling extends NamedFile {
  /** By its name: what rotation leaves, and no other file beside it. */
  readonly rotated: boolean;
  readonly compressed: boolean;
}

/** What rotation puts behind the name: `.1`, `-20260101`, `.2026-01-01_12-00`, `.old`. */
const ROTATED = /^[._-](?:[\d._:TZ+-]*\d[\d._:TZ+-]*|old|bak)$/;
const COMPRESSED = /\.(?:gz|zst|xz|bz2|lz4|zip|Z)$/;

export async function fileAt(path: string): Promise<NamedFile | null> {
  const found = await stat(path).catch(whereMissing(null)); // not written yet, or between two names
  // A directory `NAME.old`, or a pipe, is nothing to read on in.
  return found?.isFile() ? { path, inode: found.ino, mtimeMs: found.mtimeMs } : null;
}

/** The files beside one whose names begin with its name, the oldest first. */
export async function siblingsOf(path: string): Promise<Sibling[]> {
  const name = basename(path);
  const names = await readdir(dirname(path));
  const siblings: Sibling[] = [];
  for (const other of names.filter((one) => one.startsWith(name) && one !== name)) {
    const file = await fileAt(join(dirname(path), other));
    if (file === null) continue;
    const suffix = other.slice(name.length);
    siblings.push({
      ...file,
      rotated: ROTATED.test(suffix.replace(COMPRESSED, '')),
      compressed: COMPRESSED.test(suffix),
    });
  }
  return siblings.sort((one, other) => one.mtimeMs - other.mtimeMs || byName(one.path, other.path));
}

/** Of files with one time, as file systems give that count whole seconds: `.2` is older than `.1`, and dates go up. */
function byName(one: string, other: string): number {
  const [a, b] = [one, other].map((path) => /\.(\d{1,3})(?:\.\w+)?$/.exec(path)?.[1]);
  return a !== undefined && b !== undefined ? Number(b) - Number(a) : one.localeCompare(other);
}
