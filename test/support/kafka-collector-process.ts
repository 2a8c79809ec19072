import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
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

/** What the release after this one could bring: a column, by a migration, that its predictions fill and ours leave out. */
const NEXT_MIGRATION = `ALTER TABLE predictions ADD COLUMN IF NOT EXISTS next_release UInt32 DEFAULT 0;
ALTER TABLE labels ADD COLUMN IF NOT EXISTS next_release UInt32 DEFAULT 0;
ALTER TABLE rejected ADD COLUMN IF NOT EXISTS next_release UInt32 DEFAULT 0;
`;
const NEXT_CHANGES = [
  [
    'return nativeBlock(rows, { ...columns, identity, ingested_at });',
    `const next_release = createWordColumn('UInt32');
     for (let row = 0; row < rows; row += 1) next_release.append(1);
     return nativeBlock(rows, { ...columns, identity, ingested_at, next_release });`,
  ],
  ['PREDICTION_COLUMNS: readonly string[] = [', "PREDICTION_COLUMNS: readonly string[] = ['next_release', "],
] as const;
const nextRelease: Plugin = {
  name: 'next-release',
  setup: ({ onLoad }) => {
    onLoad({ filter: /store\/prediction-block\.ts$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8');
      for (const [from, to] of NEXT_CHANGES) {
        if (!contents.includes(from)) throw new Error(`${path} no longer has: ${from}`);
        contents = contents.replace(from, to);
      }
      return { contents, loader: 'ts' };
    });
  },
};

/** Builds the collector program of this release, or of a next one, inside the repository so that it finds chdb in node_modules. */
export async function buildCollectorProgram(release: 'this' | 'next' = 'this'): Promise<CollectorProgram> {
  mkdirSync(BUILD, { recursive: true });
  const directory = mkdtempSync(join(BUILD, 'kafka-collector-'));
  const program = join(directory, 'collector.mjs');
  cpSync(resolve('src/store/migrations'), join(directory, 'migrations'), { recursive: true });
  if (release === 'next')
    writeFileSync(join(directory, 'migrations', '9999_next_release.sql'), NEXT_MIGRATION);
  await build({
    entryPoints: [resolve('test/support/kafka-collector-main.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['chdb', 'chdb/*', '@node-rs/crc32'],
    plugins: release === 'next' ? [nextRelease] : [],
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
