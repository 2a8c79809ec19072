import { existsSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { AppError, messageOf } from '../errors.js';
import { createKey, readKeysFile, SCOPES, type Scope } from '../http/access.js';
import { answer, type Output, say } from './output.js';

/** `ingest,read` → scopes. Throws RangeError on others. */
export function parseScopes(text: string): Scope[] {
  return text.split(',').map((part) => {
    const scope = SCOPES.find((known) => known === part.trim());
    if (scope === undefined) throw new RangeError(`a scope is one of ${SCOPES.join(', ')}, got "${part}"`);
    return scope;
  });
}

/**
 * Adds a key to a keys file, which is made when it is not there and keeps its comments when it is. The key is shown once;
 * the file holds its hash. Throws config_invalid for a file that is none, file_unreadable when it cannot be written.
 */
export async function addKey(
  options: {
    readonly keysFile: string;
    readonly scopes: readonly Scope[];
    readonly models: readonly string[];
  },
  output: Output,
): Promise<void> {
  const file = resolve(options.keysFile);
  const known = existsSync(file);
  if (known) readKeysFile(file);
  const document = parseDocument(known ? readFileSync(file, 'utf8') : 'keys: []\n');
  const { key, entry } = createKey(options.scopes, options.models);
  document.addIn(['keys'], document.createNode(entry));
  const draft = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(draft, document.toString(), { mode: 0o600 });
    await rename(draft, file);
  } catch (cause) {
    throw new AppError('file_unreadable', `cannot write the keys file ${file}: ${messageOf(cause)}`, {
      cause,
    });
  }
  say(
    output,
    `${key}\n\nThis is the only time the key is shown. Its hash is in ${file}, which http.keysFile names;`,
  );
  say(output, 'the service reads it when it starts.');
  answer(output, { key, id: entry.id, scopes: entry.scopes, models: entry.models, keysFile: file });
}
