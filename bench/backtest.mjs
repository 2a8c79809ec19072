// Backtest of two policies and a planted shift over a year of hourly windows, 50 columns. The counts are made inside the engine:
// half of the columns are numeric with 1,000 cut points, half have 20 categories, an hour has about 200 rows.
// Another process makes the counts, so that the memory is that of the backtest alone.
// usage: node bench/backtest.mjs [HOURS]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { importBundle } from './harness.mjs';

const SOURCES = `
export { createStore } from './src/store/store.js';
export { createStoreClient } from './src/store/client.js';
export { createLogger } from './src/logger.js';
export { createBacktester } from './src/jobs/backtest.js';
export { createPause } from './src/wiring/turns.js';
export { createEpisodeBudget } from './src/stats/episode-budget.js';
export { decideEpisode } from './src/alerts/policy.js';
`;
const HOURS = Number(process.argv[2] ?? 8_760);
const HOUR_MS = 3_600_000;
const FIRST_MS = Date.UTC(2026, 0, 1);
const REFERENCE_HOURS = 700;
const REFERENCE_MS = (Math.floor(FIRST_MS / (REFERENCE_HOURS * HOUR_MS)) - 1) * REFERENCE_HOURS * HOUR_MS;
const NUMERIC = 25;
const CUT_POINTS = 1_000;
const CATEGORIES = 20;
const KEY = { model: 'year', modelVersion: '1' };

const FILLED = process.argv[3];
await mkdir('build', { recursive: true });
// in the tree, where the native engine is found
const directory = FILLED ?? (await mkdtemp(join(process.cwd(), 'build/backtest-')));
const {
  createStore,
  createStoreClient,
  createLogger,
  createBacktester,
  createEpisodeBudget,
  createPause,
  decideEpisode,
} = await importBundle(directory, FILLED === undefined ? 'backtest' : 'fill', SOURCES);

const features = [
  ...Array.from({ length: NUMERIC }, (_, i) => ({ name: `n${i}`, kind: 'numeric' })),
  ...Array.from({ length: NUMERIC - 1 }, (_, i) => ({ name: `c${i}`, kind: 'categorical' })),
];
const model = { ...KEY, registeredAtMs: 0, schema: { task: 'binary', probability: false, features } };
const columns = [...features, { name: 'prediction', kind: 'categorical' }];

/**
 * Hours of counts that vary as those of independent rows do: a cell of a numeric column holds a row with probability 0.1, category i
 * has about 53/i^0.7 rows (bits of random words, each set with probability 1/8).
 */
const COUNTS = `
  INSERT INTO profiles (scope, model, version, granularity, bucket, feature, kind, rows, missing, non_finite, mistyped, counts, offsets, min, max, revision)
  SELECT {scope:String}, 'year', '1', 'hour', fromUnixTimestamp64Milli({fromMs:Int64} + toInt64(number) * 3600000), {feature:String}, {kind:String},
    arraySum(cells), 0, 0, 0, cells, [], 0, 1, 1
  FROM (SELECT number, arrayMap(i -> if({kind:String} = 'numeric', toUInt64(i % 2 = 0 AND cityHash64(i, number, {feature:String}, {scope:String}) % 5 = 0),
      if(i > ${CATEGORIES}, 0, toUInt64(arraySum(part -> bitCount(bitAnd(bitAnd(bitAnd(
        cityHash64(i, number, {feature:String}, {scope:String}, part, 1), cityHash64(i, number, {feature:String}, {scope:String}, part, 2)),
        cityHash64(i, number, {feature:String}, {scope:String}, part, 3)),
        bitShiftRight(18446744073709551615, toUInt8(64 - round(64 / pow(i, 0.7)))))), range(7))))),
    range(1, {cells:UInt32} + 1)) AS cells FROM numbers({hours:UInt32}))`;

/** Days of the reference, of which whole ones are read. */
const DAYS = `
  INSERT INTO profiles (scope, model, version, granularity, bucket, feature, kind, rows, missing, non_finite, mistyped, counts, offsets, min, max, revision)
  SELECT scope, model, version, 'day', toStartOfDay(bucket), feature, any(p.kind), sum(p.rows), 0, 0, 0, sumForEach(p.counts), [], 0, 1, 1
  FROM (SELECT * FROM profiles WHERE scope = 'reference:r' AND granularity = 'hour') AS p
  GROUP BY scope, model, version, toStartOfDay(bucket), feature`;

async function fill(store, client) {
  await store.saveGrids(
    KEY.model,
    columns.map(({ name, kind }) =>
      kind === 'numeric'
        ? {
            kind,
            feature: name,
            cutPoints: Array.from({ length: CUT_POINTS }, (_, i) => i),
            quantum: 2 ** -10,
          }
        : {
            kind,
            feature: name,
            categories: Array.from({ length: CATEGORIES }, (_, i) => `c${i}`),
            headSize: CATEGORIES,
          },
    ),
  );
  for (const { name, kind } of columns) {
    const cells = kind === 'numeric' ? 2 * CUT_POINTS + 1 : CATEGORIES + 2;
    const common = { feature: name, kind, cells };
    await client.command(COUNTS, { ...common, scope: 'production', fromMs: FIRST_MS, hours: HOURS });
    await client.command(COUNTS, {
      ...common,
      scope: 'reference:r',
      fromMs: REFERENCE_MS,
      hours: REFERENCE_HOURS,
    });
  }
  await client.command(DAYS);
}

const logger = createLogger({ level: 'silent' });
const dataDir = join(directory, 'data');
if (FILLED === undefined) {
  const [code] = await once(fork(import.meta.filename, [String(HOURS), directory]), 'exit');
  if (code !== 0) throw new Error(`the process that makes the counts ended with ${code}`);
}
const store = await createStore({ kind: 'embedded', dataDir, logger });
if (FILLED !== undefined) {
  await store.migrate();
  const client = await createStoreClient({ kind: 'embedded', dataDir, timeoutMs: 600_000 });
  await fill(store, client);
  await client.close();
} else await run();
await store.close();
if (FILLED === undefined) await rm(directory, { recursive: true });

async function run() {
  const reference = {
    ...KEY,
    hash: 'r',
    rows: REFERENCE_HOURS * 200,
    period: { startMs: REFERENCE_MS, endMs: REFERENCE_MS + REFERENCE_HOURS * HOUR_MS },
    provenance: 'bench',
    createdAtMs: 0,
    nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
    forest: null,
  };
  const window = { lengthMs: HOUR_MS, stepMs: HOUR_MS, latenessMs: 0 };
  const rule = { openCount: 2, openWindows: 2, closeCount: 2, cooldownMs: 0 };
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const pause = createPause();
  const backtest = createBacktester({
    store: {
      ...store,
      currentReference: async () => reference,
      watermarks: async () => [
        { ...KEY, firstEventMs: FIRST_MS, watermarkMs: FIRST_MS + HOURS * HOUR_MS - 1, rows: HOURS * 200 },
      ],
    },
    settings: () => ({ window, policy: rule, falseEpisodesPer30Days: 1 }),
    budget: createEpisodeBudget({ pause }),
    decide: decideEpisode,
    pause,
  });
  delay.enable();
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const result = await backtest(
    model,
    {
      period: null,
      policies: [
        { name: 'budget 1', policy: rule, falseEpisodesPer30Days: 1 },
        { name: 'budget 0.1', policy: rule, falseEpisodesPer30Days: 0.1 },
      ],
      shifts: [{ feature: 'n0', kind: 'value', size: 0.25 }],
    },
    { onProgress: () => undefined, signal: new AbortController().signal },
  );
  const cpu = process.cpuUsage(startCpu);
  const figures = {
    windows: result.windows,
    columns: columns.length,
    seconds: (performance.now() - startMs) / 1_000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    peakMemoryMiB: Math.round(process.resourceUsage().maxRSS / 1_024),
    longestTurnMs: Math.round(delay.max / 1e6),
    turns99Ms: Math.round(delay.percentile(99) / 1e6),
    policies: result.policies.map(({ name, level, opened, shifts }) => ({ name, level, opened, shifts })),
  };
  process.stdout.write(`${JSON.stringify(figures, null, 1)}\n`);
}
