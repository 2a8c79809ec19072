import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient } from '../../src/cli/service-client.js';
import { parseConfig } from '../../src/config.js';
import type { ReportEntry } from '../../src/domain/report.js';
import { HOUR_MS } from '../../src/domain/window.js';
import { reportFacts } from '../../src/http/report-schemas.js';
import { type BridgeProcess, startBridgeProcess } from '../support/clickhouse-bridge-process.js';
import { MODEL, START_MS, secret, send } from '../support/loan-rows.js';
import { until } from '../support/service-process.js';
import { type SmtpReceiver, startSmtpReceiver } from '../support/smtp-receiver.js';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.js';

describe('two detectors over one store', () => {
  let directory = '';
  let bridge: BridgeProcess;
  let smtp: SmtpReceiver;
  let hook: WebhookReceiver;
  const apps: App[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-two-'));
    smtp = await startSmtpReceiver({ plain: true });
    hook = await startWebhookReceiver(secret);
    await writeFile(join(directory, 'secret'), secret);
    bridge = await startBridgeProcess({ dataDir: join(directory, 'data') });
  });
  afterAll(async () => {
    for (const app of apps) await app.stop();
    await bridge?.kill();
    for (const receiver of [hook, smtp]) await receiver?.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('make one report, send one mail to each person, and tell each hook of one event', async () => {
    for (const roles of [['collector', 'detector', 'api'], ['detector']] as const)
      apps.push(
        await createApp(
          parseConfig({
            roles: [...roles],
            store: { url: bridge.url },
            http: { port: 0 },
            clock: 'data',
            jobs: { cron: '0 0 0 1 1 *' },
            log: { level: 'silent' },
            reports: { dir: join(directory, 'reports'), cron: '*/2 * * * * *' },
            webhooks: { allow: ['127.0.0.1'] },
            mail: { host: '127.0.0.1', port: smtp.port, tls: 'none', from: 'plumbline@example.com' },
            defaults: {
              window: { length: '24h', step: '24h' },
              reports: [
                {
                  ...{ schedule: 'daily', to: ['ann@example.com', 'bob@example.org', 'cy@example.net'] },
                  webhook: { url: hook.url, secretFile: join(directory, 'secret') },
                },
              ],
            },
          }),
        ),
      );
    const [{ url }] = [await apps[0]?.start(), await apps[1]?.start()] as [{ url: string }, { url: string }];
    const client = createServiceClient({ url });
    // Nothing is judged without a reference: what is looked at here are reports and those who are told of them.
    await client.putJson(`/v1/models/${MODEL}/versions/1`, {
      task: 'binary',
      features: ['income', 'age'].map((name) => ({ name, kind: 'numeric' })),
    });
    const kept = async () =>
      ((await client.get(`/v1/models/${MODEL}/reports`)) as { reports: ReportEntry[] }).reports;
    await send(client, 0, 1, 0);
    // A clock may be read while the day's rows come: then the schedule begins, and makes its first report, on this day.
    await until('the schedule begins', 120_000, async () =>
      (await apps[0]?.store.lastReportRun(MODEL, 'daily'))?.firesAtMs === START_MS + 7 * HOUR_MS
        ? true
        : null,
    );
    const first = (await kept()).length;
    const days = 2;
    for (let day = 1; day <= days; day += 1) {
      await send(client, day, 1, 0);
      await until(`report ${day}`, 120_000, async () =>
        (await kept()).length === first + day && smtp.mails.length >= 3 * (first + day) ? true : null,
      );
    }
    const ids = (await kept()).map(({ id }) => id);
    expect(new Set(ids).size).toBe(first + days);
    expect(smtp.mails).toHaveLength(3 * (first + days));
    expect(new Set(smtp.mails.map(({ headers }) => headers.get('message-id'))).size).toBe(3 * (first + days));
    await until('the hook is told', 120_000, async () =>
      new Set(hook.requests.map((request) => request.id)).size === first + days ? true : null,
    );
    expect(
      reportFacts.parse(await client.get(`/v1/models/${MODEL}/reports/${ids[0]}`)).versions,
    ).toHaveLength(1);
  }, 600_000);
});
