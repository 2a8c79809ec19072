import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAddressGuard } from '../../src/alerts/address-guard.js';
import { createDispatcher } from '../../src/alerts/dispatcher.js';
import { createGuardedRequest } from '../../src/alerts/guarded-request.js';
import { verifySignature } from '../../src/alerts/verify-signature.js';
import { createWebhookSink } from '../../src/alerts/webhook-sink.js';
import type { WebhookEvent } from '../../src/domain/episode.js';
import { createMetrics } from '../../src/metrics.js';
import { createMemoryAlertStore } from '../support/memory-alert-store.js';
import { createSilentLogger } from '../support/silent-logger.js';
import { until } from '../support/until.js';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.js';

const secret = `whsec_${Buffer.from('canary-canary-canary-canary-32-b').toString('base64')}`;
const wall = { now: () => Date.now(), observe: () => undefined };
const event: WebhookEvent = {
  id: 'evt_0123456789abcdef',
  type: 'retraining.requested',
  model: 'churn / eu',
  hook: 'retrain',
  episodeId: 'e1',
  body: '{"type":"retraining.requested","data":{"note":"Größe"}}',
  createdAtMs: Date.UTC(2013, 2, 1),
};

let receiver: WebhookReceiver;
beforeEach(async () => {
  receiver = await startWebhookReceiver(secret);
});
afterEach(() => receiver.close());

const send = createGuardedRequest(createAddressGuard({ allow: ['127.0.0.1'] }));
/** Patient with a busy machine, unless it is about what hangs. */
const sinkTo = (url: string, timeoutMs = 60_000) =>
  createWebhookSink({
    address: { url, params: {}, inputs: {} },
    credentials: { secret },
    clock: wall,
    send,
    timeoutMs,
  });

describe('webhook sink over HTTP', () => {
  it('sends one request that is both a standard webhook and a CloudEvent', async () => {
    expect(await sinkTo(receiver.url).send(event)).toEqual({ ok: true, status: 204 });
    const [request] = receiver.requests;
    expect(request?.verified).toBe(true);
    expect(request?.body).toBe(event.body);
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': event.id,
      'webhook-id': event.id,
      'ce-specversion': '1.0',
      'ce-id': event.id,
      'ce-type': 'retraining.requested',
      'ce-source': '/models/churn%20%2F%20eu',
      'ce-time': '2013-03-01T00:00:00.000Z',
    });
    const { headers = {}, body = '' } = request ?? {};
    expect(verifySignature({ secret, headers, body, nowMs: Date.now() })).toEqual({ ok: true });
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1_000)).toBeLessThan(60);
  });

  it.each([
    [200, { ok: true, status: 200 }],
    [202, { ok: true, status: 202 }],
    [302, { ok: false, retryable: true, status: 302, reason: 'status 302: redirects are not followed' }],
    [400, { ok: false, retryable: true, status: 400, reason: 'status 400: bad & ugly' }],
    [401, { ok: false, retryable: true, status: 401, reason: 'status 401: bad & ugly' }],
    [404, { ok: false, retryable: true, status: 404, reason: 'status 404: bad & ugly' }],
    [410, { ok: false, retryable: false, gone: true, status: 410, reason: 'status 410: bad & ugly' }],
    [429, { ok: false, retryable: true, status: 429, reason: 'status 429: bad & ugly' }],
    [500, { ok: false, retryable: true, status: 500, reason: 'status 500: bad & ugly' }],
  ])('reads the status %d', async (status, expected) => {
    receiver.answerNext({
      status,
      headers: { location: receiver.url },
      body: 'bad\n\u0000\t& ugly',
    });
    expect(await sinkTo(receiver.url).send(event)).toEqual(expected);
    expect(receiver.requests).toHaveLength(1);
  });

  it.each([
    ['seconds', () => '7', 7_000, 7_000],
    ['very many seconds', () => '999999999', 86_400_000, 86_400_000],
    // Of the time of the test itself: those before it may take long.
    ['a date', () => new Date(Date.now() + 90_000).toUTCString(), 60_000, 90_000],
    ['a date that is past', () => new Date(0).toUTCString(), 0, 0],
  ])('honours Retry-After: %s', async (_name, headerNow, atLeastMs, atMostMs) => {
    receiver.answerNext({ status: 503, headers: { 'retry-after': headerNow() } });
    const delivery = await sinkTo(receiver.url).send(event);
    const waitMs = delivery.ok ? undefined : delivery.retryAfterMs;
    expect(waitMs).toBeGreaterThanOrEqual(atLeastMs);
    expect(waitMs).toBeLessThanOrEqual(atMostMs);
  });

  it('ignores a Retry-After that it cannot read', async () => {
    receiver.answerNext({ status: 503, headers: { 'retry-after': 'soon' } });
    expect(await sinkTo(receiver.url).send(event)).toEqual({
      ok: false,
      retryable: true,
      status: 503,
      reason: 'status 503',
    });
  });

  it('takes the status line for the answer when the body breaks off', async () => {
    receiver.answerNext({ cutAfterStatus: 200 }, { cutAfterStatus: 410 });
    expect(await sinkTo(receiver.url).send(event)).toEqual({ ok: true, status: 200 });
    expect(await sinkTo(receiver.url).send(event)).toMatchObject({ retryable: false, status: 410 });
  });

  it('reads no more of an endless answer than it needs', async () => {
    receiver.answerNext({ status: 500, body: Buffer.alloc(50_000_000, 'x') });
    expect(await sinkTo(receiver.url).send(event)).toEqual({
      ok: false,
      retryable: true,
      status: 500,
      reason: `status 500: ${'x'.repeat(200)}`,
    });
  });

  it.each([
    ['hang', 200, /^no answer within 200 ms$/],
    ['drop', undefined, /^no answer: \w+$/],
  ] as const)('calls it no answer when the receiver does %s', async (answer, timeoutMs, reason) => {
    receiver.answerNext(answer);
    expect(await sinkTo(receiver.url, timeoutMs).send(event)).toEqual({
      ok: false,
      retryable: true,
      status: 0,
      reason: expect.stringMatching(reason),
    });
  });

  it('names neither address nor secret when nobody listens', async () => {
    const { url } = receiver;
    await receiver.close();
    const delivery = await sinkTo(`${url}?token=canary`).send(event);
    expect(delivery).toEqual({ ok: false, retryable: true, status: 0, reason: 'no answer: ECONNREFUSED' });
    receiver = await startWebhookReceiver(secret);
  });

  it.each(['ftp://host/x', 'not a url', 'http://user:canary@host/x'])('refuses the url %s', (url) => {
    expect(() => sinkTo(url)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    expect(() => sinkTo(url)).not.toThrow(/canary/);
  });
});

describe('outbox to receiver', () => {
  it('gets through 500s, a lost connection and a crash, with one id and fresh timestamps', async () => {
    const memory = createMemoryAlertStore();
    await memory.store.saveEvent(event);
    receiver.answerNext({ status: 500 }, 'drop', { status: 503 }, { status: 200 });
    memory.failOnce('saveAttempt');
    const dispatcher = () =>
      createDispatcher({
        outbox: memory.store,
        sinkFor: () => sinkTo(receiver.url),
        clock: wall,
        logger: createSilentLogger(),
        metrics: createMetrics(),
        random: () => 1,
        delaysMs: Array.from({ length: 10 }, () => 20),
        pollMs: 5,
      });
    const crashing = dispatcher();
    await expect(crashing.deliverDue()).rejects.toThrow('crash');
    const restarted = dispatcher();
    restarted.start();
    await until(async () => (await memory.store.pendingEvents()).length === 0);
    await restarted.stop();
    expect(new Set(receiver.requests.map((request) => request.id))).toEqual(new Set([event.id]));
    expect(receiver.requests.every((request) => request.verified)).toBe(true);
    expect(receiver.requests).toHaveLength(4);
    expect(memory.attempts.map(({ attempt, outcome, status }) => [attempt, outcome, status])).toEqual([
      // Of the first nobody knows what became of it.
      [2, 'retry', 0],
      [3, 'retry', 503],
      [4, 'delivered', 200],
    ]);
  });
});
