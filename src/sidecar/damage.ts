import { constants, copyFile, link, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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
      'spool: requests in a file are damaged and cannot be delivered, the file is kept; those that are intact are delivered',
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

/**
 * Says that a crash cut the end of the newest file, and takes it away: once newer files follow, nothing would tell it from damage. Where that
 * fails, and in a file of which a copy is kept, which may be the file itself, it stays, and a later start keeps it.
 */
export async function removeCut({ path, end, gaps }: Segment, bytes: number, logger: Logger): Promise<void> {
  logger.warn(
    { file: path, bytes },
    'spool: the end of a file is not a whole request and is passed over: a crash cut it before it was answered',
  );
  if (gaps.length > 0) return;
  try {
    const file = await open(path, 'r+');
    try {
      await file.truncate(end);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    logger.warn({ file: path, reason: messageOf(error) }, 'spool: the cut end of a file cannot be removed');
  }
}

/** A second name takes no room on a disk that is full; not every file system has them. */
async function keep(path: string): Promise<string> {
  const prefix = basename(path);
  const names = (await readdir(dirname(path))).filter(
    (name) => name.startsWith(prefix) && name.endsWith('.damaged'),
  );
  // Also a copy of an earlier start, before which more may have been intact.
  for (const name of names) {
    const kept = join(dirname(path), name);
    if (await isSame(path, kept)) return kept;
  }
  // There may be one of another file that had this number.
  const free = names.length === 0 ? `${path}.damaged` : `${path}.${Date.now()}.damaged`;
  await link(path, free).catch(() => copyFile(path, free, constants.COPYFILE_EXCL));
  return free;
}

const COMPARED_BYTES = 64 * 1024;

/** Whether one is the other, or its copy: as long, and with the same beginning. */
async function isSame(path: string, other: string): Promise<boolean> {
  const [own, kept] = await Promise.all([stat(path), stat(other)]);
  if (own.ino === kept.ino) return true;
  if (own.size !== kept.size) return false;
  const [beginning, keptBeginning] = await Promise.all([beginningOf(path), beginningOf(other)]);
  return beginning.equals(keptBeginning);
}

async function beginningOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(COMPARED_BYTES);
    const { bytesRead } = await file.read(bytes, 0, COMPARED_BYTES, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
