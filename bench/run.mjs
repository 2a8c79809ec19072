// Runs the benchmarks: each against its baseline, in turns, in one run.
// Usage: npm run bench -- [--only NAME]… [--rounds N] [--models N]… [--json] [--out FILE]
//   --only   isolation-forest, outlier-scoring, full-check, compare, window-length, cycle, performance-auc, http-ingest, kafka-ingest, demo
//   --models numbers of models of cycle, ascending; 50, 100 and 200 by default
//   --json   the results as one JSON document on stdout instead of the table
//   --out    where the JSON file is written; build/bench.json by default
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compare } from './compare.mjs';
import { cycle } from './cycle.mjs';
import { demo } from './demo.mjs';
import { fullCheck } from './full-check.mjs';
import { root } from './harness.mjs';
import { httpIngest } from './http-ingest.mjs';
import { isolationForest } from './isolation-forest.mjs';
import { kafkaIngest } from './kafka-ingest.mjs';
import { outlierScoring } from './outlier-scoring.mjs';
import { performanceAuc } from './performance-auc.mjs';
import { table } from './table.mjs';
import { windowLength } from './window-length.mjs';

const BENCHMARKS = [
  isolationForest,
  outlierScoring,
  fullCheck,
  compare,
  windowLength,
  cycle,
  performanceAuc,
  httpIngest,
  kafkaIngest,
  demo,
];

function settings() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      models: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      out: { type: 'string', default: join(root, 'build/bench.json') },
    },
  });
  const names = BENCHMARKS.map((benchmark) => benchmark.name);
  for (const name of values.only)
    if (!names.includes(name)) throw new Error(`no benchmark ${name}: choose among ${names.join(', ')}`);
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  if (rounds !== null && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds ${values.rounds}: give a whole number above 0`);
  const models = values.models?.map(Number);
  for (const [at, size] of models?.entries() ?? [])
    if (!(Number.isInteger(size) && size >= Math.max(4, (models[at - 1] ?? 0) + 1)))
      throw new Error(`--models ${values.models[at]}: give whole numbers from 4 upwards, ascending`);
  return { ...values, rounds, models };
}

const options = settings();
const chosen = BENCHMARKS.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
await mkdir(join(root, 'build'), { recursive: true });
const load = () => loadavg().map((value) => Number(value.toFixed(1)));
const document = {
  date: new Date().toISOString(),
  machine: {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  },
  results: [],
};
for (const benchmark of chosen) {
  const directory = await mkdtemp(join(root, `build/bench-${benchmark.name}-`));
  const log = (text) => process.stderr.write(`${benchmark.name}: ${text}\n`);
  const loadBefore = load();
  try {
    const result = await benchmark.run({
      directory,
      log,
      rounds: options.rounds ?? benchmark.rounds,
      models: options.models,
    });
    const { title, bar } = benchmark;
    document.results.push({
      name: benchmark.name,
      title,
      bar,
      ...result,
      load: { before: loadBefore, after: load() },
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
const json = `${JSON.stringify(document, null, 2)}\n`;
const file = resolve(options.out);
await mkdir(dirname(file), { recursive: true });
await writeFile(file, json);
process.stdout.write(options.json ? json : table(document));
if (!options.json) process.stderr.write(`written to ${file}\n`);
