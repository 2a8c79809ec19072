// Feeds changed fixtures to the decoders of all formats, and reports the slowest input and the most memory.
// Usage: npm run fuzz -- [--inputs N] [--seed N]      (a million inputs, seed 1, by default)
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { root } from './harness.mjs';

const { values } = parseArgs({
  options: { inputs: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
const [inputs, seed] = [Number(values.inputs), Number(values.seed)];
if (!(Number.isSafeInteger(inputs) && inputs > 0 && Number.isSafeInteger(seed)))
  throw new Error('--inputs and --seed are whole numbers');
const outfile = join(root, 'build', 'fuzz', 'support', 'fuzz-decoders.mjs');
await mkdir(join(root, 'build'), { recursive: true });
await build({
  entryPoints: [join(root, 'test/support/fuzz-decoders.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  // Fixtures and oracles are found beside the sources.
  define: {
    'import.meta.url': JSON.stringify(pathToFileURL(join(root, 'test/support/fuzz-inputs.ts')).href),
  },
});
const { fuzzDecoders } = await import(pathToFileURL(outfile).href);
const startMs = performance.now();
const result = await fuzzDecoders({
  seed,
  inputs,
  progress: (done) => {
    if (done % 50_000 === 0) process.stderr.write(`fuzz: ${done} of ${inputs}\n`);
  },
});
const seconds = Math.round((performance.now() - startMs) / 1_000);
process.stdout.write(`${JSON.stringify({ ...result, seed, seconds })}\n`);
if (result.slowestMs > 1_000) {
  process.stderr.write(`fuzz: an input took ${result.slowestMs} ms of processor time\n`);
  process.exitCode = 1;
}
