import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { startGuarded } from './guarded-process.js';
import type { CollectorProcessOptions } from './kafka-collector-main.js';

const BUILD = resolve('build');

export interface CollectorProcess {
  readonly log: () => string;
  readonly ready: () => boolean;
  /** Exit code, null while it runs. */
  readonly exitCode: () => number | null;
  /** SIGKILL. Idempotent. */
  readonly kill: () => Promise<void>;
  /** To the process itself, once it has said its number. */
  readonly signal: (signal: NodeJS.Signals) => void;
}

export interface CollectorProgram {
  readonly start: (options: CollectorProcessOptions) => CollectorProcess;
  readonly remove: () => void;
}

/** Builds the collector program, inside the repository so that it finds chdb in node_modules. */
export async function buildCollectorProgram(): Promise<CollectorProgram> {
  mkdirSync(BUILD, { recursive: true });
  const directory = mkdtempSync(join(BUILD, 'kafka-collector-'));
  const program = join(directory, 'collector.mjs');
  cpSync(resolve('src/store/migrations'), join(directory, 'migrations'), { recursive: true });
  await build({
    entryPoints: [resolve('test/support/kafka-collector-main.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['chdb', 'chdb/*'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  let started = 0;
  return {
    start: (options) => {
      started += 1;
      const logFile = join(directory, `collector-${started}.log`);
      const guarded = startGuarded({
        command: process.execPath,
        args: [program, JSON.stringify(options)],
        logFile,
      });
      const log = () => readFileSync(logFile, 'utf8');
      return {
        log,
        ready: () => /^ready$/m.test(log()),
        exitCode: guarded.exitCode,
        kill: guarded.kill,
        signal: (signal) => {
          const pid = /^pid (\d+)$/m.exec(log())?.[1];
          if (pid === undefined) throw new Error(`the collector has no number yet:\n${log()}`);
          process.kill(Number(pid), signal);
        },
      };
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
