import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OutgoingRequest, RequestOutcome } from '../../../src/alerts/guarded-request.js';
import { createWebhookDesk } from '../../../src/alerts/webhook-desk.js';
import { createWebhookSink } from '../../../src/alerts/webhook-sink.js';
import { createKey } from '../../../src/http/access.js';
import { createWebhookRoutes } from '../../../src/http/webhook-routes.js';
import { attempt, event } from '../../support/entities.js';
import { retrainHook } from '../../support/hooks.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';
import { createMemoryAlertStore } from '../../support/memory-alert-store.js';
import { createSilentLogger } from '../../support/silent-logger.js';

const SECRET = `whsec_${Buffer.from('canary-canary-canary-canary-32-b').toString('base64')}`;
const clock = { now: () => 5_000, observe: () => undefined };

describe('the webhook routes', () => {
  const admin = createKey(['admin'], ['*']);
  const churnAdmin = createKey(['admin'], ['churn']);
  const reader = createKey(['read'], ['churn']);
  let service: HttpService;
  let memory: ReturnType<typeof createMemoryAlertStore>;
  let requests: OutgoingRequest[];
  let answer: RequestOutcome;

  beforeEach(async () => {
    memory = createMemoryAlertStore();
    requests = [];
    answer = { kind: 'answer', status: 202, retryAfter: null, body: '', brokeOff: false };
    const sink = createWebhookSink({
      address: { url: 'https://hooks.example.com/x?key=1', params: {}, inputs: {} },
      credentials: { secret: SECRET },
      clock,
      send: async (request) => {
        requests.push(request);
        return answer;
      },
    });
    const desk = createWebhookDesk({
      outbox: memory.store,
      hooksFor: (model) =>
        model === 'churn' ? [{ settings: retrainHook(), preset: 'webhook', dryRun: false, sink }] : [],
      clock,
      logger: createSilentLogger(),
      publicUrl: 'http://plumbline',
    });
    const store = { listModels: async () => [] };
    service = await startHttpService({
      keys: [admin.entry, churnAdmin.entry, reader.entry],
      api: (access) => createWebhookRoutes({ store, desk }, access),
    });
    await memory.store.saveEvent(event('w1', { model: 'churn', createdAtMs: 1 }));
    await memory.store.saveEvent(event('w2', { model: 'churn', createdAtMs: 2, hook: 'fallback' }));
    await memory.store.saveEvent(event('w3', { model: 'other', createdAtMs: 3 }));
    await memory.store.saveAttempt(attempt('w1', 1, 'retry'));
    await memory.store.saveAttempt(attempt('w1', 2, 'failed'));
    await memory.store.saveAttempt(attempt('w3', 1, 'failed'));
  });
  afterEach(() => service.stop());

  async function call(method: string, path: string, body?: unknown, key = admin.key) {
    const response = await fetch(service.url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  const idsOf = ({ body }: { body: Record<string, unknown> }) =>
    (body.events as { id: string }[]).map(({ id }) => id);

  it('lists events of the models that the key reaches, without their bodies', async () => {
    expect(idsOf(await call('GET', '/v1/webhooks'))).toEqual(['w3', 'w2', 'w1']);
    const own = await call('GET', '/v1/webhooks?state=failed', undefined, reader.key);
    expect(idsOf(own)).toEqual(['w1']);
    expect(own.body.events).toEqual([
      expect.objectContaining({
        state: 'failed',
        attempts: [attempt('w1', 1, 'retry'), attempt('w1', 2, 'failed')],
      }),
    ]);
    expect(JSON.stringify(own.body)).not.toContain('日本');
    expect(idsOf(await call('GET', '/v1/webhooks?model=churn&hook=fallback&state=pending'))).toEqual(['w2']);
  });

  it('replays one event, or all that failed', async () => {
    expect(await call('POST', '/v1/webhooks/replay', { id: 'w1' }, churnAdmin.key)).toEqual({
      status: 200,
      body: { replayed: ['w1'] },
    });
    expect(memory.attempts.at(-1)).toMatchObject({
      eventId: 'w1',
      attempt: 3,
      outcome: 'replay',
      nextAttemptAtMs: 5_000,
    });
    expect((await call('POST', '/v1/webhooks/replay', {})).body).toEqual({ replayed: ['w3'] });
  });

  it.each([
    ['replay', { id: 'w9' }, 404, 'not_found'],
    ['replay', { id: 'w3' }, 404, 'not_found'],
    ['replay', { id: 'w2' }, 400, 'invalid_request'],
    ['replay', {}, 403, 'forbidden'],
    ['replay', { hook: 'x' }, 400, 'invalid_request'],
    ['test', { model: 'other' }, 403, 'forbidden'],
    ['test', { model: 'churn', hook: 'no' }, 404, 'not_found'],
    ['pause', {}, 403, 'forbidden'],
    ['pause', { model: 'other' }, 403, 'forbidden'],
    ['resume', { url: 'http://169.254.169.254' }, 400, 'invalid_request'],
  ])('%s with %j is answered %d to a key for churn', async (path, body, status, code) => {
    const answered = await call('POST', `/v1/webhooks/${path}`, body, churnAdmin.key);
    expect(answered).toMatchObject({ status, body: { code } });
    expect(memory.holds.size).toBe(0);
    expect(requests).toEqual([]);
  });

  it.each(['replay', 'test', 'pause', 'resume'])('%s needs an admin', async (path) => {
    expect(await call('POST', `/v1/webhooks/${path}`, { model: 'churn' }, reader.key)).toMatchObject({
      status: 403,
    });
  });

  it('tests a hook past a pause, shows what was sent without secrets, and stores nothing', async () => {
    await call('POST', '/v1/webhooks/pause', { reason: 'night' });
    answer = { kind: 'answer', status: 500, retryAfter: null, body: `no ${SECRET}`, brokeOff: false };
    const { body } = await call('POST', '/v1/webhooks/test', { model: 'churn' }, churnAdmin.key);
    expect(body).toMatchObject({
      hook: 'retrain',
      request: { method: 'POST', url: 'https://hooks.example.com/x?[hidden]' },
      delivery: { ok: false, status: 500, reason: 'status 500: no [hidden]' },
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]?.headers['webhook-id']).toMatch(/^evt_test_[0-9a-f]{32}$/);
    expect(JSON.parse(requests[0]?.body ?? '')).toMatchObject({
      type: 'webhook.test',
      data: { model: 'churn' },
    });
    expect(memory.events.size).toBe(3);
    const shown = await call('POST', '/v1/webhooks/test', { model: 'churn', dryRun: true });
    expect(shown.body.delivery).toBeNull();
    expect(requests).toHaveLength(1);
    expect(JSON.stringify([body, shown.body])).not.toMatch(/canary|whsec_/);
  });

  it('pauses and resumes what it is told, and a gone endpoint within it', async () => {
    await call('POST', '/v1/webhooks/pause', { model: 'churn', reason: 'release' }, churnAdmin.key);
    await memory.store.saveHold({
      model: 'churn',
      hook: 'retrain',
      reason: 'gone',
      held: true,
      detail: '',
      atMs: 1,
    });
    await call('POST', '/v1/webhooks/pause', {});
    const released = await call('POST', '/v1/webhooks/resume', { model: 'churn' }, churnAdmin.key);
    expect(released.body.released).toHaveLength(2);
    expect(await memory.store.listHolds()).toEqual([
      { model: '', hook: '', reason: 'paused', held: true, detail: '', atMs: 5_000 },
    ]);
    expect((await call('POST', '/v1/webhooks/resume', {})).body.released).toHaveLength(1);
    expect(await memory.store.listHolds()).toEqual([]);
  });
});
