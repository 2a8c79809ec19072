import { constants, copyFile, link, stat } from 'node:fs/promises';
import type { Logger } from '../domain/ports.js';
import { AppError, messageOf } from '../errors.js';
import type { Gap, Segment } from './segment.js';

/**
 * Says what is damaged in a file, and keeps it under another name, which nobody removes. Gives the damaged bytes. Throws data_dir_unusable when
 * it cannot be kept: then nothing may be passed over yet.
 */
export async function reportDamage({ path }: Segment, gaps: readonly Gap[], logger: Logger): Promise<number> {
  if (gaps.length === 0) return 0;
  const bytes = gaps.reduce((sum, { from, to }) => sum + to - from, 0);
  try {
    const kept = await keep(path);
    logger.error(
      { file: kept, gaps, bytes },
      'spool: requests in the middle of a file are damaged and cannot be delivered, the file is kept; those around them are delivered',
    );
  } catch (cause) {
    throw new AppError(
      'data_dir_unusable',
      `${path} is damaged at byte ${gaps[0]?.from}, and no copy can be kept: make room on its disk, or move the file away: ${messageOf(cause)}`,
      { cause },
    );
  }
  return bytes;
}

/** A second name takes no room on a disk that is full; not every file system has them. */
async function keep(path: string): Promise<string> {
  const kept = `${path}.damaged`;
  const [own, other] = await Promise.all([stat(path), stat(kept).catch(() => null)]);
  if (other?.ino === own.ino) return kept;
  // Of another file that had this number.
  const free = other === null ? kept : `${path}.${Date.now()}.damaged`;
  await link(path, free).catch(() => copyFile(path, free, constants.COPYFILE_EXCL));
  return free;
}
