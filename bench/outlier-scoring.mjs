// A million rows of 50 features through the service's own scoring step, in worker threads: memory, the event loop's delay, and rows per
// second on one and on all cores; and the delay of fitting a forest. The store is left out: pages come from memory.
// On a machine that others use too, `chrt -R -r 1 npm run bench -- …` gives the event loop's thread the processor when it asks for it, so that
// the delays are the service's own; `chrt -r 1` does so for all threads, for the comparison of cores.
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { importBundle, spread } from './harness.mjs';

const SOURCES = `
export { createOutlierScorer } from './src/jobs/score-outliers.js';
export { createForestFitter } from './src/wiring/forests.js';
export { createWorkerPool } from './src/workers/pool.js';
export { createNormal } from './src/stats/normal-draws.js';
export { createRandom } from './src/stats/random.js';
`;
const ROWS = 1_000_000;
const NUMERIC = 40;
const CATEGORICAL = 10;
const FEATURES = NUMERIC + CATEGORICAL;
const REFERENCE_ROWS = 100_000;
/** Of the million, for the comparison of cores. */
const SHORT_ROWS = 200_000;
const WARM_ROWS = 50_000;
const MEGABYTE = 2 ** 20;

const columns = Array.from({ length: FEATURES }, (_, i) => ({
  name: `f${i}`,
  kind: i < NUMERIC ? 'numeric' : 'categorical',
}));

function createRows({ createNormal, createRandom }, count) {
  const random = createRandom(1);
  const normal = createNormal(random);
  return Array.from({ length: count }, () =>
    columns.map(({ kind }) => {
      if (kind === 'categorical') return `c${Math.floor(12 * random() ** 2)}`;
      return random() < 0.02 ? null : normal();
    }),
  );
}

/** Lets this process, in all its threads, use so many cores only. */
async function useCores(count) {
  await promisify(execFile)('taskset', ['-a', '-p', '-c', `0-${count - 1}`, String(process.pid)]);
}

/** `count` unscored rows, page by page, of the same values again and again. */
function createPages(values, count) {
  let given = 0;
  let flagged = 0;
  return {
    async unscoredRows(_model, _columns, limit) {
      const size = Math.min(limit, count - given);
      const page = Array.from({ length: size }, (_, i) => ({
        predictionId: `r${given + i}`,
        rowIndex: 0,
        timestampMs: 0,
        ingestedAtMs: 0,
        values: values[(given + i) % values.length],
      }));
      given += size;
      return page;
    },
    async saveScores(_key, _hash, scored) {
      flagged += scored.filter((row) => row.flagged).length;
    },
    flagged: () => flagged,
  };
}

/** Seconds, greatest delay of the event loop (ms) and growth of memory (MB) while `work` runs. */
async function watch(work) {
  global.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  const sampling = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const from = performance.now();
  const result = await work();
  const seconds = (performance.now() - from) / 1_000;
  delay.disable();
  clearInterval(sampling);
  return { result, seconds, delayMs: delay.max / 1e6, growthMb: (peak - before) / MEGABYTE };
}

export const outlierScoring = {
  name: 'outlier-scoring',
  title: `outlier scoring: ${ROWS.toLocaleString('en-US')} rows × ${FEATURES} features`,
  rounds: 3,

  async run({ directory, log, rounds }) {
    const parts = await importBundle(directory, 'outlier-scoring', SOURCES);
    const entry = pathToFileURL(join(directory, 'worker.mjs'));
    const logger = { debug: () => undefined, warn: (_fields, message) => log(message) };
    const reference = createRows(parts, REFERENCE_ROWS);
    const values = reference.slice(0, 20_000);

    async function withPool(threads, work) {
      const pool = parts.createWorkerPool({ entry, threads });
      try {
        return await work(pool);
      } finally {
        await pool.stop();
      }
    }

    const score = (pool, forest, count) => {
      const store = createPages(values, count);
      const scorer = parts.createOutlierScorer({
        store,
        logger,
        scoreForest: (input) => pool.run('scoreForest', input),
        explainForest: (input) => pool.run('explainForest', input),
      });
      return watch(() => scorer.score({ model: 'm', modelVersion: '1' }, { hash: 'h', forest }));
    };

    const threads = availableParallelism();
    const fitted = await withPool(threads, (pool) =>
      watch(() =>
        parts.createForestFitter(pool)(columns, reference, {
          seed: 1,
          trees: 100,
          subsample: 256,
          time: { timestampsMs: reference.map((_, i) => i * 60_000), pieceMs: 86_400_000 },
        }),
      ),
    );
    log(`fitted in ${fitted.seconds.toFixed(1)} s, delay ${fitted.delayMs.toFixed(0)} ms`);
    const forest = fitted.result;
    const scored = await withPool(threads, (pool) => score(pool, forest, ROWS));
    log(`scored in ${scored.seconds.toFixed(1)} s, delay ${scored.delayMs.toFixed(0)} ms`);

    const ratios = [];
    for (let round = 0; round < rounds; round++) {
      const seconds = {};
      for (const count of round % 2 === 0 ? [1, threads] : [threads, 1]) {
        await useCores(count);
        seconds[count] = await withPool(count, async (pool) => {
          // Threads start, read the forest and are compiled on the first pages.
          await score(pool, forest, WARM_ROWS);
          return (await score(pool, forest, SHORT_ROWS)).seconds;
        });
      }
      ratios.push(seconds[1] / seconds[threads]);
      log(`turn ${round + 1} of ${rounds}: ${ratios.at(-1).toFixed(2)} times one core's`);
    }
    await useCores(threads);
    return {
      figures: [
        { name: 'growth of memory', value: scored.growthMb, unit: 'MB', bar: { atMost: 300 } },
        { name: 'greatest delay while scoring', value: scored.delayMs, unit: 'ms', bar: { atMost: 50 } },
        { name: 'greatest delay while fitting', value: fitted.delayMs, unit: 'ms', bar: { atMost: 50 } },
        {
          name: `rows per second on ${threads} cores over one's`,
          value: spread(ratios).median,
          unit: 'times',
          bar: { atLeast: threads > 1 ? 1.5 : 0.9 },
        },
      ],
      notes: {
        threads,
        rowsPerSecond: ROWS / scored.seconds,
        fitSeconds: fitted.seconds,
        fitGrowthMb: fitted.growthMb,
        flagged: scored.result.flagged,
        coreRatios: spread(ratios),
      },
    };
  },
};
