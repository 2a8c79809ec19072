import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../domain/ports.js';
import { messageOf } from '../errors.js';
import { SALT_BYTES } from './records.js';

/**
 * The random number by which the directory's records are known behind a damaged one. It is only needed to find them again: one that cannot be
 * kept, on a full disk, keeps nobody from delivering.
 */
export async function readSalt(directory: string, logger: Logger): Promise<Buffer> {
  const path = join(directory, 'salt');
  const kept = await readFile(path).catch(() => null);
  if (kept?.length === SALT_BYTES) return kept;
  const salt = randomBytes(SALT_BYTES);
  try {
    // Whole or not at all.
    await writeFile(`${path}.new`, salt, { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
  } catch (error) {
    await rm(`${path}.new`, { force: true }).catch(() => undefined);
    logger.warn(
      { file: path, reason: messageOf(error) },
      'spool: its salt cannot be written: of what is written until the next start, nothing is found behind damage',
    );
  }
  return salt;
}
