import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GuardedProcess, startGuarded } from './guarded-process.js';

const SHIPPED = fileURLToPath(new URL('../../prometheus/', import.meta.url));
const READY_TIMEOUT_MS = 60_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Polls until `check` is true; fails with what the programs wrote. */
export async function eventually(
  what: string,
  check: () => Promise<boolean>,
  options: { timeoutMs?: number; tail?: () => string } = {},
): Promise<void> {
  const deadlineMs = Date.now() + (options.timeoutMs ?? READY_TIMEOUT_MS);
  let last: unknown = null;
  while (Date.now() < deadlineMs) {
    try {
      if (await check()) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not happen in time\n${options.tail?.() ?? ''}`, { cause: last });
}

function replaced(text: string, changes: readonly (readonly [string | RegExp, string])[]): string {
  return changes.reduce((result, [from, to]) => {
    const next = result.replaceAll(from, to);
    if (next === result) throw new Error(`the shipped file holds no ${String(from)} any more`);
    return next;
  }, text);
}

/**
 * Starts the real Prometheus and Alertmanager with the files shipped in `prometheus/`: only addresses, secrets' paths and
 * waiting times are replaced. Readiness is polled; both end with the test, however it ends.
 *
 * @param options.scrapePort loopback port that serves `/metrics`
 * @param options.slackUrl where messages to chat and on-call go
 * @param options.watchdogUrl where the dead man's switch goes
 */
export async function startPrometheusStack(options: {
  readonly scrapePort: number;
  readonly slackUrl: string;
  readonly watchdogUrl: string;
}) {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-prometheus-'));
  const [prometheusPort, alertmanagerPort] = [await freePort(), await freePort()];
  cpSync(SHIPPED, directory, { recursive: true });
  const edit = (file: string, changes: readonly (readonly [string | RegExp, string])[]) =>
    writeFileSync(join(directory, file), replaced(readFileSync(join(SHIPPED, file), 'utf8'), changes));
  edit('prometheus.yml', [
    ['15s', '200ms'],
    ['127.0.0.1:9093', `127.0.0.1:${alertmanagerPort}`],
    ['127.0.0.1:8080', `127.0.0.1:${options.scrapePort}`],
  ]);
  edit('rules/plumbline.yml', [[/keep_firing_for: \w+/g, 'keep_firing_for: 0s']]);
  edit('alertmanager.yml', [
    ['/etc/alertmanager/slack-url', join(directory, 'slack-url')],
    [/\n {4}pagerduty_configs:.*?(?=\n {2}- name)/gs, ''],
    ['https://watchdog.example/plumbline', options.watchdogUrl],
    [/group_wait: \w+/g, 'group_wait: 0s'],
    [/group_interval: \w+/g, 'group_interval: 200ms'],
  ]);
  writeFileSync(join(directory, 'slack-url'), options.slackUrl);
  mkdirSync(join(directory, 'data'));

  const running: GuardedProcess[] = [];
  const tail = () => running.map((process) => process.tail()).join('\n--\n');
  const start = (command: string, args: string[]) => {
    const logFile = join(directory, `${command}.log`);
    running.push(startGuarded({ command, args, logFile }));
  };
  const prometheusUrl = `http://127.0.0.1:${prometheusPort}`;
  const alertmanagerUrl = `http://127.0.0.1:${alertmanagerPort}`;
  const answers = async (url: string) => (await fetch(url)).ok;

  async function stop(): Promise<void> {
    await Promise.all(running.map((process) => process.kill()));
    rmSync(directory, { recursive: true, force: true });
  }

  try {
    start('prometheus-alertmanager', [
      `--config.file=${join(directory, 'alertmanager.yml')}`,
      `--storage.path=${join(directory, 'data', 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
      `--web.external-url=${alertmanagerUrl}`,
      '--cluster.listen-address=',
    ]);
    start('prometheus', [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data', 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
      `--web.external-url=${prometheusUrl}`,
      // Alerts that fire before Alertmanager is discovered are lost, and by default sent again a minute later.
      '--rules.alert.resend-delay=500ms',
    ]);
    await eventually('readiness of Alertmanager', () => answers(`${alertmanagerUrl}/-/ready`), { tail });
    await eventually('readiness of Prometheus', () => answers(`${prometheusUrl}/-/ready`), { tail });
    // Targets come with the discovery's tick, some seconds after the start.
    await eventually(
      'the first scrape',
      async () => {
        const response = await fetch(`${prometheusUrl}/api/v1/query?query=up`);
        const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
        return data.result[0]?.value[1] === '1';
      },
      { tail },
    );
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    prometheusUrl,
    alertmanagerUrl,
    tail,
    /** Instant query: label sets with their values. */
    async query(expr: string): Promise<{ metric: Record<string, string>; value: number }[]> {
      const response = await fetch(`${prometheusUrl}/api/v1/query?query=${encodeURIComponent(expr)}`);
      const body = (await response.json()) as {
        status: string;
        error?: string;
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      if (body.status !== 'success') throw new Error(`query ${expr}: ${body.error}`);
      return body.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    stop,
  };
}

export type PrometheusStack = Awaited<ReturnType<typeof startPrometheusStack>>;
