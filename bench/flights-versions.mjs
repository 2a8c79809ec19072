// Real flights of July to December: version 2 beside version 1 on the same requests, through the whole service; and version 1's first week
// in production, in March, against its training reference.
// Usage: node bench/flights-versions.mjs PATH [--json] [--data-dir DIR]
//   PATH   a folder with reference.parquet, reference-v2.parquet, predictions.ndjson.gz, labels.ndjson.gz
//   --data-dir  keeps the data there, for `plumbline serve`; a folder that holds flights already is not filled again
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import { importBundle, root } from './harness.mjs';
import { tableOf } from './table.mjs';

const SOURCES = `
export { createApp } from './src/app.js';
export { parseConfig } from './src/config.js';
export { createServiceClient, REPLAY_PATIENCE_MS } from './src/cli/service-client.js';
export { replay } from './src/cli/replay-stream.js';
export { skewText } from './src/cli/skew.js';
export { versionsText } from './src/cli/versions.js';
`;
const MODEL = 'flight-delay';
/** Flights of version 1's first days, and from version 2's first on, by the day in their ids. */
const isSent = (day) => (day >= '20130301' && day <= '20130308') || day >= '20130701';
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2013, 6, 1);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, 'data-dir': { type: 'string' } },
});
const [path] = positionals;
if (path === undefined)
  throw new Error('give the folder of the flights: node bench/flights-versions.mjs PATH');

await mkdir(join(root, 'build'), { recursive: true });
const directory = await mkdtemp(join(root, 'build/flights-versions-'));
const dataDir = values['data-dir'] === undefined ? join(directory, 'data') : resolve(values['data-dir']);
const parts = await importBundle(join(directory, 'dist'), 'versions', SOURCES);
const app = await parts.createApp(
  parts.parseConfig({
    store: { dataDir },
    http: { port: 0 },
    clock: 'data',
    jobs: { cron: '0 0 0 1 1 *' },
    log: { level: 'warn' },
    models: {
      [MODEL]: {
        window: { length: '1d', step: '1d', lateness: '10m' },
        performance: { requestId: '{request}-v{version}' },
      },
    },
  }),
);
try {
  const { url } = await app.start();
  if ((await app.store.totals()).predictions === 0) await fill(url);
  const client = parts.createServiceClient({ url });
  const startedMs = performance.now();
  const byFigure = {};
  for (const figure of ['rocAuc', 'accuracy', 'logLoss', 'brier'])
    byFigure[figure] = await compare(client, { figure, bucket: 'month' });
  const answerMs = (performance.now() - startedMs) / 4;
  const document = {
    ...byFigure.rocAuc,
    months: Object.fromEntries(Object.entries(byFigure).map(([name, { periods }]) => [name, periods])),
    looks: await looks(client),
    skew: await client.get(`/v1/models/${MODEL}/skew?version=1`),
    answerMs: Math.round(answerMs),
  };
  process.stdout.write(values.json ? `${JSON.stringify(document, null, 2)}\n` : report(document));
} finally {
  await app.stop();
  await rm(directory, { recursive: true, force: true });
}

function compare(client, query) {
  const asked = new URLSearchParams({ champion: '1', challenger: '2', ...query });
  return client.get(`/v1/models/${MODEL}/compare-versions?${asked}`);
}

/** The canary as somebody would have looked at it after so many days, with the labels of those. */
async function looks(client) {
  const found = [];
  for (const days of [1, 7, 14, 28, 62, 184]) {
    const to = new Date(START_MS + days * DAY_MS).toISOString();
    const { figures } = await compare(client, { from: new Date(START_MS).toISOString(), to, bucket: 'all' });
    for (const [figure, one] of Object.entries(figures)) found.push({ days, figure, ...one });
  }
  return found;
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
  const files = [];
  for (const name of ['predictions', 'labels']) {
    files.push(join(directory, `${name}.ndjson`));
    await pipeline(Readable.from(sent(name)), createWriteStream(files.at(-1)));
  }
  const counts = await parts.replay({ client, files, onProgress: () => undefined });
  process.stderr.write(`${JSON.stringify(counts)}\n`);
  await app.settle();
}

async function* sent(name) {
  const lines = createInterface({
    input: createReadStream(join(path, `${name}.ndjson.gz`)).pipe(createGunzip()),
  });
  for await (const line of lines)
    if (isSent(/"prediction_id":"[^"]*?-(\d{8})\d{4}-/.exec(line)?.[1] ?? '')) yield `${line}\n`;
}

function report({ months, looks: found, skew, answerMs, ...comparison }) {
  const digits = (value) => (value ?? Number.NaN).toFixed(4);
  const ofMonths = Object.entries(months).map(
    ([name, periods]) =>
      `\n${name}, by month\n${tableOf(
        ['month', 'version 1', 'version 2', 'difference', '95 % of one look', 'rows'],
        periods.map(({ window, champion, challenger, difference }) => [
          new Date(window.startMs).toISOString().slice(0, 7),
          digits(champion),
          digits(challenger),
          digits(difference.value),
          `${digits(difference.low)} to ${digits(difference.high)}`,
          String(difference.rows),
        ]),
      )}`,
  );
  const ofLooks = tableOf(
    ['days', 'figure', 'difference', 'at every look', 'design effect', 'verdict', 'labels needed'],
    found.map(({ days, figure, difference, sequence, designEffect, verdict, reason, labelsNeeded }) => [
      String(days),
      figure,
      digits(difference.value),
      `${digits(sequence?.low)} to ${digits(sequence?.high)}`,
      designEffect.toFixed(0),
      reason === null ? verdict : `${verdict} (${reason})`,
      labelsNeeded === null ? '–' : `${labelsNeeded.expected} to ${labelsNeeded.atMost}`,
    ]),
  );
  return `${parts.versionsText(comparison)}\n${ofMonths.join('\n')}\n\nFrom 1 July on, after so many days:\n${ofLooks}\n\n${parts.skewText(skew)}\n\n${answerMs} ms an answer\n`;
}
