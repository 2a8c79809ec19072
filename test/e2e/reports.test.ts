import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { listReports, runReport, showReport } from '../../src/cli/reports.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import { type ConfigInput, parseConfig } from '../../src/config.js';
import type { ReportEntry } from '../../src/domain/report.js';
import { reportFacts, reportList } from '../../src/http/report-schemas.js';
import { MODEL, register, secret, send } from '../support/loan-rows.js';
import { until } from '../support/service-process.js';
import { CERTIFICATE, type SmtpReceiver, startSmtpReceiver } from '../support/smtp-receiver.js';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.js';

const PASSWORD = 'correct horse battery';

/** What people and programs see of the reports of a model whose world moves. */
describe('scheduled reports, through the service', () => {
  let directory = '';
  let app: App;
  let url = '';
  let client: ServiceClient;
  let hook: WebhookReceiver;
  let ownHook: WebhookReceiver;
  let smtp: SmtpReceiver;

  const configuration = (): ConfigInput => ({
    store: { dataDir: join(directory, 'data') },
    http: { port: 0, publicUrl: 'https://plumbline.example.com/' },
    clock: 'data',
    jobs: { cron: '0 0 0 1 1 *' },
    reports: { cron: '0 0 0 1 1 *' },
    log: { level: 'silent' },
    webhooks: { allow: ['127.0.0.1'] },
    mail: {
      ...{ host: '127.0.0.1', port: smtp.port, tls: 'starttls', caFile: CERTIFICATE },
      ...{ user: 'plumbline', passwordFile: join(directory, 'password') },
      from: 'Plumbline <plumbline@example.com>',
    },
    models: {
      [MODEL]: {
        window: { length: '24h', step: '24h' },
        reports: {
          ...{ schedule: 'daily', timezone: 'America/New_York', formats: ['html', 'markdown', 'json'] },
          to: ['ann@example.com', 'bob@example.org'],
          webhook: { url: ownHook.url, secretFile: join(directory, 'secret') },
        },
        hooks: [
          { name: 'all', url: hook.url, secretFile: join(directory, 'secret'), on: ['report', 'opened'] },
          { name: 'episodes', url: hook.url, secretFile: join(directory, 'secret') },
        ],
      },
    },
  });

  async function start(): Promise<void> {
    app = await createApp(parseConfig(configuration()));
    url = (await app.start()).url;
    client = createServiceClient({ url });
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-reports-'));
    [hook, ownHook] = [await startWebhookReceiver(secret), await startWebhookReceiver(secret)];
    smtp = await startSmtpReceiver({ password: PASSWORD });
    await writeFile(join(directory, 'secret'), secret);
    await writeFile(join(directory, 'password'), `${PASSWORD}\n`);
    await start();
    await register(client, directory);
    await send(client, 0, 3, 0);
    await app.settle();
  }, 300_000);
  afterAll(async () => {
    await app?.stop();
    for (const receiver of [hook, ownHook, smtp]) await receiver?.close();
    await rm(directory, { recursive: true, force: true });
  });

  const entries = async () =>
    (await client.get(`/v1/models/${MODEL}/reports`)) as { reports: (ReportEntry & { links: object })[] };
  const typesAt = (receiver: WebhookReceiver) =>
    receiver.requests.map(({ body }) => (JSON.parse(body) as { type: string }).type);

  it('begin with the first time that comes', async () => {
    expect(await entries()).toEqual({ reports: [] });
    expect(smtp.mails).toEqual([]);
  });

  it('are made when their time comes, once, and tell what changed', async () => {
    await send(client, 3, 4, 0.6);
    await app.settle();
    await app.settle();
    const list = reportList.parse(await entries());
    expect(list.reports).toMatchObject([
      {
        ...{ model: MODEL, schedule: 'daily', timeZone: 'America/New_York', versions: ['1'], missed: 3 },
        // the day before the newest row's, in New York
        period: { startMs: Date.UTC(2026, 0, 6, 5), endMs: Date.UTC(2026, 0, 7, 5) },
      },
    ]);
    const facts = reportFacts.parse(await client.get(list.reports[0]?.links.json ?? ''));
    const [version] = facts.versions;
    expect(version).toMatchObject({
      modelVersion: '1',
      rows: { now: 100, previous: 100 },
      windows: { now: { judged: 1, drifted: 1 }, previous: { judged: 1, drifted: 1 } },
    });
    expect(version?.features[0]).toMatchObject({
      feature: 'income',
      windowsMaterial: { now: 1, previous: 1 },
    });
    expect(version?.episodes.find(({ category }) => category === 'drift')).toMatchObject({ state: 'open' });
    expect(version?.performance?.now?.figures.rocAuc?.value).toBeGreaterThan(0.6);
    expect(version?.performance?.now?.maturity).toBe(1);
    expect(version?.quality.find(({ feature }) => feature === 'income')?.missing.now).toBeCloseTo(0.1, 1);
    expect(facts.summary).toMatch(/^1 of 1 judged window drifted materially, most often in income/);
  }, 300_000);

  it('are sent to each address, with the summary inline and the files attached', async () => {
    expect(smtp.mails.map(({ to }) => to).toSorted()).toEqual([['ann@example.com'], ['bob@example.org']]);
    const [mail] = smtp.mails;
    expect(mail).toMatchObject({ secure: true, user: 'plumbline' });
    expect(mail?.headers.get('subject')).toMatch(
      /^\[Plumbline\] loan, daily report: 6 Jan 2026 \(America\/New_York\): 1 of 1 window drifted, \d episodes open$/,
    );
    expect(mail?.headers.get('from')).toBe('Plumbline <plumbline@example.com>');
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail?.headers.get('message-id')).toMatch(/^<evt_[0-9a-f]{32}@example\.com>$/);
    expect(new Set(smtp.mails.map(({ headers }) => headers.get('message-id'))).size).toBe(2);
    const part = (type: string, filename: string | null = null) =>
      mail?.parts.find((each) => each.type === type && each.filename === filename)?.content ?? '';
    const [report] = (await entries()).reports;
    const page = `https://plumbline.example.com/models/loan/reports/${report?.id}`;
    for (const inline of [part('text/plain'), part('text/html')]) {
      expect(inline).toContain('1 of 1 judged window drifted materially');
      expect(inline).toContain('3 earlier reports of this schedule were missed');
      expect(inline).toContain('Windows with material drift');
      expect(inline).toContain(page);
    }
    const name = 'loan_daily_2026-01-06T0500_2026-01-07T0500';
    expect(part('text/html', `${name}.html`)).toBe(
      await (await fetch(`${url}/v1/models/loan/reports/${report?.id}.html`)).text(),
    );
    expect(part('text/markdown', `${name}.md`)).toContain('## What changed');
    expect(JSON.parse(part('application/json', `${name}.json`))).toEqual(
      await client.get(`/v1/models/loan/reports/${report?.id}`),
    );
  });

  it('are told to hooks that ask for it, signed, and to no others', async () => {
    expect(typesAt(ownHook)).toEqual(['report.ready']);
    expect(typesAt(hook).filter((type) => type === 'report.ready')).toHaveLength(1);
    const [request] = ownHook.requests;
    expect(request?.verified).toBe(true);
    const [report] = (await entries()).reports;
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      type: 'report.ready',
      data: {
        model: MODEL,
        report: { id: report?.id, schedule: 'daily', missed: 3 },
        summary: report?.summary,
        versions: [{ model_version: '1', windows_drifted: 1 }],
        links: { html: `https://plumbline.example.com/v1/models/loan/reports/${report?.id}.html` },
      },
    });
    expect(Buffer.byteLength(request?.body ?? '')).toBeLessThan(20_000);
  });

  it('are one page that needs nothing else, Markdown and JSON', async () => {
    const [report] = (await entries()).reports;
    const get = (path: string) => fetch(`${url}${path}`);
    const page = await get(`/models/loan/reports/${report?.id}`);
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([
      200,
      expect.stringContaining("default-src 'none'"),
    ]);
    const document = await page.text();
    expect(document).toContain('<svg');
    expect(document).toContain('What changed');
    expect(document).not.toMatch(/<script|src=|href="(?!data:)|url\((?!#)|NaN|undefined|Infinity/);
    const markdown = await get(`/v1/models/loan/reports/${report?.id}.md`);
    expect(markdown.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(await markdown.text()).not.toMatch(/NaN|undefined|Infinity/);
    expect(await (await get('/reports')).text()).toContain(`href="/models/loan/reports/${report?.id}"`);
    for (const path of ['rep_none', `${report?.id}.pdf`, '..%2f..', `rep_${'0'.repeat(32)}`])
      expect([path, (await get(`/v1/models/loan/reports/${path}`)).status]).toEqual([path, 404]);
    expect((await get(`/models/loan/reports/rep_none`)).status).toBe(404);
    expect((await get(`/v1/models/other/reports/${report?.id}`)).status).toBe(404);
  });

  it('are not sent again after a restart', async () => {
    const before = [smtp.mails.length, ownHook.requests.length, hook.requests.length];
    await app.stop();
    await start();
    await app.settle();
    expect([smtp.mails.length, ownHook.requests.length, hook.requests.length]).toEqual(before);
    expect((await entries()).reports).toHaveLength(1);
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
      /plumbline_report_last_success_timestamp_seconds\{model="loan",schedule="daily"\} \d/,
    );
  }, 300_000);

  it('wait for a mail server that is away or says no, and go to nobody who is not there', async () => {
    smtp.mails.length = 0;
    smtp.answerNext({ to: 451 }, { to: 550 });
    await send(client, 7, 1, 0.6);
    await app.settle();
    const states = async () =>
      (
        (await client.get('/v1/webhooks?limit=9')) as {
          events: { hook: string; state: string; attempts: { detail: string }[] }[];
        }
      ).events
        .filter(({ hook: name }) => name.startsWith('mail:'))
        .slice(0, 2);
    const after = await states();
    expect(after.map(({ state }) => state).toSorted()).toEqual(['failed', 'pending']);
    expect(after.flatMap(({ attempts }) => attempts.map(({ detail }) => detail)).join()).toMatch(
      /RCPT TO: 550/,
    );
    expect(JSON.stringify(after)).not.toContain(PASSWORD);
    // five seconds at most
    await until('the mail that was put off', 120_000, async () => (smtp.mails.length > 0 ? true : null));
    expect(smtp.mails).toHaveLength(1);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/plumbline_mail_deliveries_total\{outcome="failed"\} 1/);
    expect(metrics).toMatch(/plumbline_mail_deliveries_total\{outcome="retry"\} 1/);
  }, 300_000);

  it('are listed, shown and made from the command line', async () => {
    async function said(run: (output: Parameters<typeof listReports>[3]) => Promise<void>): Promise<string> {
      const output = { json: false, stdout: new PassThrough(), stderr: new PassThrough() };
      await run(output);
      output.stdout.end();
      output.stderr.end();
      return `${await text(output.stdout)}${await text(output.stderr)}`;
    }
    expect(await said((output) => listReports(client, MODEL, { limit: '9' }, output))).toMatch(
      /daily .*6 Jan 2026 \(America\/New_York\)/,
    );
    expect(
      await said((output) => showReport(client, MODEL, undefined, { format: 'markdown' }, output)),
    ).toMatch(/^# loan, daily report: 7 Jan 2026/);
    const ran = await said((output) =>
      runReport(client, MODEL, { from: '2026-01-01', to: '2026-01-04', announce: false }, output),
    );
    expect(ran).toMatch(
      /loan, report: 31 Dec 2025 19:00 – 3 Jan 2026 19:00 \(America\/New_York\): none of 3 windows/,
    );
    const path = join(directory, 'report.html');
    await said((output) => showReport(client, MODEL, undefined, { format: 'html', output: path }, output));
    await expect(
      runReport(client, 'nobody', { announce: false }, {
        json: true,
        stdout: new PassThrough(),
        stderr: new PassThrough(),
      } as never),
    ).rejects.toThrow(/no registered version/);
    await expect(
      runReport(client, MODEL, { schedule: 'x', announce: false }, {
        json: true,
        stdout: new PassThrough(),
        stderr: new PassThrough(),
      } as never),
    ).rejects.toThrow(/has no report x: it has daily/);
  }, 300_000);
});
