import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createServiceClient } from '../../src/cli/service-client.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';
import { startAlertReceivers } from './alert-receivers.js';
import { freePort } from './free-port.js';
import { startPrometheusStack } from './prometheus-stack.js';
import { startService, until } from './service-process.js';
import { registerSizes, SIZES_REFERENCE_DAYS, SIZES_START_MS, sizeRows } from './sized-model.js';

const PATIENCE_MS = 600_000;
const LATENESS_MS = 600_000;
/** What a trial may take before it counts as lost. */
const TRIAL_MS = 300_000;

export interface LatencyOptions {
  /** Models, of which each opens one episode. */
  readonly trials: number;
  /** The closing events are spread at random over so long, so that they meet every phase of the three clocks. */
  readonly spreadMs: number;
  readonly seed: number;
  /** The service tells Alertmanager itself, and Prometheus does not scrape it. */
  readonly direct: boolean;
  readonly progress: (text: string) => void;
}

/**
 * From the close of the window that completes N of M to the page, ms, for each trial: the built service with its default settings, the real
 * Prometheus and Alertmanager with the shipped ones (15 s scrape, evaluation and detection job; a page waits 5 s for its group). The
 * window closes when the event arrives that moves the model's watermark to its end + lateness; the time is counted from before it is sent.
 */
export async function measureAlertLatency(options: LatencyOptions): Promise<number[]> {
  const { trials, spreadMs, seed, direct, progress } = options;
  const directory = await mkdtemp(join(tmpdir(), 'plumbline-latency-'));
  const receivers = await startAlertReceivers();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const stack = await startPrometheusStack({
    scrapePorts: [],
    scrapeLater: direct ? [] : [port],
    ...receivers.urls,
    interval: '15s',
    keepFiringFor: '5m',
    resendDelay: '1m',
    shippedWaits: true,
  });
  const stops: (() => Promise<void> | void)[] = [
    () => rm(directory, { recursive: true, force: true }),
    receivers.close,
    stack.stop,
  ];
  try {
    const configFile = join(directory, 'plumbline.yaml');
    await writeFile(
      configFile,
      `store: { dataDir: "${join(directory, 'data')}" }
http: { port: ${port} }
clock: data
log: { level: warn }
defaults: { window: { length: 24h, step: 24h } }
${direct ? `alerts: { alertmanager: { urls: ["${stack.alertmanagerUrl}"] } }\n` : ''}`,
    );
    const service = await startService({ configFile, url, logFile: join(directory, 'service.log') });
    stops.push(service.kill);
    const client = createServiceClient({ url });
    const models = Array.from({ length: trials }, (_, i) => `m${i}`);
    const post = (events: readonly object[]) =>
      client.postLines(
        '/v1/ingest',
        events.map((event) => JSON.stringify(event)),
      );

    for (const [i, model] of models.entries()) {
      await mkdir(join(directory, model));
      await registerSizes(client, join(directory, model), model);
      if ((i + 1) % 10 === 0) progress(`${i + 1} models are registered`);
    }
    const days = [SIZES_REFERENCE_DAYS, SIZES_REFERENCE_DAYS + 1];
    for (const model of models) await post(days.flatMap((day) => sizeRows(day, 60, model)));
    const judged = async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return text.match(/^plumbline_windows_judged_total\{[^}]*status="drifted"\} 1$/gm)?.length ?? 0;
    };
    await until('the first window of each is judged', PATIENCE_MS, async () =>
      (await judged()) === trials ? true : null,
    );
    progress('the first window of each is judged; the second ones close');

    const random = createRandom(seed);
    const closeMs = SIZES_START_MS + (SIZES_REFERENCE_DAYS + 2) * DAY_MS + LATENESS_MS;
    const timestamp = new Date(closeMs).toISOString();
    const atMs = models.map(() => random() * spreadMs).toSorted((a, b) => a - b);
    const startMs = Date.now();
    const sent = new Map<string, number>();
    for (const [i, model] of models.entries()) {
      await delay(Math.max(0, startMs + (atMs[i] ?? 0) - Date.now()));
      const [row] = sizeRows(SIZES_REFERENCE_DAYS + 2, 60, model);
      sent.set(model, Date.now());
      await post([{ ...row, prediction_id: 'closing', timestamp }]);
    }
    await until('every page', TRIAL_MS, async () => (receivers.pages.length >= trials ? true : null));
    return models.map((model) => {
      const own = receivers.pages.filter(({ payload }) => payload.component === model);
      if (own.length !== 1 || own[0]?.action !== 'trigger')
        throw new Error(`${model} paged ${own.length} times`);
      return own[0].atMs - (sent.get(model) ?? 0);
    });
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
