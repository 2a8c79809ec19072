// Bundles the service into dist/: the program, with a file of its own for what only some commands load, the program of its worker threads,
// and the SQL migrations beside it; chdb and @node-rs/crc32 stay outside (they are native). The sidecar is a file of its own, in which no engine is.
import { cp, mkdir, rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { bundleWorker } from './bundle-worker.mjs';

const out = new URL('../dist/', import.meta.url);
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const program = (name, entry, external) =>
  build({
    entryPoints: { [name]: new URL(`../src/${entry}`, import.meta.url).pathname },
    outdir: out.pathname,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // Reading and compiling all of it would take longer than most commands.
    splitting: true,
    chunkNames: '[name]-[hash]',
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
await program('plumbline', 'main.ts', ['chdb', 'chdb/*', '@node-rs/crc32']);
// What needs the engine would not be found: a build that fails here has let it in.
await program('sidecar', 'sidecar-main.ts', []);
await bundleWorker(new URL('worker.mjs', out).pathname);
await cp(new URL('../src/store/migrations/', import.meta.url), new URL('migrations/', out), {
  recursive: true,
});
