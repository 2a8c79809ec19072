// How often drift-free windows are flagged, and planted drifts caught, with a fresh reference per repetition.
// Usage: npm run bench:calibration -- --only year [REFERENCES] [BUDGET]   see calibration-year.mjs
//        npm run bench:calibration -- [--repetitions N] [--seed N] [--workers N] [--smoke] [--json] [--out FILE]
//   --repetitions  windows of each size and kind; 400 by default
//   --workers      processes; as many as the machine has cores by default. The figures do not depend on it
//   --most-rows    windows of at most so many rows; of every size by default
//   --smoke        two repetitions on a small reference: shows that it runs, says nothing about rates
//   --json         the results as one JSON document on stdout instead of the tables
//   --out          where the JSON file is written; build/calibration.json by default
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle, root } from './harness.mjs';

const WORKER = '--calibration-worker';
const REFERENCE_ROWS = 20_000;

function wholeNumber(name, text, least) {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value >= least))
    throw new Error(`--${name} ${text}: give a whole number from ${least}`);
  return value;
}

function settings() {
  const { values } = parseArgs({
    options: {
      repetitions: { type: 'string', default: '400' },
      seed: { type: 'string', default: '20261124' },
      workers: { type: 'string', default: String(cpus().length) },
      'most-rows': { type: 'string', default: String(Number.MAX_SAFE_INTEGER) },
      smoke: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      out: { type: 'string', default: join(root, 'build/calibration.json') },
    },
  });
  return {
    ...values,
    repetitions: values.smoke ? 2 : wholeNumber('repetitions', values.repetitions, 1),
    seed: wholeNumber('seed', values.seed, 0),
    workers: wholeNumber('workers', values.workers, 1),
    referenceRows: values.smoke ? 2_000 : REFERENCE_ROWS,
    mostRows: values.smoke ? 1_000 : wholeNumber('most-rows', values['most-rows'], 50),
  };
}

/** A worker runs the repetitions first, first + step, … and prints each one's windows as a line of JSON. */
async function work([bundlePath, first, step, end, seed, referenceRows, mostRows]) {
  const { runTrial, WINDOW_ROWS } = await import(pathToFileURL(bundlePath).href);
  const windowRows = WINDOW_ROWS.filter((rows) => rows <= Number(mostRows));
  for (let trial = Number(first); trial < Number(end); trial += Number(step)) {
    const results = runTrial(Number(seed) + trial, Number(referenceRows), windowRows);
    process.stdout.write(`${JSON.stringify({ trial, results })}\n`);
  }
}

function startWorker(bundlePath, first, options, onTrial) {
  const args = [
    import.meta.filename,
    WORKER,
    bundlePath,
    ...[first, options.workers, options.repetitions, options.seed, options.referenceRows].map(String),
    String(options.mostRows),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) => onTrial(JSON.parse(line)));
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code) =>
      code === 0 ? done() : failed(new Error(`a worker ended with code ${code}`)),
    );
  });
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function tables({ cells, falseFlags, bar }) {
  const sizes = [...new Set(cells.map((cell) => cell.rows))];
  const scenarios = [...new Set(cells.map((cell) => cell.scenario))];
  const rowOf = (scenario, figure) =>
    sizes.map((rows) => {
      const cell = cells.find((each) => each.scenario === scenario && each.rows === rows);
      return cell === undefined ? '' : percent(cell[figure]);
    });
  const lines = [
    `| windows of rows | ${sizes.join(' | ')} |`,
    `| --- |${' --- |'.repeat(sizes.length)}`,
    `| no drift: any flag | ${rowOf('none', 'flagged').join(' | ')} |`,
    `| no drift: any material flag | ${rowOf('none', 'material').join(' | ')} |`,
    ...scenarios
      .filter((scenario) => scenario !== 'none')
      .map((scenario) => `| ${scenario}: caught | ${rowOf(scenario, 'caught').join(' | ')} |`),
    '',
    ...bar.map(
      ({ name, rows, share, ok }) => `${ok ? 'met   ' : 'MISSED'} ${name} at ${rows} rows: ${percent(share)}`,
    ),
    '',
    'most frequent false flags:',
    ...falseFlags
      .toSorted((a, b) => b.share - a.share)
      .slice(0, 8)
      .map(({ flag, rows, share }) => `  ${flag} at ${rows} rows: ${percent(share)}`),
  ];
  return lines.join('\n');
}

async function main() {
  const options = settings();
  await mkdir(join(root, 'build'), { recursive: true });
  const directory = await mkdtemp(join(root, 'build/bench-calibration-'));
  try {
    const bundlePath = await bundle(
      directory,
      'calibration',
      `export * from './bench/calibration/trial.js'; export * from './bench/calibration/summary.js';`,
    );
    const trials = new Map();
    const startedMs = performance.now();
    const onTrial = ({ trial, results }) => {
      trials.set(trial, results);
      const seconds = (performance.now() - startedMs) / 1_000;
      if (process.stderr.isTTY || trials.size % 20 === 0 || trials.size === options.repetitions)
        process.stderr.write(
          `calibration: ${trials.size} of ${options.repetitions}, ${seconds.toFixed(0)} s\n`,
        );
    };
    const workers = Math.min(options.workers, options.repetitions);
    await Promise.all(
      Array.from({ length: workers }, (_, first) =>
        startWorker(bundlePath, first, { ...options, workers }, onTrial),
      ),
    );
    const { summarise } = await import(pathToFileURL(bundlePath).href);
    // In the order of the repetitions: the same document whichever worker was faster.
    const results = [...trials].sort((a, b) => a[0] - b[0]).flatMap(([, windows]) => windows);
    const document = {
      repetitions: options.repetitions,
      seed: options.seed,
      referenceRows: options.referenceRows,
      ...summarise(results),
    };
    const out = resolve(options.out);
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, `${JSON.stringify(document, null, 2)}\n`);
    process.stderr.write(`calibration: written to ${out}\n`);
    process.stdout.write(options.json ? `${JSON.stringify(document)}\n` : `${tables(document)}\n`);
    if (!options.smoke && document.bar.some(({ ok }) => !ok)) process.exitCode = 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

if (process.argv[2] === WORKER) await work(process.argv.slice(3));
else if (process.argv[2] === '--only' && process.argv[3] === 'year') {
  process.argv.splice(2, 2);
  await import('./calibration-year.mjs');
} else await main();
