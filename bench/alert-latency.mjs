// From the close of the window that completes N of M to the page: the built service, Prometheus and Alertmanager as shipped.
// Usage: npm run bench:alert-latency -- [--trials N] [--minutes N] [--seed N] [--direct] [--json]
// 40 trials spread over 5 minutes by default, after some minutes of preparation. --direct: the service tells Alertmanager itself.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { root } from './harness.mjs';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '40' },
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    direct: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const number = (name, least) => {
  const value = Number(values[name]);
  if (!(Number.isSafeInteger(value) && value >= least))
    throw new Error(`--${name} is a whole number of at least ${least}, not ${values[name]}`);
  return value;
};
const [trials, minutes, seed] = [number('trials', 1), number('minutes', 1), number('seed', 0)];
/** What is promised, s. */
const BAR = 60;

process.chdir(root);
const directory = join(root, 'build', 'alert-latency');
await mkdir(directory, { recursive: true });
const outfile = join(directory, 'alert-latency.mjs');
await build({
  entryPoints: [join(root, 'test/support/alert-latency.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  // Beside the sources there are the shipped files of Prometheus.
  define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(root, 'test/support/x.ts')).href) },
  logLevel: 'warning',
});
const { measureAlertLatency } = await import(pathToFileURL(outfile).href);
const latencies = await measureAlertLatency({
  trials,
  seed,
  spreadMs: minutes * 60_000,
  direct: values.direct,
  progress: (text) => process.stderr.write(`alert-latency: ${text}\n`),
});
const seconds = latencies.map((ms) => ms / 1_000).toSorted((a, b) => a - b);
const at = (share) => seconds[Math.min(seconds.length - 1, Math.ceil(share * seconds.length) - 1)];
const figures = {
  trials,
  direct: values.direct,
  least: seconds[0],
  median: at(0.5),
  p90: at(0.9),
  p95: at(0.95),
  greatest: seconds.at(-1),
  within: seconds.filter((each) => each < BAR).length,
};
if (values.json) process.stdout.write(`${JSON.stringify({ ...figures, seconds })}\n`);
else {
  const text = (value) => `${value.toFixed(1)} s`;
  process.stdout.write(
    `from the close of the window to the page, ${trials} trials${values.direct ? ', told directly' : ''}: ` +
      `least ${text(figures.least)}, median ${text(figures.median)}, 90 % ${text(figures.p90)}, ` +
      `95 % ${text(figures.p95)}, greatest ${text(figures.greatest)}; ${figures.within} of ${trials} under ${BAR} s\n`,
  );
}
process.exitCode = figures.within === trials ? 0 : 1;
