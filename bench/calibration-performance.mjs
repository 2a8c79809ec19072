// How often performance verdicts are false: labelled streams that stay as they are, with a fresh reference per repetition. Share of
// windows flagged, and false performance episodes per 30 days at the default budget, all of it left to performance.
// usage: npm run bench:calibration-performance -- [--references N] [--worlds TEXT] [--seed N] [--json]
//   --references  fresh references per world; 200 by default
//   --worlds      only worlds whose name holds this text
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { importBundle, root } from './harness.mjs';
import { tableOf } from './table.mjs';

const { values } = parseArgs({
  options: {
    references: { type: 'string', default: '200' },
    worlds: { type: 'string', default: '' },
    seed: { type: 'string', default: '20261129' },
    json: { type: 'boolean', default: false },
  },
});
function wholeNumber(name, text, least) {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value >= least))
    throw new Error(`--${name} ${text}: give a whole number from ${least}`);
  return value;
}
const references = wholeNumber('references', values.references, 2);
const seed = wholeNumber('seed', values.seed, 0);

const meanOf = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
/** Windows of one reference share it: the error is that of the references' means. */
function meanAndError(numbers) {
  const mean = meanOf(numbers);
  const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (numbers.length - 1);
  return { mean, error: Math.sqrt(variance / numbers.length) };
}

await mkdir(join(root, 'build'), { recursive: true });
const directory = await mkdtemp(join(root, 'build/bench-performance-'));
try {
  const { WORLDS, runPerformance, createEpisodeBudget } = await importBundle(
    directory,
    'performance',
    `export { runPerformance } from './bench/calibration/performance.js';
     export { WORLDS } from './bench/calibration/performance-worlds.js';
     export { createEpisodeBudget } from './src/stats/episode-budget.js';`,
  );
  const budget = createEpisodeBudget();
  const worlds = WORLDS.filter(({ name }) => name.includes(values.worlds));
  if (worlds.length === 0) throw new Error(`--worlds ${values.worlds}: no world has this in its name`);
  const cells = [];
  for (const world of worlds) {
    const results = [];
    for (let i = 0; i < references; i++) results.push(await runPerformance(world, seed + i, budget));
    const rate = (figure) => meanAndError(results.map((each) => each[figure] / each.windows));
    cells.push({
      world: world.name,
      windows: results.reduce((sum, each) => sum + each.windows, 0),
      level: meanOf(results.map((each) => each.level)),
      decided: rate('decided'),
      drifted: rate('drifted'),
      material: rate('material'),
      episodes: meanAndError(results.map((each) => each.episodes)),
      anyEpisodes: meanAndError(results.map((each) => each.anyEpisodes)),
    });
    process.stderr.write(`${JSON.stringify(cells.at(-1))}\n`);
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ references, seed, cells })}\n`);
  else {
    const percent = ({ mean, error }) => `${(100 * mean).toFixed(2)} ± ${(100 * error).toFixed(2)}`;
    const count = ({ mean, error }) => `${mean.toFixed(2)} ± ${error.toFixed(2)}`;
    const head = [
      'stream',
      'level, %',
      'windows decided, %',
      'any verdict false, %',
      'false and material, %',
      'false episodes in 30 days, every loss counted',
      'false episodes in 30 days',
    ];
    const lines = cells.map((cell) => [
      cell.world,
      (100 * cell.level).toFixed(1),
      (100 * cell.decided.mean).toFixed(1),
      percent(cell.drifted),
      percent(cell.material),
      count(cell.anyEpisodes),
      count(cell.episodes),
    ]);
    process.stdout.write(`${tableOf(head, lines)}\n`);
  }
  // What chance alone of so many references explains is not held against the verdicts.
  const isKept = ({ drifted, level, episodes }) =>
    drifted.mean <= level + 2 * drifted.error && episodes.mean <= 1 + 2 * episodes.error;
  if (!cells.every(isKept)) process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
