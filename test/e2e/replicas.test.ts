import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { type AlertReceivers, startAlertReceivers } from '../support/alert-receivers.js';
import { type ClickHouseBridge, startClickHouseBridge } from '../support/clickhouse-bridge.js';
import { freePort } from '../support/free-port.js';
import type { GuardedProcess } from '../support/guarded-process.js';
import { type PrometheusStack, startPrometheusStack } from '../support/prometheus-stack.js';
import { startService, until } from '../support/service-process.js';
import { registerSizes, SIZES_REFERENCE_DAYS, SIZES_START_MS, sizeRows } from '../support/sized-model.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const PATIENCE_MS = 120_000;

interface Detector {
  readonly url: string;
  readonly proxy: TcpProxy;
  readonly process: GuardedProcess;
}

describe('two detectors over one store, with Prometheus and Alertmanager', () => {
  let directory = '';
  let bridge: ClickHouseBridge;
  let receivers: AlertReceivers;
  let hook: WebhookReceiver;
  let stack: PrometheusStack;
  let client: ServiceClient;
  let store: StoreClient;
  let front: GuardedProcess;
  const detectors: Detector[] = [];
  let day = SIZES_REFERENCE_DAYS;

  async function prepare(name: string, storeUrl: string, roles: string) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const configFile = join(directory, `${name}.yaml`);
    await writeFile(
      configFile,
      `store: { url: "${storeUrl}" }
http: { port: ${port} }
clock: data
jobs: { cron: "* * * * * *", lease: 8s }
log: { level: info }
reports: { dir: "${join(directory, 'reports')}" }
webhooks: { allow: ["127.0.0.1"] }
defaults: { window: { length: 24h, step: 24h }, retrain: { url: "${hook.url}", secretFile: "${join(directory, 'secret')}" } }
`,
    );
    const logFile = join(directory, `${name}.log`);
    return { url, process: await startService({ configFile, url, logFile, args: ['--roles', roles] }) };
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-replicas-'));
    await writeFile(join(directory, 'secret'), SECRET);
    bridge = await startClickHouseBridge({ dataDir: join(directory, 'data') });
    receivers = await startAlertReceivers();
    hook = await startWebhookReceiver(SECRET);
    store = await createStoreClient({
      kind: 'http',
      url: bridge.url,
      database: 'plumbline',
      username: 'default',
      password: '',
    });
    const service = await prepare('front', bridge.url, 'collector,api');
    front = service.process;
    client = createServiceClient({ url: service.url });
    await registerSizes(client, directory);
    // Each of them alone can lose the store.
    for (const name of ['one', 'two']) {
      const proxy = await startTcpProxy(Number(new URL(bridge.url).port));
      detectors.push({ proxy, ...(await prepare(name, `http://127.0.0.1:${proxy.port}`, 'detector')) });
    }
    stack = await startPrometheusStack({
      scrapePorts: detectors.map(({ url }) => Number(new URL(url).port)),
      ...receivers.urls,
      // A busy machine misses a scrape now and then, and then an alert of series that are gone would end.
      interval: '500ms',
      keepFiringFor: '20s',
    });
  }, 300_000);

  afterAll(async () => {
    await stack?.stop();
    for (const { process, proxy } of detectors) {
      await process.kill();
      await proxy.stop();
    }
    await front?.kill();
    await store?.close();
    await bridge?.stop();
    receivers?.close();
    await hook?.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Sends the next day's rows; the day before it is over with the first of them. */
  async function play(shift: number): Promise<void> {
    const lines = sizeRows(day, shift).map((row) => JSON.stringify(row));
    expect(await client.postLines('/v1/ingest', lines)).toMatchObject({ accepted: lines.length });
    day += 1;
  }

  const judgedDays = () => day - 1 - SIZES_REFERENCE_DAYS;
  const runs = () =>
    store.query<{ end: number }>(
      'SELECT toUnixTimestamp64Milli(window_end) AS end FROM runs FINAL ORDER BY end',
    );
  const judged = () =>
    until(`${judgedDays()} days are judged`, PATIENCE_MS, async () =>
      (await runs()).length >= judgedDays() ? true : null,
    );

  async function shown(detector: Detector, pattern: RegExp): Promise<boolean> {
    return pattern.test(
      await (await fetch(`${detector.url}/metrics`, { signal: AbortSignal.timeout(30_000) })).text(),
    );
  }
  const LEADS = /^plumbline_detector_leader 1$/m;
  const OPEN = /^plumbline_episode_open\{[^}]*category="drift",severity="critical"[^}]*\} 1$/m;

  async function leaderAndOther(): Promise<[Detector, Detector]> {
    return until('exactly one leads', PATIENCE_MS, async () => {
      const leads = await Promise.all(detectors.map((detector) => shown(detector, LEADS)));
      const [one, two] = detectors;
      if (one === undefined || two === undefined || leads[0] === leads[1]) return null;
      return leads[0] === true ? [one, two] : [two, one];
    });
  }

  const types = () => hook.requests.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  const seconds = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('open one episode, send each webhook once and page once; both show it', async () => {
    for (let i = 0; i < 3; i++) await play(60);
    await judged();
    await until('the page', PATIENCE_MS, async () => (receivers.pages.length > 0 ? true : null));
    await until('the webhooks', PATIENCE_MS, async () => (hook.requests.length >= 2 ? true : null));
    for (const detector of detectors)
      await until('both show the episode', PATIENCE_MS, async () =>
        (await shown(detector, OPEN)) ? true : null,
      );
    expect(types().toSorted()).toEqual(['drift.detected', 'retraining.requested']);
    expect(receivers.paged()).toEqual(['trigger PlumblineDrift sizes v1 (critical)']);
  }, 300_000);

  it('go on when the leader is stopped, which comes back without leading, or showing what it saw before', async () => {
    const [leader, other] = await leaderAndOther();
    leader.process.signal('SIGSTOP');
    await play(60);
    await until('the other one leads', PATIENCE_MS, async () => ((await shown(other, LEADS)) ? true : null));
    await judged();
    // Long enough for what it showed to be stale.
    await seconds(5_000);
    leader.process.signal('SIGCONT');
    await until('it shows the episode again', PATIENCE_MS, async () =>
      (await shown(leader, OPEN)) ? true : null,
    );
    expect(await shown(leader, LEADS)).toBe(false);
    expect(receivers.pages).toHaveLength(1);
  }, 300_000);

  it('go on when the leader loses the store, and when the leases cannot be written', async () => {
    const [leader, other] = await leaderAndOther();
    leader.proxy.fault = () => ({ end: 'silence' });
    leader.proxy.resetAll();
    await play(60);
    await until('the other one leads', PATIENCE_MS, async () => ((await shown(other, LEADS)) ? true : null));
    await judged();
    leader.proxy.fault = () => null;
    leader.proxy.resetAll();
    await leaderAndOther();

    // The coordinator is down, not the store: both judge.
    bridge.fault = ({ sql }) => (/\bleases\b/.test(sql) ? { status: 503 } : null);
    for (const detector of detectors)
      await until('everybody leads', PATIENCE_MS, async () => ((await shown(detector, LEADS)) ? true : null));
    await play(60);
    await judged();
    bridge.fault = () => null;
    await leaderAndOther();
    expect(receivers.pages).toHaveLength(1);
  }, 400_000);

  it('one that was stopped while the episode ended does not page anew with what it saw before', async () => {
    const [leader] = await leaderAndOther();
    leader.process.signal('SIGSTOP');
    for (let i = 0; i < 3; i++) await play(0);
    await judged();
    await until('the end is told', PATIENCE_MS, async () =>
      receivers.pages.length > 1 && types().includes('drift.resolved') ? true : null,
    );
    leader.process.signal('SIGCONT');
    await until('it shows that nothing is open', PATIENCE_MS, async () =>
      (await shown(leader, /^plumbline_episode_open\{/m)) && !(await shown(leader, OPEN)) ? true : null,
    );
    await leaderAndOther();
  }, 300_000);

  it('came to one run for each day, one episode, each webhook and each page once', async () => {
    await seconds(2_000);
    const ends = (await runs()).map(({ end }) => end);
    expect(ends).toEqual(
      Array.from(
        { length: judgedDays() },
        (_, i) => SIZES_START_MS + (SIZES_REFERENCE_DAYS + 1 + i) * DAY_MS,
      ),
    );
    const episodes = await store.query('SELECT model, category, state FROM episodes FINAL');
    expect(episodes).toEqual([{ model: 'sizes', category: 'drift', state: 'closed' }]);
    expect(types().toSorted()).toEqual(['drift.detected', 'drift.resolved', 'retraining.requested']);
    expect(hook.requests.every(({ verified }) => verified)).toBe(true);
    const attempts = await store.query(
      'SELECT attempt, outcome FROM webhook_attempts FINAL ORDER BY event_id',
    );
    expect(attempts).toEqual(Array(3).fill({ attempt: 1, outcome: 'delivered' }));
    expect(receivers.paged()).toEqual([
      'trigger PlumblineDrift sizes v1 (critical)',
      'resolve PlumblineDrift sizes v1 (critical)',
    ]);
    expect(
      await store.query('SELECT uniqExact(owner) AS owners, count() > 1 AS changed FROM leases FINAL'),
    ).toEqual([{ owners: 2, changed: 1 }]);
  });
});
