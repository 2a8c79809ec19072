import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '../errors.js';

/**
 * One process may use a directory. The lock names its process; one that is gone, or whose number is ours (a container that was started
 * again), holds nothing any more. Gives what takes the lock away. Throws data_dir_in_use, data_dir_unusable.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'lock');
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(String(process.pid));
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw new AppError('data_dir_unusable', `cannot write to ${directory}: ${messageOf(error)}`, {
          cause: error,
        });
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (holder !== process.pid && isAlive(holder))
      throw new AppError(
        'data_dir_in_use',
        `process ${holder} uses ${directory}: end it, or choose another directory with --dir`,
      );
    await rm(path, { force: true });
  }
  throw new AppError('data_dir_in_use', `another process has just begun to use ${directory}`);
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
