import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { verifySignature } from '../alerts/verify-signature.js';
import { type App, createApp } from '../app.js';
import { type ConfigInput, parseConfig } from '../config.js';
import type { Verdict } from '../domain/verdict.js';
import { END_OF_TIME_MS } from '../domain/window.js';
import { AppError } from '../errors.js';
import { startDemoReceiver } from './demo-receiver.js';
import { driftedEntries, monthLines } from './demo-summary.js';
import { unlessInterrupted, untilInterrupted } from './interruption.js';
import { answer, createProgress, type Output, say, table } from './output.js';
import { type ReplayCounts, replay } from './replay-stream.js';
import { createServiceClient, REPLAY_PATIENCE_MS } from './service-client.js';

const MODEL = 'flight-delay';
const VERSION = '1';
const SECRET_ENV = 'PLUMBLINE_DEMO_SECRET';

export interface DemoOptions {
  readonly examples: string;
  readonly port: number;
  readonly dataDir?: string | undefined;
  readonly exit: boolean;
  readonly logLevel: 'warn' | 'info' | 'debug' | 'error' | 'silent';
}

/** The whole job on example data: reference in, a season of real predictions and labels through HTTP, alarms and pictures out. */
export async function runDemo(options: DemoOptions, output: Output): Promise<void> {
  const startedMs = performance.now();
  const temporary = options.dataDir === undefined;
  const dataDir = resolve(options.dataDir ?? (await mkdtemp(join(tmpdir(), 'plumbline-demo-'))));
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const receiver = await startDemoReceiver(
    (headers, body) => verifySignature({ secret, headers, body, nowMs: Date.now() }).ok,
  );
  let app: App | undefined;
  let reported = false;
  try {
    app = await createApp(demoConfig(options, dataDir, receiver.url, secret));
    const { url } = await app.start();
    say(output, `Plumbline listens on ${url}, data in ${dataDir}`);
    const counts = await unlessInterrupted('the demo', feed(app, url, options, output));
    const verdicts = await allVerdicts(app);
    const report = await app.buildReport(MODEL, VERSION);
    reported = true;
    const document = await summarise(app, {
      counts,
      verdicts,
      report,
      url,
      webhooks: receiver.received,
      startedMs,
    });
    describe(output, document, verdicts, receiver.received[0]);
    answer(output, document);
    const missing = shortfalls(document);
    if (missing.length > 0)
      throw new AppError('demo_failed', `the demo did not do its whole job: ${missing.join('; ')}`);
    if (!options.exit) {
      say(
        output,
        `\nThe page is at ${url} until you press Ctrl-C${temporary ? '; the data goes then, too (--data-dir keeps it)' : ''}.`,
      );
      await untilInterrupted();
    }
  } finally {
    await app?.stop();
    await receiver.stop();
    // With --exit the report outlives the demo; without a report there is nothing to keep.
    if (temporary && !(options.exit && reported)) await rm(dataDir, { recursive: true, force: true });
  }
}

function demoConfig(options: DemoOptions, dataDir: string, retrainUrl: string, secret: string) {
  // By name, as secrets are everywhere; a file would outlive a demo that is killed.
  process.env[SECRET_ENV] = secret;
  const input: ConfigInput = {
    store: { dataDir },
    http: { port: options.port },
    clock: 'data',
    jobs: { cron: '* * * * * *' },
    log: { level: options.logLevel },
    webhooks: { allow: ['127.0.0.1'] },
    models: {
      [MODEL]: {
        window: { length: '1d', step: '1d', lateness: '10m' },
        policy: { open: '2of2', close: 2 },
        retrain: { url: retrainUrl, secretEnv: SECRET_ENV },
      },
    },
  };
  return parseConfig(input);
}

async function feed(app: App, url: string, options: DemoOptions, output: Output) {
  const client = createServiceClient({ url, patienceMs: REPLAY_PATIENCE_MS });
  await client.putFile(
    `/v1/models/${MODEL}/versions/${VERSION}/reference`,
    join(options.examples, 'reference.parquet'),
    'application/vnd.apache.parquet',
  );
  say(output, `Registered ${MODEL} version ${VERSION} from its reference; replaying March to May`);
  const progress = createProgress(output, 'replay');
  try {
    const counts = await replay({
      client,
      files: ['predictions.ndjson.gz', 'labels.ndjson.gz'].map((name) => join(options.examples, name)),
      onProgress: (done, total, eventTime) => progress.update(done, total, eventTime.slice(0, 10)),
    });
    await app.settle();
    return counts;
  } finally {
    progress.stop();
  }
}

async function allVerdicts(app: App): Promise<Verdict[]> {
  return app.store.listVerdicts({
    model: MODEL,
    modelVersion: VERSION,
    window: { startMs: 0, endMs: END_OF_TIME_MS },
  });
}

interface Summary {
  counts: { predictions: ReplayCounts; labels: ReplayCounts };
  verdicts: readonly Verdict[];
  report: string;
  url: string;
  webhooks: readonly { verified: boolean }[];
  startedMs: number;
}

async function summarise(app: App, summary: Summary) {
  const key = { model: MODEL, modelVersion: VERSION };
  const runs = await app.store.listRuns(key, 0, END_OF_TIME_MS);
  const decided = new Set(
    summary.verdicts
      .filter((verdict) => verdict.role === 'primary' && verdict.status !== 'undecided')
      .map((verdict) => verdict.window.endMs),
  );
  const totals = await app.store.totals();
  const outliers = await app.store.outlierCounts(key, { startMs: 0, endMs: END_OF_TIME_MS });
  return {
    predictions: summary.counts.predictions,
    labels: { accepted: summary.counts.labels.accepted, matched: totals.labelsMatched },
    windows: { judged: runs.length, undecided: runs.filter((run) => !decided.has(run.window.endMs)).length },
    drifted: driftedEntries(summary.verdicts),
    outliers,
    episodes: await app.store.listEpisodes({ model: MODEL, limit: 1000 }),
    webhooks: {
      delivered: summary.webhooks.length,
      verified: summary.webhooks.filter((webhook) => webhook.verified).length,
    },
    report: summary.report,
    page: summary.url,
    elapsedSeconds: Number(((performance.now() - summary.startedMs) / 1000).toFixed(1)),
  };
}

type Document = Awaited<ReturnType<typeof summarise>>;

/** What the demo promises and did not do; empty when all is well. */
export function shortfalls(document: Document): string[] {
  const { predictions, labels, windows, outliers, webhooks } = document;
  const checks: [boolean, string][] = [
    [predictions.accepted + predictions.duplicate > 0, 'no prediction was accepted'],
    [
      predictions.received === predictions.accepted + predictions.duplicate + predictions.rejected,
      'the counts of predictions do not balance',
    ],
    [predictions.rejected === 0, 'predictions were rejected'],
    [labels.matched > 0, 'no label met its prediction'],
    [windows.judged > 0, 'no window was judged'],
    [document.drifted.some((entry) => entry.material), 'no material drift was found'],
    [outliers.scored > 0, 'no row was scored for outliers'],
    [document.episodes.length > 0, 'no episode opened'],
    [
      webhooks.delivered > 0 && webhooks.verified === webhooks.delivered,
      'no webhook arrived with a good signature',
    ],
  ];
  return checks.filter(([ok]) => !ok).map(([, what]) => what);
}

function describe(
  output: Output,
  document: Document,
  verdicts: readonly Verdict[],
  webhook: { headers: Readonly<Record<string, string>>; body: string; verified: boolean } | undefined,
): void {
  const { predictions, labels, windows, outliers } = document;
  say(
    output,
    `\n${predictions.accepted} predictions accepted, ${predictions.duplicate} duplicate, ${predictions.rejected} rejected; ` +
      `${labels.matched} of ${labels.accepted} labels matched; ${windows.judged} daily windows judged, ${windows.undecided} undecided; ` +
      `${outliers.flagged} of ${outliers.scored} rows flagged as outliers.\n`,
  );
  const rows = monthLines(verdicts).map((line) => [
    line.month,
    line.feature === '' ? '(whole rows)' : line.feature,
    line.detector,
    `${line.drifted} of ${line.decided} days`,
    line.statistic.toFixed(3),
    line.threshold.toFixed(3),
    line.material === 0 ? 'no' : line.material === line.drifted ? 'yes' : `on ${line.material} days`,
  ]);
  say(
    output,
    table(['month', 'feature', 'detector', 'drifted on', 'median statistic', 'alarm from', 'material'], rows),
  );
  for (const episode of document.episodes) {
    const start = new Date(episode.firstWindow.startMs).toISOString().slice(0, 10);
    const end =
      episode.closedBy === null
        ? 'still open'
        : `closed ${new Date(episode.closedBy.endMs).toISOString().slice(0, 10)}`;
    const drivers = episode.drivers.slice(0, 3).map((driver) => driver.feature || driver.detector);
    say(output, `\nEpisode ${episode.id}: ${episode.category} from ${start}, ${end} (${drivers.join(', ')})`);
  }
  if (webhook !== undefined) {
    say(output, '\nThe first retraining webhook, as the trainer received it:');
    for (const name of Object.keys(webhook.headers)
      .filter((n) => /^(webhook|ce)-/.test(n))
      .sort())
      say(output, `  ${name}: ${webhook.headers[name]}`);
    say(output, `  ${webhook.body.length > 600 ? `${webhook.body.slice(0, 600)}…` : webhook.body}`);
    say(output, `  signature ${webhook.verified ? 'verified' : 'WRONG'}`);
  }
  say(output, `\nReport: ${document.report}\nDone in ${document.elapsedSeconds} s.`);
}
