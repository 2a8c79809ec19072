// ROC AUC of ten million labelled rows of one day without pulling them to the service: joining and counting them by hour, then the
// figure of the day from what was counted; beside scikit-learn, which holds all rows in memory.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { importBundle, peakBytesOf, pythonEnvironment, root } from './harness.mjs';

const SOURCES = `
export { createStore } from './src/store/store.js';
export { createStoreClient } from './src/store/client.js';
export { createLogger } from './src/logger.js';
`;
const ROWS = Number(process.env.PERFORMANCE_ROWS ?? 1e7);
const HOURS = 24;
const FIRST_HOUR = Date.UTC(2026, 0, 1) / 3_600_000;
const run = promisify(execFile);
const MODEL = {
  model: 'auc',
  modelVersion: '1',
  registeredAtMs: 0,
  schema: { task: 'binary', label: true, features: [{ name: 'x', kind: 'numeric' }] },
};
const SETTING = { positiveClass: '1', segmentColumns: [], segments: [], requestId: '{request}' };
/** The same numbers in Python: one multiplication, rounded down. */
const fraction = (factor) => `(toFloat64(number) * ${factor} - floor(toFloat64(number) * ${factor}))`;
const SCORE = fraction('0.6180339887498949');
const LABEL = `toFloat64(${fraction('0.7548776662466927')} < 0.1 + 0.8 * ${SCORE})`;
const HOUR = `${FIRST_HOUR} + intDiv(number * ${HOURS}, ${ROWS})`;
const TIME = `fromUnixTimestamp64Milli(toInt64((${HOUR}) * 3600000), 'UTC')`;
const IDENTITY = 'sipHash64(number)';

/** Rows and labels as they are stored, made inside the engine. */
const FILL = [
  `INSERT INTO performance_rows (model, version, hour, identity, ts, prediction_num, proba)
   SELECT 'auc', '1', ${HOUR}, ${IDENTITY}, ${TIME}, toFloat64(${SCORE} >= 0.5), ${SCORE} FROM numbers(${ROWS})`,
  `INSERT INTO labels (model, version, prediction_id, row_index, identity, fingerprint, ts, label_num)
   SELECT 'auc', '1', '', 0, ${IDENTITY}, ${IDENTITY}, ${TIME}, ${LABEL} FROM numbers(${ROWS})`,
  `INSERT INTO profiled_hours (model, version, hour, raw_rows, rows, revision)
   SELECT 'auc', '1', ${FIRST_HOUR} + number, 1, 1, 1 FROM numbers(${HOURS})`,
];

export const performanceAuc = {
  name: 'performance-auc',
  title: `ROC AUC of ${ROWS} labelled rows in the store`,
  bar: null,
  rounds: 1,

  async run({ directory, log }) {
    const python = await pythonEnvironment(log);
    const { stdout } = await run(python, [join(root, 'bench/performance-auc.py'), String(ROWS)]);
    const scikit = JSON.parse(stdout);
    const parts = await importBundle(join(directory, 'dist'), 'performance-auc', SOURCES);
    const location = { kind: 'embedded', dataDir: join(directory, 'data') };
    const store = await parts.createStore({ ...location, logger: parts.createLogger({ level: 'warn' }) });
    try {
      await store.migrate();
      const client = await parts.createStoreClient({ ...location, timeoutMs: 600_000 });
      for (const statement of FILL) await client.command(statement);
      await client.close();
      log(`${ROWS} rows and labels are stored`);
      const before = await peakBytesOf(process.pid);
      const timed = async (work) => {
        const start = performance.now();
        const value = await work();
        return { value, seconds: (performance.now() - start) / 1_000 };
      };
      const counted = await timed(() => store.measurePerformance(MODEL, SETTING));
      const window = { startMs: FIRST_HOUR * 3_600_000, endMs: (FIRST_HOUR + HOURS) * 3_600_000 };
      const query = { model: 'auc', modelVersion: '1', task: 'binary', scope: 'production', window };
      const asked = await timed(() => store.performanceCounts(query, 'all'));
      const growth = (await peakBytesOf(process.pid)) - before;
      const [{ ranking, labelled }] = asked.value;
      if (labelled !== ROWS || ranking.positives !== scikit.positives)
        throw new Error(`${labelled} rows with ${ranking.positives} positives were counted`);
      const difference = Math.abs(ranking.auc - scikit.auc);
      log(`${counted.seconds.toFixed(1)} s to count, ${asked.seconds.toFixed(2)} s for the figure`);
      return {
        figures: [
          { name: 'joined and counted', value: counted.seconds, unit: 's', bar: { atMost: 300 } },
          { name: 'AUC of the day', value: asked.seconds, unit: 's', bar: { atMost: 5 } },
          { name: 'memory beyond what was there', value: growth / 1e6, unit: 'MB', bar: { atMost: 2_000 } },
          {
            name: 'difference from scikit-learn',
            value: difference * 1e6,
            unit: 'millionths',
            bar: { atMost: 10 },
          },
        ],
        notes: {
          rows: ROWS,
          auc: ranking.auc,
          resolution: ranking.aucResolution,
          standardError: Math.sqrt(ranking.aucVariance),
          scikit,
        },
      };
    } finally {
      await store.close();
    }
  },
};
