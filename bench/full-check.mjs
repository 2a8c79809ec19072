// One full check of 1,000,000 × 50 against 100,000 rows, from two Parquet files: profiles in the engine, then every detector;
// against scipy by hand on the same files. Both processes are warm; the engine's start is not counted, nor Python's imports.
import { join } from 'node:path';
import {
  baselineOverSubject,
  importBundle,
  pythonEnvironment,
  spread,
  startPython,
  takeTurns,
} from './harness.mjs';

const SOURCES = `
export { createStore } from './src/store/store.js';
export { createLogger } from './src/logger.js';
export { inferSchema } from './src/jobs/infer-schema.js';
export { judgeWindow } from './src/detectors/judge-window.js';
export { referenceBuckets } from './src/domain/reference.js';
`;
const IID = { kind: 'iid', pieceMs: 0, spreads: [] };

/** The largest distance between our KS statistics and scipy's: the two must have done the same work. */
function largestDifference(verdicts, results) {
  let largest = 0;
  for (const verdict of verdicts)
    if (verdict.detector === 'ks' && verdict.statistic !== null)
      largest = Math.max(largest, Math.abs(verdict.statistic - results[verdict.feature].statistic));
  return largest;
}

export const fullCheck = {
  name: 'full-check',
  title: 'full check, 1,000,000 × 50 against 100,000, against scipy by hand',
  bar: { atLeast: 1 },
  rounds: 5,

  async run({ directory, log, rounds }) {
    const python = await pythonEnvironment(log);
    const parts = await importBundle(join(directory, 'dist'), 'full-check', SOURCES);
    const scipy = startPython(python, ['bench/full-check.py', directory]);
    const logger = parts.createLogger({ level: 'warn' });
    const store = await parts.createStore({ kind: 'embedded', dataDir: join(directory, 'data'), logger });
    const cpu = { subject: [], baseline: [] };
    let verdicts = [];
    let byHand = {};

    async function check(round) {
      const [reference, current] = ['reference', 'current'].map((name) => join(directory, `${name}.parquet`));
      const { schema } = parts.inferSchema(await store.describeFile(reference), 'reference.parquet');
      const model = { model: `check-${round}`, modelVersion: '1', schema, registeredAtMs: 0 };
      await store.saveGrids(model.model, await store.buildGrids(reference, model));
      const grids = await store.listGrids(model.model);
      const sides = [];
      for (const [hash, path] of [
        ['reference', reference],
        ['current', current],
      ]) {
        const { rows, period } = await store.importReference({
          path,
          model,
          grids,
          hash,
          timestampColumn: null,
        });
        const query = { model: model.model, modelVersion: '1', scope: `reference:${hash}` };
        sides.push({ rows, profiles: await store.mergedProfiles(query, parts.referenceBuckets({ period })) });
      }
      const [left, right] = sides;
      return parts.judgeWindow({
        model,
        window: { startMs: 0, endMs: 3_600_000 },
        reference: {
          ...model,
          hash: 'reference',
          rows: left.rows,
          period: null,
          provenance: '',
          createdAtMs: 0,
          nullModel: IID,
          forest: null,
        },
        grids,
        referenceProfiles: left.profiles,
        currentProfiles: right.profiles,
        level: 0.05,
      }).verdicts;
    }

    try {
      await store.migrate();
      const { columns, versions } = await scipy.answer();
      const turns = await takeTurns({
        rounds,
        log,
        ratioOf: baselineOverSubject,
        baseline: async () => {
          const { seconds, cpuSeconds, results } = await scipy.ask('check');
          cpu.baseline.push(cpuSeconds);
          byHand = results;
          return seconds;
        },
        subject: async (round) => {
          const before = performance.now();
          const used = process.cpuUsage();
          verdicts = await check(round);
          const { user, system } = process.cpuUsage(used);
          cpu.subject.push((user + system) / 1e6);
          return (performance.now() - before) / 1_000;
        },
      });
      return {
        unit: 's',
        ...turns,
        notes: {
          columns,
          verdicts: verdicts.length,
          largestDifferenceOfKs: largestDifference(verdicts, byHand),
          cpuSeconds: { subject: spread(cpu.subject), baseline: spread(cpu.baseline) },
          ...versions,
        },
      };
    } finally {
      await store.close();
      await scipy.stop();
    }
  },
};
