// A year of real flights: performance estimated before the labels, beside what the labels showed, and where stream detectors saw a change.
// Usage: node bench/flights-estimates.mjs PATH [--json]
//   PATH   a folder with reference.parquet, predictions.ndjson.gz, labels.ndjson.gz, as for `npm run bench:flights`
// Without drift detection: version 1's scores and labels only, straight into an embedded store. NannyML's figures of the same months are
// those of test/oracle/estimate-flights-year.json.
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import { importBundle, root } from './harness.mjs';
import { tableOf } from './table.mjs';

const SOURCES = `
export { createStore } from './src/store/store.js';
export { createReferenceRegistrar } from './src/jobs/register-reference.js';
export { createEstimateReader } from './src/jobs/read-estimates.js';
export { createPerformanceReader } from './src/jobs/read-performance.js';
export { createErrorStreams } from './src/jobs/error-streams.js';
`;
const KEY = { model: 'flight-delay', modelVersion: '1' };
const BATCH = 20_000;
const DAY_MS = 86_400_000;
const NOTHING = { names: [], values: [] };
const SOURCE = { kind: 'file', topic: '', partition: -1, offset: -1 };
const SHOWN = ['accuracy', 'precision', 'recall', 'f1', 'rocAuc'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
const [path] = positionals;
if (path === undefined)
  throw new Error('give the folder of the flights: node bench/flights-estimates.mjs PATH');

const nothing = () => undefined;
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silent };
await mkdir(join(root, 'build'), { recursive: true });
const directory = await mkdtemp(join(root, 'build/flights-estimates-'));
const parts = await importBundle(join(directory, 'dist'), 'estimates', SOURCES);
const store = await parts.createStore({
  kind: 'embedded',
  dataDir: join(directory, 'data'),
  logger: silent,
});
try {
  await store.migrate();
  const { model } = await parts.createReferenceRegistrar({
    store,
    wallClock: { now: Date.now, observe: nothing },
    logger: silent,
    fitNullModel: ({ pieceMs }) => ({ kind: 'temporal', pieceMs, spreads: [] }),
    fitForest: async () => 'none',
    windowMs: () => DAY_MS,
  })({ ...KEY, path: join(path, 'reference.parquet'), provenance: 'benchmark' });
  await each('predictions', (event) => ({
    ...rowOf(event),
    numeric: NOTHING,
    categorical: NOTHING,
    probas: NOTHING,
    tags: NOTHING,
    latencyMs: null,
    prediction: event.prediction,
    proba: event.prediction_proba,
  }));
  for (const { hourStartsMs } of await store.dirtyBuckets()) await store.profileHours(model, hourStartsMs);
  await each('labels', (event) => ({ ...rowOf(event), label: event.label }));
  await store.measurePerformance(model, {
    positiveClass: '1',
    segmentColumns: [],
    segments: [],
    requestId: '{request}',
  });
  const setting = () => ({ positiveClass: '1', minimumMaturity: 0.8, quantiles: [] });
  const read = parts.createEstimateReader({
    store,
    setting,
    realised: parts.createPerformanceReader({ store, setting }),
  });
  const { periods } = await read({ ...KEY, period: null, bucket: 'month', segment: null });
  await parts
    .createErrorStreams({
      store,
      detected: nothing,
      wallClock: { now: Date.now, observe: nothing },
      logger: silent,
      settledMs: 0,
    })
    .feed();
  const detections = (await store.streamDetections({ ...KEY, limit: 10_000 })).reverse();
  const nannyml = JSON.parse(await readFile(join(root, 'test/oracle/estimate-flights-year.json'), 'utf8'));
  const months = periods.map((period) => {
    const month = new Date(period.window.endMs - 1).toISOString().slice(0, 7);
    return { month, ...period, nannyml: nannyml.find((each) => each.month === month)?.estimated ?? {} };
  });
  process.stdout.write(
    values.json ? `${JSON.stringify({ months, detections }, null, 2)}\n` : report(months, detections),
  );
} finally {
  await store.close();
  await rm(directory, { recursive: true, force: true });
}

function rowOf(event) {
  return {
    ...KEY,
    predictionId: event.prediction_id,
    rowIndex: 0,
    timestampMs: Date.parse(event.timestamp),
    source: SOURCE,
  };
}

/** Inserts version 1's events of a file, in its order. */
async function each(kind, toRow) {
  const lines = createInterface({
    input: createReadStream(join(path, `${kind}.ndjson.gz`)).pipe(createGunzip()),
  });
  let rows = [];
  let batches = 0;
  const insert = async () => {
    const lists = { predictions: [], labels: [], rejected: [], [kind]: rows };
    await store.insertRows({ ...lists, token: `${kind} ${batches++}` });
    rows = [];
  };
  for await (const line of lines) {
    const event = JSON.parse(line);
    if (String(event.model_version) !== KEY.modelVersion) continue;
    rows.push(toRow(event));
    if (rows.length === BATCH) await insert();
  }
  if (rows.length > 0) await insert();
}

function report(months, detections) {
  const three = (value) => (value === undefined ? '–' : value.toFixed(3));
  const head = ['month', 'figure', 'estimated (95 %)', 'NannyML', 'realised (95 %)', 'inside'];
  const between = (figure) =>
    figure === undefined
      ? '–'
      : `${three(figure.value)} (${three(figure.low ?? undefined)}–${three(figure.high ?? undefined)})`;
  const lines = months.flatMap(({ month, figures, realised, nannyml }) =>
    SHOWN.map((name) => [
      month,
      name,
      between(figures[name]),
      three(nannyml[name]),
      between(realised[name]),
      realised[name] === undefined || figures[name] === undefined
        ? '–'
        : realised[name].value >= figures[name].low && realised[name].value <= figures[name].high
          ? 'yes'
          : 'no',
    ]),
  );
  const seen = ['adwin', 'pageHinkley', 'ddm'].map((name) => {
    const days = detections
      .filter(({ detector }) => detector === name)
      .map(({ labelMs }) => new Date(labelMs).toISOString().slice(5, 10));
    return `${name}: ${days.length} (${days.slice(0, 40).join(' ')})`;
  });
  return `${tableOf(head, lines)}\n${seen.join('\n')}\n`;
}
