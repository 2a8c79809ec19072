import { afterEach, describe, expect, it } from '@jest/globals';
import { createAddressGuard } from '../../src/alerts/address-guard.js';
import { createDispatcher } from '../../src/alerts/dispatcher.js';
import { createGuardedRequest } from '../../src/alerts/guarded-request.js';
import { createWebhookSink, type WebhookSink } from '../../src/alerts/webhook-sink.js';
import type { WebhookEvent } from '../../src/domain/episode.js';
import { createMetrics } from '../../src/metrics.js';
import { type Fault, type HostileReceiver, startHostileReceiver } from '../support/hostile-receiver.js';
import { createMemoryAlertStore } from '../support/memory-alert-store.js';
import { createSilentLogger } from '../support/silent-logger.js';
import { until } from '../support/until.js';

const SECRET = `whsec_${Buffer.from('canary-canary-canary-canary-32-b').toString('base64')}`;
/** For what hangs for good; what answers, well or badly, gets the time that a busy machine needs. */
const TIMEOUT_MS = 300;
const PATIENCE_MS = 60_000;
/** Far below the patience: whoever waits for all of it is found out. */
const SOON_MS = 30_000;
const TIMEOUTS: Readonly<Partial<Record<Fault['kind'], number>>> = {
  dripHeaders: TIMEOUT_MS,
  silence: TIMEOUT_MS,
  // Its status must have come by then.
  dripBody: 3_000,
};
const timeoutFor = (fault: Fault) => TIMEOUTS[fault.kind] ?? PATIENCE_MS;

const open: HostileReceiver[] = [];
afterEach(async () => {
  for (const receiver of open.splice(0)) await receiver.close();
});

async function receiverWith(...faults: Fault[]): Promise<HostileReceiver> {
  const receiver = await startHostileReceiver(SECRET, faults);
  open.push(receiver);
  return receiver;
}

const wall = { now: () => Date.now(), observe: () => undefined };
const guard = createAddressGuard({ allow: ['127.0.0.1'] });
const sinkTo = (url: string, timeoutMs = PATIENCE_MS, send = createGuardedRequest(guard)): WebhookSink =>
  createWebhookSink({
    address: { url, params: {}, inputs: {} },
    credentials: { secret: SECRET },
    clock: wall,
    send,
    timeoutMs,
  });

const eventOf = (id: string, model = 'churn'): WebhookEvent => ({
  id,
  type: 'retraining.requested',
  model,
  hook: 'retrain',
  episodeId: id,
  body: '{"type":"retraining.requested"}',
  createdAtMs: 1,
});

/** Dispatchers over one outbox: each new one is the service after a restart. */
function service(sinks: Readonly<Record<string, WebhookSink>>) {
  const memory = createMemoryAlertStore();
  const logger = createSilentLogger();
  return {
    ...memory,
    logger,
    start: () =>
      createDispatcher({
        outbox: memory.store,
        sinkFor: ({ model }) => sinks[model] ?? null,
        clock: wall,
        logger,
        metrics: createMetrics(),
        random: () => 0,
        delaysMs: Array.from({ length: 10 }, () => 0),
        pollMs: 5,
      }),
    lastOf: (id: string) => memory.attempts.filter(({ eventId }) => eventId === id).at(-1),
  };
}

describe('F13: a hostile receiver', () => {
  it.each<[string, Fault, number, RegExp]>([
    ['headers that drip', { kind: 'dripHeaders' }, 0, /^no answer within 300 ms$/],
    ['silence', { kind: 'silence' }, 0, /^no answer within 300 ms$/],
    ['a reset', { kind: 'reset' }, 0, /^no answer: ECONNRESET$/],
    ['garbage instead of HTTP', { kind: 'garbage' }, 0, /^no answer: HPE_\w+$/],
    ['endless headers', { kind: 'hugeHeaders' }, 0, /^no answer: HPE_HEADER_OVERFLOW$/],
    ['500', { kind: 'status', status: 500 }, 500, /^status 500$/],
    ['500 with a body that drips', { kind: 'dripBody', status: 500 }, 500, /^status 500/],
    ['502 with a body of 200 MB', { kind: 'hugeBody', status: 502 }, 502, /^status 502: x{200}$/],
    ['503 with half a body', { kind: 'cutBody', status: 503 }, 503, /^status 503: half$/],
    [
      'a redirect to instance metadata',
      { kind: 'status', status: 302, headers: { location: 'http://169.254.169.254/latest/meta-data/' } },
      302,
      /^status 302: redirects are not followed$/,
    ],
    ['the secret, sent back', { kind: 'status', status: 401, body: SECRET }, 401, /^status 401: \[hidden\]$/],
  ])('%s is a failure that is tried again, and then delivered once', async (_name, fault, status, reason) => {
    const receiver = await receiverWith(fault);
    const sinks = { churn: sinkTo(receiver.url, timeoutFor(fault)) };
    const { store, start, attempts, logger } = service(sinks);
    await store.saveEvent(eventOf('evt_1'));
    const dispatcher = start();
    const startedMs = Date.now();
    await dispatcher.deliverDue();
    expect(Date.now() - startedMs).toBeLessThan(SOON_MS);
    expect(attempts).toEqual([
      expect.objectContaining({ outcome: 'retry', status, detail: expect.stringMatching(reason) }),
    ]);
    sinks.churn = sinkTo(receiver.url);
    await dispatcher.deliverDue();
    expect(attempts.at(-1)).toMatchObject({ outcome: 'delivered', status: 204 });
    expect(receiver.effects()).toEqual(['evt_1']);
    expect(JSON.stringify([attempts, logger.lines])).not.toMatch(/canary|Y2FuYXJ5|127\.0\.0\.1/);
  });

  it.each<[string, Fault]>([
    ['200 with a body that drips', { kind: 'dripBody', status: 200 }],
    ['200 with half a body', { kind: 'cutBody', status: 200 }],
    ['200 with a body of 200 MB', { kind: 'hugeBody', status: 200 }],
  ])('%s is a success: the status line is the answer', async (_name, fault) => {
    const receiver = await receiverWith(fault);
    const { store, start, attempts } = service({ churn: sinkTo(receiver.url, timeoutFor(fault)) });
    await store.saveEvent(eventOf('evt_1'));
    await start().deliverDue();
    expect(attempts).toEqual([expect.objectContaining({ outcome: 'delivered', status: 200 })]);
  });

  it.each([
    ['seconds', () => '300', 300_000],
    // Of the time of the test itself: those before it may take long.
    ['a date', () => new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 400_000).toUTCString(), 400_000],
  ])('429 with Retry-After in %s is waited for, by the whole target', async (_name, headerNow, aboutMs) => {
    const headers = { 'retry-after': headerNow() };
    const receiver = await receiverWith({ kind: 'status', status: 429, headers });
    const { store, start, attempts } = service({ churn: sinkTo(receiver.url) });
    await store.saveEvent(eventOf('evt_1'));
    const dispatcher = start();
    await dispatcher.deliverDue();
    const [first] = attempts;
    const waitMs = (first?.nextAttemptAtMs ?? 0) - (first?.atMs ?? 0);
    expect(waitMs).toBeGreaterThan(aboutMs - 30_000);
    expect(waitMs).toBeLessThan(aboutMs + 5_000);
    await store.saveEvent(eventOf('evt_2'));
    expect(await dispatcher.deliverDue()).toMatchObject({ waiting: 2, delivered: 0 });
    expect(receiver.requests()).toBe(1);
  });

  it('410 stops the hook, over a restart, until it is let go', async () => {
    const receiver = await receiverWith({ kind: 'status', status: 410 });
    const { store, start, lastOf, holds } = service({ churn: sinkTo(receiver.url) });
    await store.saveEvent(eventOf('evt_1'));
    await start().deliverDue();
    expect(lastOf('evt_1')).toMatchObject({ outcome: 'failed', status: 410 });
    await store.saveEvent(eventOf('evt_2'));
    expect(await start().deliverDue()).toMatchObject({ waiting: 1 });
    expect(receiver.requests()).toBe(1);
    for (const hold of holds.values()) await store.saveHold({ ...hold, held: false });
    await start().deliverDue();
    expect(receiver.effects()).toEqual(['evt_2']);
  });

  it('a name that turns private between check and connection reaches nothing', async () => {
    const receiver = await receiverWith();
    let asked = 0;
    const rebinding = createAddressGuard({
      allow: ['192.0.2.0/24'],
      resolve: async () => [{ address: asked++ % 2 === 0 ? '192.0.2.1' : '127.0.0.1', family: 4 }],
    });
    const url = `http://rebind.test:${new URL(receiver.url).port}/`;
    const { store, start, attempts } = service({
      // The refusals must come within it; the others wait for all of it where packets are dropped.
      churn: sinkTo(url, 3_000, createGuardedRequest(rebinding)),
    });
    await store.saveEvent(eventOf('evt_1'));
    for (let n = 0; n < 4; n++) await start().deliverDue();
    expect(asked).toBe(4);
    expect(attempts.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/^no answer/),
      expect.stringMatching(/loopback/),
      expect.stringMatching(/^no answer/),
      expect.stringMatching(/loopback/),
    ]);
    expect(receiver.requests()).toBe(0);
  });

  it('a crash between request and record repeats the id, and has one effect', async () => {
    const receiver = await receiverWith();
    const { store, start, failOnce, attempts } = service({ churn: sinkTo(receiver.url) });
    await store.saveEvent(eventOf('evt_1'));
    failOnce('saveAttempt');
    await expect(start().deliverDue()).rejects.toThrow('crash');
    await start().deliverDue();
    expect(receiver.requests()).toBe(2);
    expect(receiver.effects()).toEqual(['evt_1']);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['delivered']);
  });

  it('a target that only drips holds up no other, and each event has its effect when it is well again', async () => {
    const sick = await receiverWith(...Array.from({ length: 8 }, (): Fault => ({ kind: 'dripHeaders' })));
    const well = await receiverWith();
    const sinks = { sick: sinkTo(sick.url, TIMEOUT_MS), well: sinkTo(well.url) };
    const { store, start } = service(sinks);
    const ids = Array.from({ length: 30 }, (_, n) => `evt_${n}`);
    for (const id of ids) await store.saveEvent(eventOf(`${id}_sick`, 'sick'));
    const dispatcher = start();
    dispatcher.start();
    await until(() => sick.requests() > 0);
    const startedMs = Date.now();
    for (const id of ids) await store.saveEvent(eventOf(`${id}_well`, 'well'));
    await until(() => well.effects().length === ids.length);
    expect(Date.now() - startedMs).toBeLessThan(SOON_MS);
    await dispatcher.stop();
    // the circuit is open: only those under way when it opened were tried
    expect(sick.requests()).toBeLessThanOrEqual(8);
    // after a restart the circuit is closed, and the target is well
    sinks.sick = sinkTo(sick.url, 3_000);
    for (let pass = 0; pass < 12 && sick.effects().length < ids.length; pass++) await start().deliverDue();
    expect(sick.effects().toSorted()).toEqual(ids.map((id) => `${id}_sick`).toSorted());
  });
});
