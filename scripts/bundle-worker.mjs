// Bundles the program of the worker threads: one file without dependencies. The build, tests and benchmarks use it.
import { build } from 'esbuild';

/** @param {string} outfile where the program is written, e.g. dist/worker.mjs */
export async function bundleWorker(outfile) {
  await build({
    entryPoints: [new URL('../src/workers/worker.ts', import.meta.url).pathname],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: true,
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
}
