// Judging a 30-day window over judging a 1-day window, 50 features, from stored profiles: the cost of a window must not
// follow its rows. Real rows are inserted and profiled first; the reference is the first day. Then each length of window is judged by a
// process of its own, for the height of its memory.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { importBundle, subjectOverBaseline, takeTurns } from './harness.mjs';

const SOURCES = `
export { createStore } from './src/store/store.js';
export { createLogger } from './src/logger.js';
export { keepReferences } from './src/jobs/keep-references.js';
export { createWindowJudge } from './src/jobs/judge-window.js';
export { createLatencyBaselines } from './src/jobs/latency-baseline.js';
export { fitNullModel } from './src/detectors/null-model.js';
export { createRandom } from './src/stats/random.js';
`;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS = 30;
const ROWS_PER_DAY = 5_000;
const NUMERIC = 40;
const CATEGORICAL = 10;
const FIRST_MS = Date.UTC(2026, 0, 1);
const END_MS = FIRST_MS + DAYS * DAY_MS;
/** An hour, a day, thirty days. */
const LENGTHS_MS = [HOUR_MS, DAY_MS, DAYS * DAY_MS];
const JUDGEMENTS = 5;

const namesOf = (prefix, count) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const NUMERIC_NAMES = namesOf('n', NUMERIC);
const CATEGORICAL_NAMES = namesOf('c', CATEGORICAL);
const NO_VALUES = { names: [], values: [] };

function modelOf() {
  const featuresOf = (names, kind) => names.map((name) => ({ name, kind }));
  return {
    model: 'window-length',
    modelVersion: '1',
    registeredAtMs: 0,
    schema: {
      task: 'binary',
      probability: false,
      features: [...featuresOf(NUMERIC_NAMES, 'numeric'), ...featuresOf(CATEGORICAL_NAMES, 'categorical')],
    },
  };
}

function rowsOfDay(day, random) {
  return Array.from({ length: ROWS_PER_DAY }, (_, index) => {
    const numeric = { names: NUMERIC_NAMES, values: NUMERIC_NAMES.map((_, i) => random() + random() * i) };
    const categorical = {
      names: CATEGORICAL_NAMES,
      values: CATEGORICAL_NAMES.map((_, i) => `category ${Math.floor(random() ** 2 * (3 + 20 * i))}`),
    };
    return {
      model: 'window-length',
      modelVersion: '1',
      predictionId: `${day}-${index}`,
      rowIndex: 0,
      timestampMs: FIRST_MS + day * DAY_MS + Math.floor((index / ROWS_PER_DAY) * DAY_MS),
      numeric,
      categorical,
      prediction: random() < 0.2 ? 1 : 0,
      proba: null,
      probas: NO_VALUES,
      latencyMs: null,
      tags: NO_VALUES,
      source: { kind: 'http', topic: '', partition: -1, offset: -1 },
    };
  });
}

/** 1,000 cut points per number, as many as a grid may have: profiles as large as they come. */
function gridsOf(model) {
  return [...model.schema.features, { name: 'prediction', kind: 'categorical' }].map(({ name, kind }) => {
    if (kind === 'numeric') {
      const width = 1 + Number(name.slice(1));
      const cutPoints = Array.from({ length: 1_000 }, (_, index) => (index / 999) * width);
      return { kind, feature: name, cutPoints, quantum: 2 ** Math.ceil(Math.log2(width / 2 ** 26)) };
    }
    const count = name === 'prediction' ? 2 : 3 + 20 * Number(name.slice(1));
    const categories = Array.from({ length: count }, (_, k) =>
      name === 'prediction' ? String(k) : `category ${k}`,
    );
    return { kind, feature: name, categories, headSize: count };
  });
}

/** Judges the last window of a length, and gives the seconds that took. */
function judgements(parts, store) {
  const model = modelOf();
  const reference = {
    model: model.model,
    modelVersion: '1',
    hash: 'none',
    rows: ROWS_PER_DAY,
    period: { startMs: FIRST_MS, endMs: FIRST_MS + DAY_MS },
    provenance: '',
    createdAtMs: 0,
    nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
    forest: null,
  };
  // The first day's rows are the reference: production profiles under the reference's scope.
  const mergedProfiles = parts.keepReferences({
    mergedProfiles: (query, buckets) => store.mergedProfiles({ ...query, scope: 'production' }, buckets),
  });
  const judged = { ...store, mergedProfiles };
  const judge = parts.createWindowJudge({
    store: judged,
    latencies: parts.createLatencyBaselines({ store: judged, fitNullModel: parts.fitNullModel }),
    clock: { now: () => END_MS, observe: () => undefined },
  });
  return (lengthMs) => async () => {
    const before = performance.now();
    const window = { startMs: END_MS - lengthMs, endMs: END_MS };
    const { verdicts } = await judge.judge(model, reference, window, 0.05);
    const seconds = (performance.now() - before) / 1_000;
    if (!verdicts.some((verdict) => verdict.status !== 'undecided'))
      throw new Error('nothing was decided: the windows were not measured');
    return seconds;
  };
}

/** Memory at most of a process that judges windows of a length from what is stored. */
async function peakOf(directory, lengthMs) {
  const child = fork(import.meta.filename, [directory, String(lengthMs)]);
  const exit = once(child, 'exit');
  const [peak] = await Promise.race([once(child, 'message'), exit.then(() => [null])]);
  const [code] = await exit;
  if (code !== 0 || peak === null) throw new Error(`the process that judges ended with ${code}`);
  return peak;
}

async function reportPeak([directory, length]) {
  const parts = await importBundle(join(directory, `peak-${length}`), 'window-length', SOURCES);
  const logger = parts.createLogger({ level: 'warn' });
  const store = await parts.createStore({ kind: 'embedded', dataDir: join(directory, 'data'), logger });
  const judge = judgements(parts, store)(Number(length));
  for (let time = 0; time < JUDGEMENTS; time++) await judge();
  await store.close();
  process.send({
    hours: Number(length) / HOUR_MS,
    peakMb: Math.round(process.resourceUsage().maxRSS / 1_024),
  });
  process.disconnect();
}

export const windowLength = {
  name: 'window-length',
  title: 'judging a 30-day window over a 1-day window, 50 features',
  bar: { atMost: 2 },
  rounds: 15,

  async run({ directory, log, rounds }) {
    const parts = await importBundle(join(directory, 'dist'), 'window-length', SOURCES);
    const logger = parts.createLogger({ level: 'warn' });
    const store = await parts.createStore({ kind: 'embedded', dataDir: join(directory, 'data'), logger });
    let turns;
    try {
      await store.migrate();
      const model = modelOf();
      await store.saveGrids(model.model, gridsOf(model));
      await store.saveModel(model);
      const random = parts.createRandom(1);
      for (let day = 0; day < DAYS; day++)
        await store.insertRows({
          predictions: rowsOfDay(day, random),
          labels: [],
          rejected: [],
          token: `window-length/${day}`,
        });
      log(`${DAYS * ROWS_PER_DAY} rows stored`);
      for (const dirty of await store.dirtyBuckets()) await store.profileHours(model, dirty.hourStartsMs);
      log('profiled');
      const timed = judgements(parts, store);
      // The reference's counts are read once and kept.
      await timed(DAY_MS)();
      turns = await takeTurns({
        rounds,
        log,
        ratioOf: subjectOverBaseline,
        subject: timed(DAYS * DAY_MS),
        baseline: timed(DAY_MS),
      });
    } finally {
      await store.close();
    }
    const peaks = [];
    for (const lengthMs of LENGTHS_MS) peaks.push(await peakOf(directory, lengthMs));
    for (const { hours, peakMb } of peaks) log(`${hours} hours: ${peakMb} MB at most`);
    return {
      unit: 's',
      ...turns,
      notes: { features: NUMERIC + CATEGORICAL, rowsPerDay: ROWS_PER_DAY, cutPoints: 1_000, peaks },
    };
  },
};

if (process.argv[1] === import.meta.filename) await reportPeak(process.argv.slice(2));
