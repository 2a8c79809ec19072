import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);
/** The repository. */
export const root = resolve(import.meta.dirname, '../..');
export const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The last instruction of that name, continued lines joined. */
export function dockerfile(instruction: string): string {
  const lines = read('Dockerfile').replaceAll('\\\n', ' ').split('\n');
  const line = lines.findLast((text) => text.startsWith(`${instruction} `));
  if (line === undefined) throw new TypeError(`the Dockerfile has no ${instruction}`);
  return line.slice(instruction.length + 1).trim();
}
