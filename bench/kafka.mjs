// Kafka → queryable, against bare kafkajs with JSON.parse on the same topic, in turns in one run.
// usage: node bench/kafka.mjs [EVENTS] [ROUNDS]     (needs the jars: scripts/install-test-deps.sh)
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));
mkdirSync(join(root, 'build'), { recursive: true });
const directory = mkdtempSync(join(root, 'build', 'bench-kafka-'));
try {
  await build({
    entryPoints: ['kafka-run.ts', 'kafka-reader.ts', 'kafka-service.ts'].map((name) =>
      join(root, 'bench', name),
    ),
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['chdb', 'chdb/*'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  cpSync(join(root, 'src', 'store', 'migrations'), join(directory, 'migrations'), { recursive: true });
  const { run } = await import(join(directory, 'kafka-run.mjs'));
  await run({
    directory,
    events: Number(process.argv[2] ?? 300_000),
    rounds: Number(process.argv[3] ?? 3),
  });
} finally {
  rmSync(directory, { recursive: true, force: true });
}
