import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import { parseConfig } from '../../src/config.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';
import {
  dayOf,
  FLIGHTS_MODEL,
  FLIGHTS_REFERENCE,
  firstFlights,
  referenceDays,
} from '../support/flight-events.js';
import { eventually, type PrometheusStack, startPrometheusStack } from '../support/prometheus-stack.js';

const FIRST_DAY_MS = Date.UTC(2014, 0, 1);
const SHIFTED_DAYS = ['2013-05-06', '2013-05-07', '2013-05-08', '2013-05-09'];

interface Page {
  readonly path: string;
  readonly channel: string;
  readonly title: string;
  readonly text: string;
}

/** A chat that Alertmanager writes to. */
async function startChat() {
  const pages: Page[] = [];
  const server: Server = createServer((request, response) => {
    text(request).then(
      (body) => {
        const message = JSON.parse(body) as {
          channel?: string;
          attachments?: { title: string; text: string }[];
        };
        for (const { title, text: words } of message.attachments ?? [])
          pages.push({ path: request.url ?? '', channel: message.channel ?? '', title, text: words });
        response.end('ok');
      },
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pages,
    titles: () => pages.map(({ title }) => title),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('from drifted flights to a page, and back', () => {
  let directory = '';
  let app: App;
  let client: ServiceClient;
  let chat: Awaited<ReturnType<typeof startChat>>;
  let stack: PrometheusStack;
  let clean: string[][] = [];
  let day = 0;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-alert-'));
    // Before the service: one process opens one data directory at a time.
    const random = createRandom(1);
    clean = [...(await referenceDays()).values()]
      .map((lines) => ({ lines, order: random() }))
      .sort((a, b) => a.order - b.order)
      .map(({ lines }) => lines);
    app = await createApp(
      parseConfig({
        store: { dataDir: join(directory, 'data') },
        http: { port: 0 },
        clock: 'data',
        jobs: { cron: '0 0 0 1 1 *' },
        log: { level: 'warn' },
        defaults: { window: { length: '24h', step: '24h' } },
      }),
    );
    const { url } = await app.start();
    client = createServiceClient({ url });
    await client.putFile(
      `/v1/models/${FLIGHTS_MODEL}/versions/1/reference`,
      FLIGHTS_REFERENCE,
      'application/vnd.apache.parquet',
    );
    chat = await startChat();
    stack = await startPrometheusStack({
      scrapePorts: [Number(new URL(url).port)],
      slackUrl: `${chat.url}/slack`,
      watchdogUrl: `${chat.url}/watchdog`,
    });
  });
  afterAll(async () => {
    await stack?.stop();
    await app?.stop();
    chat?.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Sends one day's events under new ids, on the next day of the stream, and lets Prometheus see what came of it. */
  async function play(lines: readonly string[]): Promise<void> {
    const date = new Date(FIRST_DAY_MS + day * DAY_MS).toISOString().slice(0, 10);
    day += 1;
    const events = lines.map((line, index) =>
      line
        .replace(/"prediction_id":"[^"]*"/, `"prediction_id":"${date}-${index}"`)
        .replace(/"timestamp":"[^T]*T/, `"timestamp":"${date}T`),
    );
    expect(await client.postLines('/v1/ingest', events)).toMatchObject({ accepted: events.length });
    await app.settle();
    const judged = day - 1;
    await eventually(
      'the scrape of the judged window',
      async () =>
        (await stack.query('sum(plumbline_windows_judged_total)'))[0]?.value === judged || judged === 0,
      { tail: stack.tail },
    );
    // The switch stands in the group of the alerts: it is as new as their last look at the samples.
    const seen = Date.now() / 1_000;
    await eventually(
      'a look of the rules at it',
      async () =>
        ((await stack.query('timestamp(ALERTS{alertname="PlumblineDeadMan"})'))[0]?.value ?? 0) > seen,
      { tail: stack.tail },
    );
  }

  const alertsSeen = async () =>
    (await stack.query('count_over_time(ALERTS{alertstate="firing",alertname!="PlumblineDeadMan"}[1h])')).map(
      ({ metric }) => metric.alertname,
    );

  it('pages nobody over four weeks of days drawn from the reference itself', async () => {
    expect(clean).toHaveLength(28);
    for (const lines of clean) await play(lines);
    expect(await alertsSeen()).toEqual([]);
    expect(chat.titles()).toEqual([]);
    expect(await app.store.listEpisodes({ limit: 10 })).toEqual([]);
  }, 600_000);

  it('pages once May has come, naming the model and what to do', async () => {
    const may = firstFlights(Number.POSITIVE_INFINITY).predictions;
    for (const date of SHIFTED_DAYS) await play(may.filter((line) => dayOf(line) === date));
    await eventually('the page', async () => chat.titles().length > 0, { tail: stack.tail });
    const page = chat.pages.find(({ title }) => title.includes('PlumblineDrift'));
    expect(page).toMatchObject({
      path: '/slack',
      title: expect.stringMatching(/^\[FIRING 1\] PlumblineDrift flight-delay v1/),
    });
    expect(page?.text).toContain('PlumblineDrift.md');
    const [gauge] = await stack.query('plumbline_drift_status{feature="temp",detector="neyman"}');
    expect(gauge).toMatchObject({ value: 1, metric: { model: FLIGHTS_MODEL, model_version: '1' } });
  }, 600_000);

  it('resolves when the data is clean again', async () => {
    for (const lines of clean.slice(0, 4)) await play(lines);
    await eventually(
      'the resolution',
      async () => chat.titles().some((title) => /^\[RESOLVED\] PlumblineDrift flight-delay v1/.test(title)),
      { tail: stack.tail },
    );
    expect(await app.store.listEpisodes({ state: 'open', limit: 10 })).toEqual([]);
    await eventually(
      'the end of every alert',
      async () =>
        (await stack.query('ALERTS{alertstate="firing",alertname!="PlumblineDeadMan"}')).length === 0,
      { tail: stack.tail },
    );
    // Every message that said something is on was followed by one that says it is over.
    const of = (word: string) =>
      chat
        .titles()
        .filter((title) => title.startsWith(`[${word}`))
        .map((title) => title.replace(/^\[[^\]]*\] /, ''));
    await eventually(
      'the end of each message',
      async () => of('FIRING').every((title) => of('RESOLVED').includes(title)),
      { tail: stack.tail },
    );
    expect(new Set(of('RESOLVED'))).toEqual(new Set(of('FIRING')));
  }, 600_000);
});
