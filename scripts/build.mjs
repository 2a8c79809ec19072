// Bundles the service into dist/: one file, the program of its worker threads, and the SQL migrations beside it; chdb stays outside (it is native).
// The sidecar is a file of its own, in which no engine is.
import { cp, mkdir, rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { bundleWorker } from './bundle-worker.mjs';

const out = new URL('../dist/', import.meta.url);
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const program = (name, entry, external) =>
  build({
    entryPoints: [new URL(`../src/${entry}`, import.meta.url).pathname],
    outfile: new URL(`${name}.mjs`, out).pathname,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: true,
    external,
    // CommonJS dependencies inside an ESM bundle still call require().
    banner: {
      js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
await program('plumbline', 'main.ts', ['chdb', 'chdb/*']);
// What needs the engine would not be found: a build that fails here has let it in.
await program('sidecar', 'sidecar-main.ts', []);
await bundleWorker(new URL('worker.mjs', out).pathname);
await cp(new URL('../src/store/migrations/', import.meta.url), new URL('migrations/', out), {
  recursive: true,
});
