import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AppError, messageOf } from '../errors.js';

/** Creates the directory where needed and proves that files can be written there. Returns its absolute path. */
export function prepareDataDir(dataDir: string): string {
  const path = resolve(dataDir);
  const probe = join(path, `.plumbline-probe-${process.pid}`);
  try {
    makeDirectory(path);
    writeFileSync(probe, 'x');
    rmSync(probe);
  } catch (cause) {
    throw new AppError(
      'data_dir_unusable',
      `cannot write in the data directory ${path}: ${messageOf(cause)}; choose another with --data-dir or store.dataDir, or make it writable`,
      { cause },
    );
  }
  return path;
}

/** In a data directory while a backup is restored into it: what is there is a part of a store, without what was erased. */
const RESTORING = 'restoring';

/** Notes that the directory is not to be used; what is answered takes that back. */
export function markUnfinished(dataDir: string): () => void {
  const path = join(dataDir, RESTORING);
  writeFileSync(path, 'A backup is being restored, or was not restored to its end: remove this directory.\n');
  return () => rmSync(path);
}

/** Throws data_dir_unusable where a restore was cut short. */
export function assertFinished(dataDir: string): void {
  if (!existsSync(join(dataDir, RESTORING))) return;
  throw new AppError(
    'data_dir_unusable',
    `a backup is being restored into ${dataDir}, or that was cut short: wait, or remove the directory and restore again`,
  );
}

/** Not `mkdirSync` with `recursive`: below /proc, where nothing can be made, that never returns. */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // another process made it meanwhile
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/**
 * Explains why the engine did not open the directory. The engine itself holds a kernel lock on `<dir>/status` for as
 * long as its process lives, and writes its pid there: a killed process leaves no lock behind, so there is none of ours.
 */
export function explainOpenFailure(path: string, cause: unknown): AppError {
  // Ours, not the engine's: it says what is wrong itself.
  if (cause instanceof AppError) return cause;
  const pid = holderPid(path);
  if (pid !== null && pid !== process.pid && isAlive(pid))
    return new AppError(
      'data_dir_in_use',
      `the data directory ${path} is in use by process ${pid}: stop that process, or choose another directory with --data-dir`,
      { cause },
    );
  return new AppError(
    'data_dir_unusable',
    `the engine cannot open the data directory ${path} (${messageOf(cause)}): if another container or host uses it, stop that one; otherwise its files are damaged or not the engine's: choose another directory with --data-dir`,
    { cause },
  );
}

/** The pid that the engine wrote into its status file, or null. */
function holderPid(path: string): number | null {
  let status: string;
  try {
    status = readFileSync(join(path, 'status'), 'utf8');
  } catch {
    return null; // no status file: no engine holds the directory
  }
  const match = /^PID: (\d+)/m.exec(status);
  return match?.[1] === undefined ? null : Number(match[1]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'; // another user's process
  }
}
