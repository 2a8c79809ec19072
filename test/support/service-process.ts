import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type GuardedProcess, startGuarded } from './guarded-process.js';

/** The built command; `npm run test:all` builds it first. */
export const COMMAND = join(process.cwd(), 'dist', 'plumbline.mjs');
const START_TIMEOUT_MS = 120_000;

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end. */
export function plumbline(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** `plumbline serve`, ready to answer; it cannot outlive the test. */
export async function startService(options: {
  configFile: string;
  url: string;
  logFile: string;
  /** Further arguments of `serve`. */
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Another command that starts it. */
  through?: (command: string, args: readonly string[]) => { command: string; args: readonly string[] };
}): Promise<GuardedProcess> {
  const { through = (command, args) => ({ command, args }) } = options;
  const service = startGuarded({
    ...through(process.execPath, [COMMAND, 'serve', '--config', options.configFile, ...(options.args ?? [])]),
    logFile: options.logFile,
    env: { ...process.env, ...options.env },
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (service.exitCode() !== null) break;
    const ready = await fetch(`${options.url}/readyz`).then(
      (response) => response.ok,
      // Nothing listens yet.
      () => false,
    );
    if (ready) return service;
    await delay(50);
  }
  const tail = service.tail();
  await service.kill();
  throw new Error(`the service did not become ready:\n${tail}`);
}

/** Asks until the answer is there, at most `timeoutMs`; `what` may tell how far it has come. */
export async function until<T>(
  what: string | (() => string),
  timeoutMs: number,
  ask: () => Promise<T | null>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline)
      throw new Error(`${typeof what === 'string' ? what : what()}: not within ${timeoutMs} ms`);
    await delay(100);
  }
}
