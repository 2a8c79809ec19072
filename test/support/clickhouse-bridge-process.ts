import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type GuardedProcess, startGuarded } from './guarded-process.js';

const BUILD = fileURLToPath(new URL('../../build/', import.meta.url));
const START_TIMEOUT_MS = 120_000;

export interface BridgeProcess {
  readonly url: string;
  /** SIGKILL, as a server would die of a power cut. Idempotent. */
  readonly kill: () => Promise<void>;
}

/** The bridge in a process of its own, so that several services can share one engine over HTTP. Dies with the test. */
export async function startBridgeProcess(options: {
  dataDir: string;
  port?: number;
  password?: string;
}): Promise<BridgeProcess> {
  mkdirSync(BUILD, { recursive: true });
  // Inside the repository, so that the program finds chdb in node_modules.
  const directory = mkdtempSync(join(BUILD, 'clickhouse-bridge-'));
  const program = join(directory, 'bridge.mjs');
  const logFile = join(directory, 'bridge.log');
  await build({
    entryPoints: [fileURLToPath(new URL('./clickhouse-bridge-main.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['chdb', 'chdb/*'],
    logLevel: 'warning',
  });
  const guarded = startGuarded({
    command: process.execPath,
    args: [program, options.dataDir, String(options.port ?? 0), options.password ?? ''],
    logFile,
  });
  const stop = async () => {
    await guarded.kill();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    return { url: await firstLine(guarded, logFile), kill: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function firstLine(process: GuardedProcess, logFile: string): Promise<string> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const url = /^http:\/\/\S+$/m.exec(readFileSync(logFile, 'utf8'))?.[0];
    if (url !== undefined) return url;
    if (process.exitCode() !== null) break;
    await delay(20);
  }
  throw new Error(`the ClickHouse bridge did not start:\n${process.tail()}`);
}
