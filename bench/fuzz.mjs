// Feeds changed fixtures to the decoders of all formats, and reports the slowest input and the most memory.
// Usage: npm run fuzz -- [--inputs N] [--seed N] [--from N]      (a million inputs, seed 1, from the first one, by default)
// An input is made of the seed and its number alone: what was slow is told with the command that repeats it.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { root } from './harness.mjs';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
  },
});
const [inputs, seed, from] = [Number(values.inputs), Number(values.seed), Number(values.from)];
if (![inputs, seed, from].every((number) => Number.isSafeInteger(number) && number >= 0) || inputs === 0)
  throw new Error('--inputs, --seed and --from are whole numbers, and at least one input');
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
  from,
  inputs,
  progress: (done) => {
    if (done % 50_000 === 0) process.stderr.write(`fuzz: ${done} of ${inputs}\n`);
  },
});
const seconds = Math.round((performance.now() - startMs) / 1_000);
process.stdout.write(`${JSON.stringify({ ...result, seed, from, seconds })}\n`);
for (const { input, from: first, ms } of result.slow)
  process.stderr.write(
    `fuzz: input ${input} took ${ms} ms of processor time; again: npm run fuzz -- --seed ${seed} --from ${first} --inputs ${input - first + 1}\n`,
  );
if (result.slowestMs > 1_000) {
  process.stderr.write(`fuzz: an input took ${result.slowestMs} ms of processor time\n`);
  process.exitCode = 1;
}
