// The year of flights under three policies, and years in which nothing drifts: how many pages, and of what.
// Usage: npm run bench:flights-policies -- PATH [--seeds N] [--only year|quiet] [--data-dir DIR] [--json]
//   PATH        a folder with reference.parquet, predictions.ndjson.gz, labels.ndjson.gz
//   --data-dir  a year that bench:flights has kept there is used, and not filled again
//   --seeds     drift-free years, each of 365 days drawn from February's 28; 5 by default
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { importBundle, root } from './harness.mjs';
import { tableOf } from './table.mjs';

const SOURCES = `
export { createApp } from './src/app.js';
export { parseConfig } from './src/config.js';
export { createServiceClient, REPLAY_PATIENCE_MS } from './src/cli/service-client.js';
export { replay } from './src/cli/replay-stream.js';
export { createRandom } from './src/stats/random.js';
export { withRowsAsLines } from './src/wiring/file-rows.js';
export { eventsOfRow } from './src/cli/import-rows.js';
`;
const MODEL = 'flight-delay';
const DAY_MS = 86_400_000;
const YEAR = { from: '2013-03-01', to: '2014-01-01' };
const QUIET_DAYS = 365;
const QUIET_START_MS = Date.UTC(2013, 2, 1);
const ROWS_AT_ONCE = 5_000;
/** Beside the policy in force, which is the default one: one false episode in 30 days, two of two windows. */
const POLICIES = [
  { name: 'calm', policy: { falseEpisodesPer30Days: 0.1, open: '3of4', close: 3, cooldown: '2d' } },
  { name: 'keen', policy: { falseEpisodesPer30Days: 4, open: '1of1', close: 1 } },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '5' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    'data-dir': { type: 'string' },
  },
});
const [path] = positionals;
if (path === undefined)
  throw new Error('give the folder of the flights: npm run bench:flights-policies -- PATH');
const seeds = Number(values.seeds);
if (!(Number.isInteger(seeds) && seeds >= 1))
  throw new Error(`--seeds ${values.seeds}: give a whole number from 1`);

await mkdir(join(root, 'build'), { recursive: true });
const directory = await mkdtemp(join(root, 'build/flights-policies-'));
const parts = await importBundle(join(directory, 'dist'), 'policies', SOURCES);
try {
  const document = {};
  if (values.only !== 'quiet') document.year = await withService(yearDir(), underPolicies);
  if (values.only !== 'year') {
    // Before the service's engine is open: a process has one data directory at a time.
    const days = await daysOfReference();
    document.quiet = await withService(join(directory, 'quiet'), (app, client) =>
      quietYears(app, client, days),
    );
  }
  process.stdout.write(values.json ? `${JSON.stringify(document, null, 2)}\n` : report(document));
} finally {
  await rm(directory, { recursive: true, force: true });
}

function yearDir() {
  return values['data-dir'] === undefined ? join(directory, 'year') : resolve(values['data-dir']);
}

async function withService(dataDir, work) {
  const window = { length: '1d', step: '1d', lateness: '10m' };
  const names = [MODEL, ...Array.from({ length: seeds }, (_, seed) => `quiet-${seed}`)];
  const app = await parts.createApp(
    parts.parseConfig({
      store: { dataDir },
      http: { port: 0 },
      clock: 'data',
      jobs: { cron: '* * * * * *' },
      log: { level: 'warn' },
      models: Object.fromEntries(names.map((name) => [name, { window }])),
    }),
  );
  try {
    const { url } = await app.start();
    return await work(app, parts.createServiceClient({ url, patienceMs: parts.REPLAY_PATIENCE_MS }));
  } finally {
    await app.stop();
  }
}

function register(client, model) {
  return client.putFile(
    `/v1/models/${model}/versions/1/reference`,
    join(path, 'reference.parquet'),
    'application/vnd.apache.parquet',
  );
}

/** What the service did under the default policy, and what others would have done over the same counts. */
async function underPolicies(app, client) {
  if ((await app.store.totals()).predictions === 0) {
    await register(client, MODEL);
    await parts.replay({
      client,
      files: ['predictions.ndjson.gz', 'labels.ndjson.gz'].map((name) => join(path, name)),
      onProgress: () => undefined,
    });
    await app.settle();
  }
  const tried = await client.postJson(`/v1/models/${MODEL}/backtest`, {
    version: '1',
    ...YEAR,
    policies: POLICIES,
    shifts: [],
  });
  const policies = [];
  for (const { name, level, opened, pagesPerWeek, episodes } of tried.policies) {
    const pages = [];
    for (const episode of episodes) pages.push(await explained(client, episode));
    policies.push({ name, level, opened, pagesPerWeek, pages });
  }
  return { windows: tried.windows, policies, service: await openedBy(app, MODEL) };
}

/** The window that opened it, in the words that the page and the report have for it. */
async function explained(client, { category, severity, firstWindow, openedBy, closedBy, features }) {
  const query = new URLSearchParams({
    version: '1',
    from: new Date(firstWindow.startMs).toISOString(),
    to: new Date(openedBy.endMs).toISOString(),
  });
  const why = await client.get(`/v1/models/${MODEL}/why?${query}`);
  const sentences = [...why.features, ...(why.outputs ?? [])]
    .filter(({ feature }) => features.some((each) => each === feature || each.startsWith(`${feature} `)))
    .map(({ sentence }) => sentence);
  return {
    category,
    severity,
    opened: day(openedBy.endMs),
    closed: closedBy === null ? null : day(closedBy.endMs),
    features,
    why: sentences.slice(0, 2),
  };
}

async function openedBy(app, model) {
  const episodes = await app.store.listEpisodes({ model, limit: 1_000 });
  return episodes
    .filter((episode) => episode.modelVersion === '1')
    .map(({ category, severity, openedBy: window, closedBy, drivers }) => ({
      category,
      severity,
      opened: day(window.endMs),
      closed: closedBy === null ? null : day(closedBy.endMs),
      features: [...new Set(drivers.map(({ feature }) => feature))],
    }));
}

/** Years of days drawn with replacement from the reference's own, labels and all. What is opened is false. */
async function quietYears(app, client, days) {
  const years = [];
  for (let seed = 0; seed < seeds; seed++) {
    const model = `quiet-${seed}`;
    process.stderr.write(`drift-free year ${seed + 1} of ${seeds}\n`);
    await register(client, model);
    await send(client, model, days, parts.createRandom(20_261_129 + seed));
    await app.settle();
    const key = { model, modelVersion: '1' };
    const end = QUIET_START_MS + (QUIET_DAYS + 1) * DAY_MS;
    const runs = await app.store.listRuns(key, QUIET_START_MS, end);
    const judged = runs.filter(({ status }) => status === 'judged').length;
    years.push({ model, windowsJudged: judged, pages: await openedBy(app, model) });
  }
  const perMonth = years.map(({ windowsJudged, pages }) => (30 * pages.length) / windowsJudged);
  const mean = perMonth.reduce((sum, each) => sum + each, 0) / perMonth.length;
  return { referenceDays: days.length, years, pagesPer30Days: mean };
}

async function daysOfReference() {
  const days = new Map();
  await parts.withRowsAsLines(join(path, 'reference.parquet'), async (lines) => {
    let place = 0;
    for await (const line of createInterface({ input: createReadStream(lines) })) {
      const { prediction, label } = parts.eventsOfRow(JSON.parse(line), String(place++));
      if (prediction === null) throw new Error(`row ${place} of the reference has no prediction`);
      const atMs = Date.parse(`${String(prediction.timestamp).replace(' ', 'T').replace(/Z?$/, 'Z')}`);
      const date = Math.floor(atMs / DAY_MS);
      const rows = days.get(date) ?? [];
      rows.push({ offsetMs: atMs - date * DAY_MS, prediction, label });
      days.set(date, rows);
    }
  });
  return [...days.values()];
}

async function send(client, model, days, random) {
  let predictions = [];
  let labels = [];
  const flush = async () => {
    for (const [kind, rows] of [
      ['ingest', predictions],
      ['labels', labels],
    ]) {
      if (rows.length === 0) continue;
      const counts = await client.postLines(
        `/v1/${kind}`,
        rows.map((row) => JSON.stringify(row)),
      );
      if (counts.accepted !== rows.length) throw new Error(`${kind}: ${JSON.stringify(counts)}`);
    }
    predictions = [];
    labels = [];
  };
  for (let at = 0; at < QUIET_DAYS; at++) {
    const drawn = days[Math.floor(random() * days.length)];
    for (const { offsetMs, prediction, label } of drawn) {
      const own = { model, model_version: '1', prediction_id: `${at}-${prediction.prediction_id}` };
      const timestamp = new Date(QUIET_START_MS + at * DAY_MS + offsetMs).toISOString();
      predictions.push({ ...prediction, ...own, timestamp });
      if (label !== null) labels.push({ ...own, label: label.label, timestamp });
    }
    if (predictions.length >= ROWS_AT_ONCE) await flush();
  }
  await flush();
  // Something later, so that the clock of the data closes the last window.
  predictions.push({
    ...days[0][0].prediction,
    model,
    model_version: '1',
    prediction_id: 'after',
    timestamp: new Date(QUIET_START_MS + (QUIET_DAYS + 1) * DAY_MS).toISOString(),
  });
  await flush();
}

function day(ms) {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Tests of all columns together have no column. */
function wholeRows(feature) {
  return feature === '' ? '(features together)' : feature;
}

function pageLine({ opened, closed, category, severity, features, why = [] }) {
  const head = `  ${opened} to ${closed ?? 'the end'}  ${category}, ${severity}: ${features.slice(0, 6).map(wholeRows).join(', ')}`;
  return [head, ...why.map((sentence) => `      ${sentence}`)].join('\n');
}

function report({ year, quiet }) {
  const lines = [];
  if (year !== undefined) {
    lines.push(
      `${year.windows} days of flights, version 1`,
      tableOf(
        ['policy', 'level', 'pages', 'pages per week'],
        year.policies.map(({ name, level, opened, pagesPerWeek }) => [
          name,
          `${level.least.toPrecision(2)}–${level.greatest.toPrecision(2)}`,
          String(opened),
          pagesPerWeek.toFixed(2),
        ]),
      ),
    );
    for (const { name, pages } of year.policies) lines.push('', name, ...pages.map(pageLine));
    lines.push('', 'what the service opened', ...year.service.map(pageLine), '');
  }
  if (quiet !== undefined)
    lines.push(
      `${quiet.years.length} years of ${QUIET_DAYS} days drawn from ${quiet.referenceDays}: ${quiet.pagesPer30Days.toFixed(3)} pages in 30 days`,
      ...quiet.years.flatMap(({ model, windowsJudged, pages }) => [
        `${model}: ${windowsJudged} windows judged, ${pages.length} pages`,
        ...pages.map(pageLine),
      ]),
    );
  return `${lines.join('\n')}\n`;
}
