import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { freePort } from '../support/free-port.js';
import type { GuardedProcess } from '../support/guarded-process.js';
import { startService, until } from '../support/service-process.js';
import { type SmtpReceiver, startSmtpReceiver } from '../support/smtp-receiver.js';

const START_MS = Date.UTC(2026, 0, 1);
const PATIENCE_MS = 120_000;

describe('kill -9 while a report is mailed', () => {
  let directory = '';
  let smtp: SmtpReceiver;
  let client: ServiceClient;
  let start: () => Promise<GuardedProcess>;
  const services: GuardedProcess[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-report-crash-'));
    smtp = await startSmtpReceiver({ plain: true });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const configFile = join(directory, 'plumbline.yaml');
    const logFile = join(directory, 'service.log');
    await writeFile(
      configFile,
      `store: { dataDir: ${join(directory, 'data')} }
http: { port: ${port} }
clock: data
reports: { cron: "* * * * * *" }
mail: { host: 127.0.0.1, port: ${smtp.port}, tls: none, from: plumbline@example.com }
models:
  loan:
    reports: { schedule: daily, to: [ann@example.com] }
`,
    );
    client = createServiceClient({ url, patienceMs: PATIENCE_MS });
    start = async () => {
      const service = await startService({ configFile, url, logFile });
      services.push(service);
      return service;
    };
    await start();
    await client.putJson('/v1/models/loan/versions/1', {
      task: 'binary',
      features: [{ name: 'age', kind: 'numeric' }],
    });
    await send(0);
    await until('the schedule begins', PATIENCE_MS, async () =>
      (await readFile(logFile, 'utf8')).includes('the schedule begins') ? true : null,
    );
  }, 300_000);
  afterAll(async () => {
    for (const service of services) await service.kill();
    await smtp.close();
    await rm(directory, { recursive: true, force: true });
  });

  const send = (day: number) =>
    client.postLines('/v1/ingest', [
      JSON.stringify({
        ...{
          prediction_id: `p${day}`,
          model: 'loan',
          model_version: '1',
          features: { age: 1 },
          prediction: 1,
        },
        timestamp: new Date(START_MS + day * DAY_MS + 8 * HOUR_MS).toISOString(),
      }),
    ]);

  it('makes no second report, and sends again under the same id what the server took unseen', async () => {
    // The server takes the mail, and its answer never arrives.
    smtp.answerNext('hang');
    await send(1);
    await until('the mail', PATIENCE_MS, async () => (smtp.mails.length > 0 ? true : null));
    await services[0]?.kill();
    await start();
    await until('the mail again', PATIENCE_MS, async () => (smtp.mails.length > 1 ? true : null));
    const states = async () =>
      ((await client.get('/v1/webhooks?model=loan')) as { events: { type: string; state: string }[] }).events;
    await until('the note of it', PATIENCE_MS, async () =>
      (await states()).every(({ state }) => state === 'delivered') ? true : null,
    );
    expect(await states()).toMatchObject([{ type: 'report.ready', state: 'delivered' }]);
    expect(new Set(smtp.mails.map(({ headers }) => headers.get('message-id'))).size).toBe(1);
    expect(smtp.mails).toHaveLength(2);
    const { reports } = (await client.get('/v1/models/loan/reports')) as { reports: object[] };
    expect(reports).toHaveLength(1);

    // Noted as delivered: another kill sends nothing again.
    await services[1]?.kill();
    await start();
    await send(2);
    await until('the next report', PATIENCE_MS, async () => (smtp.mails.length > 2 ? true : null));
    expect(new Set(smtp.mails.map(({ headers }) => headers.get('message-id'))).size).toBe(2);
    expect(smtp.mails).toHaveLength(3);
  }, 600_000);
});
