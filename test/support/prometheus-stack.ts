import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';
import { type GuardedProcess, startGuarded } from './guarded-process.js';

const SHIPPED = fileURLToPath(new URL('../../prometheus/', import.meta.url));
const READY_TIMEOUT_MS = 120_000;

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
    if (typeof from === 'string' ? !result.includes(from) : result.search(from) < 0)
      throw new Error(`the shipped file holds no ${String(from)} any more`);
    return next;
  }, text);
}

type Program = 'prometheus' | 'prometheus-alertmanager';

export interface PrometheusStackOptions {
  /** Loopback ports that serve `/metrics`. */
  readonly scrapePorts: readonly number[];
  /** Ports that serve them later: nobody waits for these. */
  readonly scrapeLater?: readonly number[];
  /** Where messages to chats go. */
  readonly slackUrl: string;
  /** Where the dead man's switch goes. */
  readonly watchdogUrl: string;
  /** Where pages go, as to PagerDuty; to chats alone when left out. */
  readonly pagerUrl?: string;
  /** How long alerts outlive their series; 5 s when left out, since a busy machine misses scrapes. */
  readonly keepFiringFor?: string;
  /** Prometheus sends a firing alert again so often, and lets it end after four times as much; 3 s when left out. */
  readonly resendDelay?: string;
  /** Of scrapes and evaluations; 200 ms when left out. */
  readonly interval?: string;
  /** As shipped when true: how long Alertmanager waits for more of a group. */
  readonly shippedWaits?: boolean;
}

/**
 * Starts the real Prometheus and Alertmanager with the files shipped in `prometheus/`: only addresses, secrets' paths and
 * waiting times are replaced. Readiness is polled; both end with the test, however it ends.
 */
export async function startPrometheusStack(options: PrometheusStackOptions) {
  const { interval = '200ms', keepFiringFor = '5s', resendDelay = '3s', pagerUrl } = options;
  const ports = [...options.scrapePorts, ...(options.scrapeLater ?? [])];
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-prometheus-'));
  const [prometheusPort, alertmanagerPort] = [await freePort(), await freePort()];
  cpSync(SHIPPED, directory, { recursive: true });
  const edit = (file: string, changes: readonly (readonly [string | RegExp, string])[]) =>
    writeFileSync(join(directory, file), replaced(readFileSync(join(SHIPPED, file), 'utf8'), changes));
  edit('prometheus.yml', [
    [/(?<=_interval: )15s/g, interval],
    ['127.0.0.1:9093', `127.0.0.1:${alertmanagerPort}`],
    ['"127.0.0.1:8080"', ports.map((port) => `"127.0.0.1:${port}"`).join(', ')],
  ]);
  edit('rules/plumbline.yml', [[/keep_firing_for: \w+/g, `keep_firing_for: ${keepFiringFor}`]]);
  edit('alertmanager.yml', [
    ['/etc/alertmanager/slack-url', join(directory, 'slack-url')],
    pagerUrl === undefined
      ? [/\n {4}pagerduty_configs:.*?(?=\n {2}- name)/gs, '']
      : [
          'routing_key_file: /etc/alertmanager/pagerduty-key',
          `routing_key_file: ${join(directory, 'pagerduty-key')}\n        url: ${pagerUrl}`,
        ],
    ['https://watchdog.example/plumbline', options.watchdogUrl],
    ...(options.shippedWaits === true
      ? []
      : ([
          [/group_wait: \w+/g, 'group_wait: 0s'],
          [/group_interval: \w+/g, 'group_interval: 200ms'],
        ] as const)),
  ]);
  writeFileSync(join(directory, 'slack-url'), options.slackUrl);
  writeFileSync(join(directory, 'pagerduty-key'), 'a-routing-key');
  mkdirSync(join(directory, 'data'));

  const prometheusUrl = `http://127.0.0.1:${prometheusPort}`;
  const alertmanagerUrl = `http://127.0.0.1:${alertmanagerPort}`;
  const programs: Record<Program, { url: string; args: string[] }> = {
    'prometheus-alertmanager': {
      url: alertmanagerUrl,
      args: [
        `--config.file=${join(directory, 'alertmanager.yml')}`,
        `--storage.path=${join(directory, 'data', 'alertmanager')}`,
        `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
        `--web.external-url=${alertmanagerUrl}`,
        '--cluster.listen-address=',
      ],
    },
    prometheus: {
      url: prometheusUrl,
      args: [
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data', 'prometheus')}`,
        `--web.listen-address=127.0.0.1:${prometheusPort}`,
        `--web.external-url=${prometheusUrl}`,
        // Alerts that fire before Alertmanager is discovered are lost, and by default sent again a minute later.
        `--rules.alert.resend-delay=${resendDelay}`,
      ],
    },
  };
  const running = new Map<Program, GuardedProcess>();
  const tail = () => [...running.values()].map((process) => process.tail()).join('\n--\n');

  async function start(name: Program): Promise<void> {
    const { url, args } = programs[name];
    const logFile = join(directory, `${name}.log`);
    running.set(name, startGuarded({ command: name, args, logFile }));
    await eventually(`readiness of ${name}`, async () => (await fetch(`${url}/-/ready`)).ok, { tail });
  }

  async function query(expr: string): Promise<{ metric: Record<string, string>; value: number }[]> {
    const response = await fetch(`${prometheusUrl}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const body = (await response.json()) as {
      status: string;
      error?: string;
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (body.status !== 'success') throw new Error(`query ${expr}: ${body.error}`);
    return body.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async function stop(): Promise<void> {
    await Promise.all([...running.values()].map((process) => process.kill()));
    rmSync(directory, { recursive: true, force: true });
  }

  try {
    await start('prometheus-alertmanager');
    await start('prometheus');
    // Targets come with the discovery's tick, some seconds after the start.
    await eventually(
      'the first scrape',
      async () => {
        const up = await query('up == 1');
        return up.length === options.scrapePorts.length;
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
    query,
    /** Ends the program as its service manager would (SIGTERM), and starts it again on its data. */
    async restart(name: Program): Promise<void> {
      const process = running.get(name);
      process?.signal('SIGTERM');
      await process?.exited;
      await start(name);
    },
    stop,
  };
}

export type PrometheusStack = Awaited<ReturnType<typeof startPrometheusStack>>;
