// A year of real flights through the whole service: what was found month by month.
// Usage: npm run bench:flights -- PATH [--version 1|2] [--json] [--data-dir DIR]
//   PATH   a folder with reference.parquet, reference-v2.parquet, predictions.ndjson.gz, labels.ndjson.gz
//   --data-dir  keeps the data there, for `plumbline serve`; a folder that holds a year already is not filled again
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { importBundle, root, spread } from './harness.mjs';
import { tableOf } from './table.mjs';

const SOURCES = `
export { createApp } from './src/app.js';
export { parseConfig } from './src/config.js';
export { createServiceClient, REPLAY_PATIENCE_MS } from './src/cli/service-client.js';
export { replay } from './src/cli/replay-stream.js';
export { createExplainer } from './src/jobs/explain-window.js';
`;
const MODEL = 'flight-delay';
const MONTHS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const TOP = 5;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    version: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    'data-dir': { type: 'string' },
  },
});
const [path] = positionals;
if (path === undefined) throw new Error('give the folder of the flights: npm run bench:flights -- PATH');
if (!['1', '2'].includes(values.version)) throw new Error(`--version ${values.version}: give 1 or 2`);

await mkdir(join(root, 'build'), { recursive: true });
const directory = await mkdtemp(join(root, 'build/flights-'));
const dataDir = values['data-dir'] === undefined ? join(directory, 'data') : resolve(values['data-dir']);
const parts = await importBundle(join(directory, 'dist'), 'flights', SOURCES);
const app = await parts.createApp(
  parts.parseConfig({
    store: { dataDir },
    http: { port: 0 },
    clock: 'data',
    jobs: { cron: '* * * * * *' },
    log: { level: 'warn' },
    models: { [MODEL]: { window: { length: '1d', step: '1d', lateness: '10m' } } },
  }),
);
try {
  const { url } = await app.start();
  const startedMs = performance.now();
  const { predictions } = await app.store.totals();
  if (predictions === 0) await fill(url);
  const document = await describe();
  document.performance = await performanceOf(url);
  document.seconds = Number(((performance.now() - startedMs) / 1_000).toFixed(1));
  process.stdout.write(values.json ? `${JSON.stringify(document, null, 2)}\n` : report(document));
} finally {
  await app.stop();
  await rm(directory, { recursive: true, force: true });
}

async function fill(url) {
  const client = parts.createServiceClient({ url, patienceMs: parts.REPLAY_PATIENCE_MS });
  for (const [version, file] of [
    ['1', 'reference.parquet'],
    ['2', 'reference-v2.parquet'],
  ])
    await client.putFile(
      `/v1/models/${MODEL}/versions/${version}/reference`,
      join(path, file),
      'application/vnd.apache.parquet',
    );
  let told = '';
  const counts = await parts.replay({
    client,
    files: ['predictions.ndjson.gz', 'labels.ndjson.gz'].map((name) => join(path, name)),
    onProgress: (_done, _total, eventTime) => {
      if (eventTime.slice(0, 7) === told) return;
      told = eventTime.slice(0, 7);
      process.stderr.write(`replaying ${told}\n`);
    },
  });
  process.stderr.write(`${JSON.stringify(counts)}\n`);
  await app.settle();
}

async function describe() {
  const key = { model: MODEL, modelVersion: values.version };
  const explain = parts.createExplainer({ store: app.store });
  const episodes = (await app.store.listEpisodes({ model: MODEL, limit: 1_000 })).filter(
    (episode) => episode.modelVersion === values.version,
  );
  const months = [];
  for (const month of MONTHS) {
    const period = { startMs: Date.UTC(2013, month, 1), endMs: Date.UTC(2013, month + 1, 1) };
    const runs = await app.store.listRuns(key, period.startMs, period.endMs);
    const judged = runs.filter((run) => run.status === 'judged').length;
    if (judged === 0) continue;
    const verdicts = await app.store.listVerdicts({ ...key, window: period, limit: 100_000 });
    const { explanation } = await explain(key, period);
    months.push({
      month: new Date(period.startMs).toISOString().slice(0, 7),
      windowsJudged: judged,
      driftedDays: driftedDaysOf(verdicts),
      drifted: driftedOf(verdicts),
      episodes: episodes
        .filter(
          ({ firstWindow }) => firstWindow.startMs >= period.startMs && firstWindow.startMs < period.endMs,
        )
        .map(({ category, firstWindow, closedBy, drivers }) => ({
          category,
          from: day(firstWindow.startMs),
          until: closedBy === null ? null : day(closedBy.endMs),
          drivers: [...new Set(drivers.map(({ feature }) => feature || 'whole rows'))],
        })),
      prediction: explanation.prediction,
      why: [...explanation.features, ...explanation.outputs].map(
        ({ feature, predictionShift, explains, sentence }) => ({
          feature,
          predictionShift,
          explains,
          sentence,
        }),
      ),
    });
  }
  return { model: MODEL, version: values.version, months };
}

/** Realised performance by month, by the labels: scikit-learn's figures of the same rows are those of flights-performance.py. */
async function performanceOf(url) {
  const client = parts.createServiceClient({ url });
  const { reference, periods } = await client.get(
    `/v1/models/${MODEL}/performance?version=${values.version}&bucket=month`,
  );
  const shown = ({ predictions, labelled, status, figures }) => ({ predictions, labelled, status, figures });
  return {
    reference: reference === null ? null : shown(reference),
    months: periods.map((period) => ({
      month: new Date(period.window.startMs).toISOString().slice(0, 7),
      ...shown(period),
    })),
  };
}

/** Days on which any primary test was material. */
function driftedDaysOf(verdicts) {
  const days = verdicts
    .filter(({ role, segment }) => role === 'primary' && segment === undefined)
    .filter(({ status, material }) => status === 'drifted' && material)
    .map(({ window }) => window.endMs);
  return new Set(days).size;
}

/** Primary tests that were material on some days, most often first; effects are medians over those days. */
function driftedOf(verdicts) {
  const groups = new Map();
  for (const verdict of verdicts) {
    if (verdict.role !== 'primary' || verdict.segment !== undefined) continue;
    const name = JSON.stringify([verdict.feature, verdict.detector]);
    const group = groups.get(name) ?? { decided: 0, material: [] };
    if (verdict.status !== 'undecided') group.decided += 1;
    if (verdict.status === 'drifted' && verdict.material) group.material.push(verdict.effect?.value ?? 0);
    groups.set(name, group);
  }
  return [...groups]
    .filter(([, { material }]) => material.length > 0)
    .map(([name, { decided, material }]) => {
      const [feature, detector] = JSON.parse(name);
      return {
        feature: feature || 'whole rows',
        detector,
        days: material.length,
        decided,
        effect: spread(material).median,
      };
    })
    .sort((a, b) => b.days - a.days || Math.abs(b.effect) - Math.abs(a.effect));
}

function report({ version, months, seconds, performance }) {
  const lines = months.map(({ month, windowsJudged, driftedDays, drifted, episodes, prediction }) => [
    month,
    String(windowsJudged),
    String(driftedDays),
    drifted
      .slice(0, TOP)
      .map(({ feature, days, effect }) => `${feature} ${days} d (${effect.toPrecision(2)})`)
      .join(', ') || 'nothing',
    episodes.map(({ category, from, until }) => `${category} ${from}–${until ?? 'open'}`).join(', ') ||
      'none',
    prediction === null ? '–' : `${prediction.reference.toFixed(3)} → ${prediction.current.toFixed(3)}`,
  ]);
  const head = [
    'month',
    'days judged',
    'with drift',
    'material drift: days (median effect)',
    'episodes opened',
    'mean prediction',
  ];
  const why = months.flatMap(({ month, why: reasons }) => [
    `\n${month}`,
    ...reasons.slice(0, TOP).map(({ sentence }) => `  ${sentence}`),
  ]);
  const realised = tableOf(
    [
      'month',
      'predictions',
      'labelled',
      'ROC AUC (95 %)',
      'average precision',
      'log loss',
      'Brier',
      'accuracy',
    ],
    [['reference', performance.reference], ...performance.months.map((month) => [month.month, month])]
      .filter(([, period]) => period !== null)
      .map(([name, { predictions, labelled, figures }]) => [
        name,
        String(predictions),
        `${((100 * labelled) / predictions).toFixed(1)} %`,
        ...['rocAuc', 'averagePrecision', 'logLoss', 'brier', 'accuracy'].map((figure, at) =>
          figureText(figures[figure], at === 0),
        ),
      ]),
  );
  return `flight-delay version ${version}\n${tableOf(head, lines)}${why.join('\n')}\n\nRealised performance\n${realised}\n${seconds} s\n`;
}

function figureText(figure, withInterval) {
  if (figure === undefined) return '–';
  const { value, low, high } = figure;
  return withInterval ? `${value.toFixed(4)} (${low.toFixed(3)}–${high.toFixed(3)})` : value.toFixed(4);
}

function day(ms) {
  return new Date(ms).toISOString().slice(5, 10);
}
