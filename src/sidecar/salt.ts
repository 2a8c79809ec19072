import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../domain/ports.js';
import { AppError, messageOf, whereMissing } from '../errors.js';
import { SALT_BYTES } from './records.js';

/**
 * The random number by which the directory's records are known behind a damaged one. It is only needed to find them again: one that cannot be
 * kept, on a full disk, keeps nobody from delivering. One that is there and cannot be read is not written over: what it was written with would not
 * be found again. Throws data_dir_unusable.
 */
export async function readSalt(directory: string, logger: Logger): Promise<Buffer> {
  const path = join(directory, 'salt');
  const kept = await readKept(path);
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

async function readKept(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path).catch(whereMissing(null));
  } catch (cause) {
    throw new AppError(
      'data_dir_unusable',
      `cannot read ${path}, by which requests behind damaged ones are found: make it a file that the sidecar may read, or move it away, and they are not found: ${messageOf(cause)}`,
      { cause },
    );
  }
}
