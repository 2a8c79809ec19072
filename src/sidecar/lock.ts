import { lstat, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, messageOf } from '../errors.js';

/** For the process that has just made the file and not written its number yet, where there are no symbolic links. */
const WRITING_MS = 500;
const TAKING_MS = 5_000;
const ATTEMPTS = 10;

/**
 * One process may use a directory. The lock names its process, with the time it began: one that is gone, whose number another process has now,
 * or whose number is ours (a container that was started again), holds nothing any more. Gives what takes the lock away. Throws
 * data_dir_in_use, data_dir_unusable.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'lock');
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (await isTaken(path)) return () => rm(path, { force: true });
      const held = await readSettled(path);
      if (held === null) continue;
      const [pid = 0, began] = held.trim().split(' ').map(Number);
      if (pid !== process.pid && (await isAlive(pid, began)))
        throw new AppError(
          'data_dir_in_use',
          `process ${pid} uses ${directory}: end it, or choose another directory with --dir`,
        );
      await takeAway(path, held);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('data_dir_unusable', `cannot write to ${directory}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  throw new AppError('data_dir_in_use', `another process has just begun to use ${directory}`);
}

async function isTaken(path: string): Promise<boolean> {
  const began = await beginOf(process.pid);
  return isMade(path, began === null ? String(process.pid) : `${process.pid} ${began}`);
}

/**
 * False when it is there already. A symbolic link to nowhere is there with what it says in one step, and takes no room on a disk that is full.
 */
async function isMade(path: string, text: string): Promise<boolean> {
  const problem = await symlink(text, path).then(() => null, codeOf);
  if (problem === null || problem === 'EEXIST') return problem === null;
  // A file system without them.
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? messageOf(error);

/** What the lock says; null when there is none. */
async function read(path: string): Promise<string | null> {
  try {
    return await readlink(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
  }
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
}

/** Empty only when it stays so for longer than writing it takes. */
async function readSettled(path: string): Promise<string | null> {
  const deadline = performance.now() + WRITING_MS;
  for (;;) {
    const text = await read(path);
    if (text !== '' || performance.now() > deadline) return text;
    await sleep(20);
  }
}

/** One at a time: of several that found the lock dead, a slower one must not take away that of a faster one. */
async function takeAway(path: string, held: string): Promise<void> {
  const turn = `${path}.taking`;
  if (!(await isMade(turn, String(process.pid)))) {
    const { mtimeMs } = await lstat(turn).catch(() => ({ mtimeMs: Date.now() }));
    // Whoever had it died within it.
    if (Date.now() - mtimeMs > TAKING_MS) await rm(turn, { force: true });
    await sleep(50);
    return;
  }
  try {
    if ((await read(path)) === held) await rm(path, { force: true });
  } finally {
    await rm(turn, { force: true });
  }
}

async function isAlive(pid: number, began: number | undefined): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = await beginOf(pid);
  // Without either time, a living process counts.
  return began === undefined || now === null || now === began;
}

/** When a process began, in ticks since the machine did; null where that is not told. */
async function beginOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null); // no Linux, or not ours to see
  // The name before it, in parentheses, may hold anything.
  const began = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  return Number.isInteger(began) ? began : null;
}
