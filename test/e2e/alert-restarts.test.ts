import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import { type AlertReceivers, startAlertReceivers } from '../support/alert-receivers.js';
import { freePort } from '../support/free-port.js';
import type { GuardedProcess } from '../support/guarded-process.js';
import { type PrometheusStack, startPrometheusStack } from '../support/prometheus-stack.js';
import { startService, until } from '../support/service-process.js';
import { registerSizes, SIZES_REFERENCE_DAYS, sizeRows } from '../support/sized-model.js';

const PATIENCE_MS = 120_000;
const OPENED = 'trigger PlumblineDrift sizes v1 (critical)';
const RESOLVED = 'resolve PlumblineDrift sizes v1 (critical)';

interface ActiveAlert {
  readonly labels: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
}

describe('while an alert fires', () => {
  let directory = '';
  let receivers: AlertReceivers;
  let stack: PrometheusStack;
  let service: GuardedProcess;
  let client: ServiceClient;
  let restartService: () => Promise<void>;
  let day = SIZES_REFERENCE_DAYS;

  /** The whole service on its embedded engine; `section` is more of its configuration. */
  async function start(port: number, section: string): Promise<void> {
    const url = `http://127.0.0.1:${port}`;
    const configFile = join(directory, 'plumbline.yaml');
    await writeFile(
      configFile,
      `store: { dataDir: "${join(directory, 'data')}" }
http: { port: ${port}, publicUrl: "https://plumbline.example" }
clock: data
jobs: { cron: "* * * * * *" }
log: { level: info }
defaults: { window: { length: 24h, step: 24h } }
${section}`,
    );
    const run = () => startService({ configFile, url, logFile: join(directory, 'service.log') });
    service = await run();
    restartService = async () => {
      await service.kill();
      service = await run();
    };
    client = createServiceClient({ url });
    await registerSizes(client, directory);
  }

  beforeEach(async () => {
    day = SIZES_REFERENCE_DAYS;
    directory = await mkdtemp(join(tmpdir(), 'plumbline-restarts-'));
    receivers = await startAlertReceivers();
  });
  afterEach(async () => {
    await service?.kill();
    await stack?.stop();
    receivers?.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function play(days: number, shift: number): Promise<void> {
    for (let i = 0; i < days; i++) {
      const lines = sizeRows(day, shift).map((row) => JSON.stringify(row));
      expect(await client.postLines('/v1/ingest', lines)).toMatchObject({ accepted: lines.length });
      day += 1;
    }
  }

  const paged = (count: number) =>
    until(`${count} events at the pager`, PATIENCE_MS, async () =>
      receivers.pages.length >= count ? true : null,
    );

  async function active(): Promise<ActiveAlert[]> {
    const response = await fetch(
      `${stack.alertmanagerUrl}/api/v2/alerts?filter=alertname="PlumblineDrift"&active=true`,
    );
    return (await response.json()) as ActiveAlert[];
  }

  /** A newer word of the alert than this one, at Alertmanager. */
  const toldAfter = (ms: number) =>
    until('it is told again', PATIENCE_MS, async () => {
      const [alert] = await active();
      return alert !== undefined && Date.parse(alert.endsAt) > ms ? alert : null;
    });
  const endOf = async () => Date.parse((await active())[0]?.endsAt ?? '');

  it('restarts of Alertmanager, Prometheus and the service change nothing; its end is told once', async () => {
    const port = await freePort();
    await start(port, '');
    stack = await startPrometheusStack({
      scrapePorts: [port],
      ...receivers.urls,
      interval: '500ms',
      // Bridges the restart of the service on a busy machine, as five minutes do.
      keepFiringFor: '45s',
      // An alert outlives Prometheus by four times as much.
      resendDelay: '15s',
    });
    await play(3, 60);
    await paged(1);

    await stack.restart('prometheus-alertmanager');
    await until('Alertmanager knows of it', PATIENCE_MS, async () =>
      (await active()).length > 0 ? true : null,
    );
    const before = await endOf();
    await stack.restart('prometheus');
    await toldAfter(before);
    await restartService();
    const restarted = await endOf();
    await toldAfter(restarted);
    expect(
      await stack.query('plumbline_episode_open{category="drift",severity="critical"} == 1'),
    ).toHaveLength(1);
    expect(receivers.paged()).toEqual([OPENED]);
    expect(receivers.chats.map(({ title }) => title)).toEqual([
      '[FIRING 1] PlumblineDrift sizes v1 (critical)',
    ]);

    await play(3, 0);
    await paged(2);
    expect(receivers.paged()).toEqual([OPENED, RESOLVED]);
    const [opened, resolved] = receivers.pages;
    expect(resolved?.dedupKey).toBe(opened?.dedupKey);
  }, 600_000);

  it('that was told directly: it is told again and again, outlives a restart of either, and its end is told once', async () => {
    stack = await startPrometheusStack({ scrapePorts: [], ...receivers.urls });
    await start(
      await freePort(),
      `alerts: { alertmanager: { urls: ["${stack.alertmanagerUrl}"], resend: 10s }, runbooksUrl: "https://books.example" }\n`,
    );
    await play(3, 60);
    await paged(1);
    expect(receivers.pages[0]?.payload.custom_details?.text.split('\n')).toEqual([
      expect.stringMatching(/^sizes version 1 has an open drift episode \(critical\)\. size: /),
      expect.stringMatching(/^Since /),
      'What to do: https://books.example/PlumblineDrift.md',
      'Page: https://plumbline.example/models/sizes/versions/1',
    ]);
    const [first] = await active();
    expect(first?.labels).toEqual({
      alertname: 'PlumblineDrift',
      model: 'sizes',
      model_version: '1',
      severity: 'critical',
      route: 'drift',
    });
    await toldAfter(Date.parse(first?.endsAt ?? ''));
    await stack.restart('prometheus-alertmanager');
    await restartService();
    await toldAfter(Date.now() + 30_000);
    expect(receivers.paged()).toEqual([OPENED]);
    await play(3, 0);
    await paged(2);
    expect(receivers.paged()).toEqual([OPENED, RESOLVED]);
    // The service is gone while nothing is open: nothing is left to end.
    expect(await active()).toEqual([]);
  }, 600_000);
});
