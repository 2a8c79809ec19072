import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import type { EpisodeDetail, ShownEpisode } from '../../src/domain/episode-desk.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';
import { dailyConfig } from '../support/daily-config.js';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.js';

const START_MS = Date.UTC(2026, 0, 1);
const ROWS_PER_DAY = 96;
const SECRET = 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=';
const random = createRandom(7);
const time = (ms: number) => new Date(ms).toISOString();
const timesOf = (day: number, rows = ROWS_PER_DAY) =>
  Array.from({ length: rows }, (_, i) => START_MS + day * DAY_MS + Math.floor((i * DAY_MS) / rows));
const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row));

let directory = '';
let receiver: WebhookReceiver;
let app: App;
let client: ServiceClient;
let url = '';

const open = async () => {
  app = await createApp({
    ...dailyConfig(directory, {
      policy: { open: '2of2', close: '2of3' },
      multivariate: { enabled: false },
      outliers: { trees: 10 },
      retrain: {
        url: receiver.url,
        secretEnv: 'HOOK_SECRET',
        on: ['opened', 'resolved'],
        categories: ['drift'],
      },
    }),
    webhooks: { allow: ['127.0.0.1'], dryRun: false },
  });
  ({ url } = await app.start());
  client = createServiceClient({ url });
};
/** A process that ends, and another one on the same data. */
const restart = async () => {
  await app.stop();
  await open();
};

/** Whole days, and the first row of the next one, so that they are judged. */
async function send(firstDay: number, shifts: readonly number[], rows = ROWS_PER_DAY): Promise<void> {
  const row = (ms: number, shift: number) => ({
    prediction_id: `p${ms}`,
    model: 'life',
    model_version: '1',
    timestamp: time(ms),
    features: { x: Number((random() + shift).toFixed(6)), y: Number(random().toFixed(6)) },
    prediction: Math.round(random()),
  });
  const events = shifts.flatMap((shift, i) => timesOf(firstDay + i, rows).map((ms) => row(ms, shift)));
  await client.postLines('/v1/ingest', lines(events));
  const last = START_MS + (firstDay + shifts.length) * DAY_MS;
  // The clock is the data's: windows are judged ten minutes after their end.
  await client.postLines('/v1/ingest', lines([row(last + HOUR_MS, shifts.at(-1) ?? 0)]));
  await app.settle();
}

const list = async () =>
  (await client.get('/v1/models/life/episodes')) as { episodes: ShownEpisode[]; pending: object[] };
const drift = async () => {
  const found = (await list()).episodes.filter(({ category }) => category === 'drift');
  return found[0] as ShownEpisode;
};
const read = async (id: string) => (await client.get(`/v1/models/life/episodes/${id}`)) as EpisodeDetail;
const metrics = async (name: string) =>
  (await (await fetch(`${url}/metrics`)).text())
    .split('\n')
    .filter((line) => line.startsWith(`plumbline_${name}{`) && line.includes('category="drift"'))
    .map((line) => line.replace(/.*category="drift",?/, ''));
const told = () => receiver.requests.map(({ body }) => (JSON.parse(body) as { type: string }).type);

beforeAll(async () => {
  process.env.HOOK_SECRET = SECRET;
  receiver = await startWebhookReceiver(SECRET);
  directory = await mkdtemp(join(tmpdir(), 'plumbline-episode-life-'));
  await open();
  const file = join(directory, 'reference.ndjson');
  const reference = Array.from({ length: 20 }, (_, day) => timesOf(day - 30))
    .flat()
    .map((ms) => ({
      timestamp: time(ms),
      x: Number(random().toFixed(6)),
      y: Number(random().toFixed(6)),
      prediction: Math.round(random()),
    }));
  await writeFile(file, `${lines(reference).join('\n')}\n`);
  await client.putFile('/v1/models/life/versions/1/reference', file, 'application/x-ndjson');
});
afterAll(async () => {
  await app?.stop();
  await receiver?.close();
  await rm(directory, { recursive: true, force: true });
  delete process.env.HOOK_SECRET;
});

test('an episode is pending, opens, is looked after and silent, and a restart changes none of it', async () => {
  await send(0, [0, 0, 0.5]);
  const { episodes, pending } = await list();
  expect(episodes).toEqual([]);
  expect(pending[0]).toMatchObject({ category: 'drift', drifted: 1, needed: 2, drivers: [{ feature: 'x' }] });
  await client.putJson('/v1/models/life/snooze', { for: '3d', category: 'drift', by: 'ada', note: 'move' });
  await send(3, [0.5]);
  const opened = await drift();
  expect(opened).toMatchObject({ status: 'open', silence: { reason: 'snoozed', by: 'ada' } });
  expect(told()).toEqual([]);
  await client.putJson(`/v1/models/life/episodes/${opened.id}/acknowledgement`, { by: 'bob', note: 'mine' });
  await app.settle();
  const before = await read(opened.id);
  const shown = await metrics('episode_open');
  expect(shown).toContain('severity="critical",route="drift"} 1');

  await restart();
  // Before any cycle of this process.
  expect(await read(opened.id)).toEqual(before);
  expect((await metrics('episode_open')).sort()).toEqual(shown.sort());
  expect(await metrics('episode_silenced')).toContain('reason="snoozed"} 1');
  expect(await metrics('episode_acknowledged')).toEqual(['} 1'].map((line) => expect.stringContaining(line)));
  await app.settle();
  expect(await read(opened.id)).toEqual(before);
  expect(told()).toEqual([]);
  expect(before).toMatchObject({
    status: 'acknowledged',
    acknowledgement: { by: 'bob', note: 'mine' },
    evidence: [{ feature: 'x', windows: 2 }],
    // The reference has no labels.
    performance: { moved: 'cannot_tell' },
  });
});

test('once the silence is over it is told, once, and so is its end', async () => {
  const { id } = await drift();
  await send(4, [0.5, 0.5, 0.5]);
  expect(await drift()).toMatchObject({ id, state: 'open', silence: null });
  expect(told()).toEqual(['drift.detected']);
});

test('a policy set through the API is in force at once and after a restart: a quiet window neither opens nor closes', async () => {
  const { id } = await drift();
  const policy = { open: '2of2', close: '2of3', minimumRows: 50, routes: { drift: 'ml-team' } };
  await client.putJson('/v1/models/life/policy', { policy, by: 'ada', note: 'nights are quiet' });
  await send(7, [0, 0], 30);
  const verdicts = async (day: number) => {
    const from = START_MS + day * DAY_MS;
    const query = new URLSearchParams({
      version: '1',
      role: 'primary',
      from: time(from),
      to: time(from + DAY_MS),
    });
    return ((await client.get(`/v1/models/life/verdicts?${query}`)) as { verdicts: Verdict[] }).verdicts;
  };
  const reasons = new Set((await verdicts(7)).map(({ status, reason }) => `${status} ${reason}`));
  expect([...reasons]).toContain('undecided minimum_traffic');
  expect([...reasons].filter((reason) => !reason.startsWith('undecided'))).toEqual([]);
  expect(await drift()).toMatchObject({ id, state: 'open' });
  expect(await metrics('episode_open')).toContain('severity="critical",route="ml-team"} 1');
  await restart();
  expect(await client.get('/v1/models/life/policy')).toMatchObject({
    source: 'store',
    policy: { minimumRows: 50 },
    ofFile: { minimumRows: 0 },
    history: [{ by: 'ada', note: 'nights are quiet' }],
  });
  expect(await metrics('episode_open')).toContain('severity="critical",route="ml-team"} 1');
});

test('it closes at N of M, with its whole life on record', async () => {
  const { id } = await drift();
  await send(9, [0, 0.5, 0]);
  const detail = await read(id);
  expect(detail).toMatchObject({ status: 'resolved', state: 'closed', acknowledgement: null, silence: null });
  expect(detail.history.map(({ kind, by }) => `${kind} ${by}`)).toEqual(
    [
      'snoozed ada',
      'pending service',
      'opened service',
      'held service',
      'acknowledged bob',
      'released service',
      'resolved service',
    ].sort(byKind(detail)),
  );
  expect(told()).toEqual(['drift.detected', 'drift.resolved']);
  const page = await (await fetch(`${url}/models/life/versions/1/episodes/${id}`)).text();
  for (const words of ['drift episode', 'acknowledged', 'bob', 'mine', 'told after all', 'resolved'])
    expect(page).toContain(words);
  expect((await fetch(`${url}/models/life/versions/2/episodes/${id}`)).status).toBe(404);
});

/** The snooze came after the first drifted window was judged, or before, by the clock of the data: both are told in order of time. */
function byKind({ history }: EpisodeDetail) {
  const order = history.map(({ kind }) => kind as string);
  const place = (entry: string) => order.indexOf(entry.split(' ')[0] ?? '');
  return (a: string, b: string) => place(a) - place(b);
}
