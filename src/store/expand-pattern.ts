import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { AppError, messageOf } from '../errors.js';

const MAGIC = /[*?]/;
const DATA_FILE = /\.(?:parquet|(?:csv|ndjson|jsonl)(?:\.(?:gz|zst|xz|bz2|lz4))?)$/i;

/**
 * The files that a path stands for, sorted: itself, the data files below a directory (as Spark writes them), or what matches a pattern
 * of `*` (within a name), `?` and `**` (any folders). Throws file_unreadable when there is none.
 */
export async function expandPattern(pattern: string): Promise<string[]> {
  const found = await stat(pattern).catch(() => null);
  if (found?.isDirectory()) {
    const files = (await filesBelow(pattern)).filter((file) => DATA_FILE.test(file) && !isHidden(file));
    if (files.length === 0)
      throw new AppError(
        'file_unreadable',
        `the folder ${pattern} holds no Parquet, CSV or NDJSON file: give one that does`,
      );
    return files.map((file) => join(pattern, file));
  }
  if (found !== null || !MAGIC.test(pattern)) return [pattern];
  const parts = pattern.split(/[\\/]/);
  const first = parts.findIndex((part) => MAGIC.test(part));
  const base = parts.slice(0, first).join(sep) || (pattern.startsWith('/') ? '/' : '.');
  const rest = parts.slice(first);
  const matches = new RegExp(`^${rest.map(partExpression).join('')}$`);
  const files = (await filesBelow(base, rest.length > 1 || rest[0] === '**')).filter((file) =>
    matches.test(`${file.split(sep).join('/')}`),
  );
  if (files.length === 0)
    throw new AppError(
      'file_unreadable',
      `no file matches ${pattern}: check the pattern, and quote it for the shell`,
    );
  return files.map((file) => (base === '.' && !pattern.startsWith('.') ? file : join(base, file)));
}

const isHidden = (file: string) =>
  file.split(sep).some((part) => part.startsWith('.') || part.startsWith('_'));

/** `**` stands for any number of whole folders; `*` and `?` stay within one name and do not show hidden files. */
function partExpression(part: string, index: number, all: readonly string[]): string {
  const last = index === all.length - 1;
  if (part === '**') return `(?:(?!\\.)[^/]+/)*${last ? '(?!\\.)[^/]+' : ''}`;
  const text = part
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  return `${part.startsWith('.') ? '' : '(?!\\.)'}${text}${last ? '' : '/'}`;
}

async function filesBelow(folder: string, recursive = true): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relativeTo(folder, join(entry.parentPath ?? entry.path, entry.name)))
      .sort();
  } catch (cause) {
    throw new AppError(
      'file_unreadable',
      `cannot list the folder ${folder}: ${messageOf(cause)}; check the path`,
      {
        cause,
      },
    );
  }
}

function relativeTo(folder: string, path: string): string {
  const prefix = join(folder, sep);
  return folder === '.' ? path : path.slice(path.startsWith(prefix) ? prefix.length : 0);
}
