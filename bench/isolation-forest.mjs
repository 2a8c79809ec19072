// Rows per second scored by the isolation forest against scikit-learn's on one core, taking turns on the same encoded flights.
// usage: node bench/isolation-forest.mjs [PYTHON]    (a Python with scikit-learn, scipy, statsmodels, pandas and pyarrow)
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROUNDS = 15;
const directory = await mkdtemp(join(tmpdir(), 'plumbline-bench-'));
try {
  const bundle = join(directory, 'forest.mjs');
  await build({
    stdin: {
      contents: `export * from './src/stats/isolation-forest.js'; export * from './src/stats/random.js';`,
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile: bundle,
  });
  const { fitIsolationForest, scoreIsolationForest, createRandom } = await import(pathToFileURL(bundle).href);
  const matrixFile = join(directory, 'matrix.f64');
  // OPENBLAS_CORETYPE pins kernels on some machines; the baseline gets the best ones it can.
  const { OPENBLAS_CORETYPE: _, ...env } = process.env;
  const python = spawn(process.argv[2] ?? 'python3', ['bench/isolation-forest.py', matrixFile], {
    env: { ...env, OMP_NUM_THREADS: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await answers.next();
    if (done) throw new Error('the Python side ended early: see its message above');
    return JSON.parse(value);
  };
  const { rows, columns, sklearn } = await answer();
  const bytes = await readFile(matrixFile);
  const matrix = new Float64Array(bytes.buffer, bytes.byteOffset, rows * columns);
  const forest = fitIsolationForest(matrix, rows, columns, { random: createRandom(1) });
  const out = new Float64Array(rows);
  const seconds = { ours: [], sklearn: [] };
  for (let round = 0; round < ROUNDS; round++) {
    python.stdin.write('score\n');
    seconds.sklearn.push(await answer());
    const before = performance.now();
    scoreIsolationForest(forest, matrix, rows, out);
    seconds.ours.push((performance.now() - before) / 1_000);
  }
  python.stdin.end();
  const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const rate = (values) => Math.round(rows / median(values));
  const result = {
    name: 'isolation forest, rows/s scored on one core',
    rows,
    columns,
    trees: 100,
    rounds: ROUNDS,
    ours: rate(seconds.ours),
    baseline: rate(seconds.sklearn),
    baselineName: `scikit-learn ${sklearn}`,
    ratio: Number((median(seconds.sklearn) / median(seconds.ours)).toFixed(2)),
    ratioOfFastest: Number((Math.min(...seconds.sklearn) / Math.min(...seconds.ours)).toFixed(2)),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await rm(directory, { recursive: true, force: true });
}
