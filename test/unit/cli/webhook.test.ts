import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { ServiceClient } from '../../../src/cli/service-client.js';
import {
  listHooks,
  listWebhooks,
  pauseWebhooks,
  replayWebhook,
  resumeWebhooks,
  testWebhook,
} from '../../../src/cli/webhook.js';

function setUp(document: unknown, json = false) {
  const stdout = new PassThrough();
  const asked: unknown[] = [];
  const client = {
    get: async (path: string) => {
      asked.push(path);
      return document;
    },
    postJson: async (path: string, body: unknown) => {
      asked.push([path, JSON.parse(JSON.stringify(body))]);
      return document;
    },
  } as unknown as ServiceClient;
  const output = { json, stdout, stderr: new PassThrough() };
  return { client, output, asked, printed: () => String(stdout.read()) };
}

const EVENT = {
  id: 'evt_1',
  type: 'drift.detected',
  model: 'churn',
  hook: 'retrain',
  createdAtMs: 0,
  state: 'failed',
  attempts: [{ detail: 'status 410', nextAttemptAtMs: null }],
};

describe('webhook commands', () => {
  it('list asks for what is wanted and prints a line per event', async () => {
    const { client, output, asked, printed } = setUp({ events: [EVENT] });
    await listWebhooks(client, { model: 'a b', state: 'failed', limit: '5' }, output);
    expect(asked).toEqual(['/v1/webhooks?model=a+b&state=failed&limit=5']);
    expect(printed()).toMatch(/evt_1 .*churn .*retrain .*drift\.detected .*failed .*1 .*status 410\n$/);
  });

  it('list prints one document with --json', async () => {
    const { client, output, printed } = setUp({ events: [EVENT] }, true);
    await listWebhooks(client, {}, output);
    expect(JSON.parse(printed())).toEqual({ events: [EVENT] });
  });

  it('hooks shows what holds them', async () => {
    const hook = {
      model: 'churn',
      hook: 'retrain',
      preset: 'airflow3',
      target: 'https://airflow',
      on: ['retraining'],
    };
    const { client, output, printed } = setUp({ hooks: [{ ...hook, holds: [{ reason: 'gone' }] }] });
    await listHooks(client, output);
    expect(printed()).toMatch(/churn +retrain +airflow3 +https:\/\/airflow +retraining +gone\n$/);
  });

  it('replay sends an id, or the scope of what failed', async () => {
    const { client, output, asked, printed } = setUp({ replayed: ['evt_1'] });
    await replayWebhook(client, 'evt_1', {}, output);
    await replayWebhook(client, undefined, { model: 'churn' }, output);
    expect(asked).toEqual([
      ['/v1/webhooks/replay', { id: 'evt_1' }],
      ['/v1/webhooks/replay', { model: 'churn' }],
    ]);
    expect(printed()).toContain('1 to be sent again.');
  });

  it.each([
    [null, 'Not sent.'],
    [{ ok: true, status: 202 }, 'Taken: status 202.'],
  ])('test with the delivery %j says: %s', async (delivery, said) => {
    const request = { method: 'POST', url: 'https://x/y', headers: { a: 'b' }, body: '{}' };
    const { client, output, printed } = setUp({ request, delivery });
    await testWebhook(client, 'churn', { dryRun: delivery === null }, output);
    expect(printed()).toBe(`POST https://x/y\na: b\n\n{}\n\n${said}\n`);
  });

  it('test fails when the event is not taken', async () => {
    const request = { method: 'POST', url: 'https://x/y', headers: {}, body: '{}' };
    const delivery = { ok: false, status: 500, reason: 'status 500: no' };
    const { client, output, printed } = setUp({ request, delivery }, true);
    const tested = testWebhook(client, 'churn', { dryRun: false }, output);
    await expect(tested).rejects.toMatchObject({
      code: 'checks_failed',
      message: expect.stringMatching(/status 500: no$/),
    });
    expect(JSON.parse(printed())).toEqual({ request, delivery });
  });

  it('pause and resume name their scope', async () => {
    const { client, output, asked, printed } = setUp({ released: [{}] });
    await pauseWebhooks(client, { reason: 'night' }, output);
    await resumeWebhooks(client, { model: 'churn', hook: 'retrain' }, output);
    expect(asked).toEqual([
      ['/v1/webhooks/pause', { reason: 'night' }],
      ['/v1/webhooks/resume', { model: 'churn', hook: 'retrain' }],
    ]);
    expect(printed()).toMatch(/^Paused: all models\..*\nLet go: churn, hook retrain\.\n$/);
  });
});
