// Bundles the service into dist/: one file, the program of its worker threads, and the SQL migrations beside it. chdb stays outside (it is native).
import { cp, mkdir, rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { bundleWorker } from './bundle-worker.mjs';

const out = new URL('../dist/', import.meta.url);
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  entryPoints: [new URL('../src/main.ts', import.meta.url).pathname],
  outfile: new URL('plumbline.mjs', out).pathname,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
  external: ['chdb', 'chdb/*'],
  // CommonJS dependencies inside an ESM bundle still call require().
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
await bundleWorker(new URL('worker.mjs', out).pathname);
await cp(new URL('../src/store/migrations/', import.meta.url), new URL('migrations/', out), {
  recursive: true,
});
