import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

export interface GuardedProcess {
  /** Null while it runs, then its exit code (128 + signal when killed). */
  readonly exitCode: () => number | null;
  /** Its number; throws when it has not begun, or has ended. */
  readonly pid: () => number;
  /** SIGKILL to this very process; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** Sends it another signal; throws when it does not run. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Resolves when it has ended. */
  readonly exited: Promise<unknown>;
  /** The end of what it wrote to stdout and stderr. */
  readonly tail: () => string;
}

/**
 * Starts a program that cannot outlive the test: a shell holds it and kills it with SIGKILL as soon as its own stdin
 * closes, which happens on `kill` and whenever the test process ends, however it ends.
 */
export function startGuarded(options: {
  command: string;
  args: readonly string[];
  logFile: string;
  env?: NodeJS.ProcessEnv;
}): GuardedProcess {
  const guard = [
    'exec 3<&0',
    '"$@" < /dev/null 3<&- & pid=$!',
    'echo "$pid" > "$0"',
    '(cat <&3 > /dev/null; kill -9 "$pid" 2> /dev/null) & watcher=$!',
    'exec 3<&-',
    'wait "$pid"; code=$?',
    // First the watcher: the pid is free for others from here on.
    'kill -9 "$watcher" 2> /dev/null; rm -f "$0"',
    'exit "$code"',
  ].join('\n');
  const log = openSync(options.logFile, 'a');
  const pidFile = `${options.logFile}.${randomUUID()}.pid`;
  const child: ChildProcess = spawn('sh', ['-c', guard, pidFile, options.command, ...options.args], {
    stdio: ['pipe', log, log],
    env: options.env ?? process.env,
  });
  closeSync(log);
  const exited = once(child, 'exit');
  // Writing to a guard that is gone already is no failure of the test.
  child.stdin?.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const pid = () => {
    if (child.exitCode !== null) throw new Error(`it has ended with ${child.exitCode}`);
    return Number(readFileSync(pidFile, 'utf8'));
  };
  return {
    pid,
    exitCode: () => child.exitCode,
    kill: async () => {
      child.stdin?.end();
      await exited;
    },
    exited,
    signal: (signal) => {
      process.kill(pid(), signal);
    },
    tail: () => readFileSync(options.logFile, 'utf8').split('\n').slice(-30).join('\n'),
  };
}
