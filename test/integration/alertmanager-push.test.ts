import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAlertmanagerPush } from '../../src/alerts/alertmanager-push.js';
import type { PostableAlert } from '../../src/alerts/episode-alerts.js';
import type { Episode } from '../../src/domain/episode.js';
import { AWAKE, type Standing } from '../../src/domain/silence.js';
import { createMetrics } from '../../src/metrics.js';
import { episode } from '../support/entities.js';
import { createMemoryAlertStore } from '../support/memory-alert-store.js';
import { createSilentLogger } from '../support/silent-logger.js';

const MINUTE_MS = 60_000;
const T0 = Date.UTC(2026, 0, 1);

interface Receiver {
  readonly url: string;
  readonly posts: { path: string; authorization: string | undefined; alerts: PostableAlert[] }[];
  status: number;
  readonly server: Server;
}

async function startReceiver(): Promise<Receiver> {
  const server = createServer((request, response) => {
    text(request).then(
      (body) => {
        receiver.posts.push({
          path: request.url ?? '',
          authorization: request.headers.authorization,
          alerts: JSON.parse(body) as PostableAlert[],
        });
        response.writeHead(receiver.status).end('{}');
      },
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/am/`;
  const receiver: Receiver = { url, posts: [], status: 200, server };
  return receiver;
}

let receivers: Receiver[];
beforeEach(async () => {
  receivers = [await startReceiver(), await startReceiver()];
});
afterEach(() => {
  for (const { server } of receivers) {
    server.closeAllConnections();
    server.close();
  }
});

function setUp() {
  const memory = createMemoryAlertStore();
  const time = { ms: T0 };
  const state = { active: true, standing: AWAKE as Standing };
  const metrics = createMetrics();
  const clock = { now: () => time.ms, observe: () => undefined };
  const create = () =>
    createAlertmanagerPush({
      urls: receivers.map(({ url }) => url),
      resendMs: MINUTE_MS,
      authorization: 'Bearer token',
      store: memory.store,
      standingOf: () => state.standing,
      routeOf: (_model, category) => category,
      links: { publicUrl: 'http://plumbline' },
      active: () => state.active,
      clock,
      wallClock: clock,
      logger: createSilentLogger(),
      metrics,
    });
  const save = (overrides: Partial<Episode> = {}) =>
    memory.store.saveEpisode(
      episode('e1', { openedAtMs: T0 - MINUTE_MS, severity: 'critical', ...overrides }),
    );
  const close = () => save({ state: 'closed', closedAtMs: time.ms });
  return { ...memory, create, save, close, time, state, metrics };
}

const last = (receiver: Receiver | undefined) => receiver?.posts.at(-1)?.alerts ?? [];
const endOf = (alert: PostableAlert | undefined) => Date.parse(alert?.endsAt ?? '') - T0;

describe('telling Alertmanager directly', () => {
  it('tells every one of a cluster of what is open, again each minute, with an end four times as far', async () => {
    const { create, save, time, metrics } = setUp();
    const push = create();
    await save();
    await push.push();
    for (const receiver of receivers) {
      expect(receiver.posts).toHaveLength(1);
      expect(receiver.posts[0]).toMatchObject({ path: '/am/api/v2/alerts', authorization: 'Bearer token' });
      expect(last(receiver)).toMatchObject([
        {
          labels: { alertname: 'PlumblineDrift', severity: 'critical', route: 'drift' },
          startsAt: new Date(T0 - MINUTE_MS).toISOString(),
          endsAt: new Date(T0 + 4 * MINUTE_MS).toISOString(),
        },
      ]);
    }
    time.ms += MINUTE_MS - 1;
    push.changed();
    await push.push();
    expect(receivers.map(({ posts }) => posts.length)).toEqual([1, 1]);
    time.ms += 1;
    await push.push();
    expect(receivers.map(({ posts }) => posts.length)).toEqual([2, 2]);
    expect(endOf(last(receivers[0])[0])).toBe(5 * MINUTE_MS);
    expect((await metrics.alertmanagerPushes.get()).values.map(({ value }) => value)).toEqual([4, 0]);
  });

  it('tells of news that the store would not show at first with the next look', async () => {
    const { create, save, store, time } = setUp();
    const push = create();
    await push.push();
    const { listEpisodes } = store;
    store.listEpisodes = () => Promise.reject(new Error('the store is away'));
    time.ms += 1_000;
    await save();
    push.changed();
    await expect(push.push()).rejects.toThrow('the store is away');
    store.listEpisodes = listEpisodes;
    time.ms += 1_000;
    await push.push();
    expect(last(receivers[0])).toHaveLength(1);
  });

  it('tells of every open episode, however many', async () => {
    const { create, store } = setUp();
    for (let i = 0; i < 1_500; i++)
      await store.saveEpisode(episode(`e${i}`, { modelVersion: String(i), openedAtMs: T0 - MINUTE_MS }));
    await create().push();
    expect(last(receivers[0])).toHaveLength(1_500);
  });

  it('tells of news at once, and of an end for a quarter of an hour', async () => {
    const { create, save, close, time } = setUp();
    const push = create();
    await push.push();
    time.ms += 1_000;
    await save();
    await push.push();
    expect(last(receivers[0])).toEqual([]);
    push.changed();
    await push.push();
    expect(last(receivers[0])).toHaveLength(1);
    time.ms += 1_000;
    await close();
    push.changed();
    await push.push();
    expect(endOf(last(receivers[0])[0])).toBe(2_000);
    for (let i = 0; i < 14; i++) {
      time.ms += MINUTE_MS;
      await push.push();
      expect(endOf(last(receivers[0])[0])).toBe(2_000);
    }
    time.ms += 2 * MINUTE_MS;
    await push.push();
    expect(last(receivers[0])).toEqual([]);
  });

  it('ends the warning when an episode has become critical, and tells of one alert when it opens again', async () => {
    const { create, save, close, time } = setUp();
    const push = create();
    await save({ severity: 'warning' });
    await push.push();
    await save({ severity: 'critical' });
    push.changed();
    await push.push();
    expect(
      last(receivers[0]).map(({ labels, endsAt }) => [labels.severity, Date.parse(endsAt) > T0]),
    ).toEqual([
      ['critical', true],
      ['warning', false],
    ]);
    await close();
    push.changed();
    await push.push();
    time.ms += 1;
    await save({ severity: 'critical', openedAtMs: T0 + 1 });
    push.changed();
    await push.push();
    expect(last(receivers[0]).filter(({ labels }) => labels.severity === 'critical')).toHaveLength(1);
  });

  it('after a restart goes on with what is open, and tells of what ended just before it', async () => {
    const { create, save, close, time } = setUp();
    await save();
    await create().push();
    await create().push();
    expect(endOf(last(receivers[0])[0])).toBe(4 * MINUTE_MS);
    await close();
    time.ms += MINUTE_MS;
    await create().push();
    expect(endOf(last(receivers[0])[0])).toBe(0);
    time.ms += 20 * MINUTE_MS;
    await create().push();
    expect(last(receivers[0])).toEqual([]);
  });

  it('one that does not lead tells nothing; one that leads again tells what is so by then', async () => {
    const { create, save, close, state, time } = setUp();
    const push = create();
    await save();
    await push.push();
    state.active = false;
    time.ms += 5 * MINUTE_MS;
    await close();
    await push.push();
    expect(receivers[0]?.posts).toHaveLength(1);
    state.active = true;
    time.ms += MINUTE_MS;
    await push.push();
    expect(endOf(last(receivers[0])[0])).toBe(5 * MINUTE_MS);
  });

  it('lets an alert end that is silenced, and fire anew afterwards', async () => {
    const { create, save, state } = setUp();
    const push = create();
    await save();
    await push.push();
    state.standing = {
      silence: { reason: 'snoozed', scope: 'model', untilMs: T0 + 1, by: 'me', note: '' },
      acknowledgement: null,
    };
    push.changed();
    await push.push();
    expect(endOf(last(receivers[0])[0])).toBe(0);
    state.standing = AWAKE;
    push.changed();
    await push.push();
    expect(endOf(last(receivers[0])[0])).toBe(4 * MINUTE_MS);
  });

  it('tries one that does not take them again soon, and does not let the other wait', async () => {
    const { create, save, time, metrics } = setUp();
    const push = create();
    const [well, unwell] = receivers;
    if (unwell === undefined) throw new TypeError('two receivers');
    unwell.status = 503;
    await save();
    await push.push();
    expect((await metrics.alertmanagerPushes.get()).values.map(({ value }) => value)).toEqual([1, 1]);
    time.ms += 5_000;
    unwell.status = 200;
    await push.push();
    expect([well?.posts.length, unwell.posts.length]).toEqual([1, 2]);
    unwell.server.close();
    unwell.server.closeAllConnections();
    time.ms += MINUTE_MS;
    await push.push();
    expect((await metrics.alertmanagerPushes.get()).values.map(({ value }) => value)).toEqual([3, 2]);
  });
});
