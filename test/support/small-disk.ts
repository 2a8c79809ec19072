import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GuardedProcess, startGuarded } from './guarded-process.js';
import { until } from './kafka-collect.js';

export interface SmallDisk {
  /** Where the disk is, for processes started on it. */
  readonly directory: string;
  /** The same place for this process, until the disk is removed. */
  readonly outside: string;
  /** Command and arguments that start a program for which the disk is there. */
  readonly inside: (command: string, args: readonly string[]) => { command: string; args: string[] };
  /** Takes all that is free. */
  readonly fill: () => void;
  readonly free: () => void;
  readonly remove: () => Promise<void>;
}

/**
 * A disk of its own (tmpfs) in a mount namespace of its own, which a sleeping process holds: it is gone with that process, whatever becomes of
 * the test. Needs root, or user namespaces.
 */
export async function createSmallDisk(mebibytes: number): Promise<SmallDisk> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-disk-'));
  const pidFile = `${directory}.pid`;
  const asUser = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const script =
    'mount -t tmpfs -o "size=$1m" tmpfs "$2" && echo $$ > "$3.new" && mv "$3.new" "$3" && exec sleep 3600';
  const holder: GuardedProcess = startGuarded({
    command: 'unshare',
    args: [...asUser, '--mount', 'sh', '-c', script, 'sh', String(mebibytes), directory, pidFile],
    logFile: `${directory}.log`,
  });
  let pid = '';
  await until('the disk is mounted', () => {
    if (holder.exitCode() !== null)
      throw new Error(`no tmpfs can be mounted here, as root or in a user namespace:\n${holder.tail()}`);
    try {
      pid = readFileSync(pidFile, 'utf8').trim();
    } catch {
      return false; // not yet
    }
    return true;
  });
  const outside = `/proc/${pid}/root${directory}`;
  const filler = join(outside, 'filler');
  const enter = asUser.length === 0 ? [] : ['--user', '--preserve-credentials'];
  return {
    directory,
    outside,
    inside: (command, args) => ({
      command: 'nsenter',
      args: ['--target', pid, ...enter, '--mount', command, ...args],
    }),
    fill: () => {
      const chunk = Buffer.alloc(64 * 1024, 1);
      try {
        for (;;) writeFileSync(filler, chunk, { flag: 'a' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    free: () => rmSync(filler),
    remove: async () => {
      await holder.kill();
      for (const path of [directory, pidFile, `${directory}.log`])
        rmSync(path, { recursive: true, force: true });
    },
  };
}
