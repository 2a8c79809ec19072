import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAddressGuard } from '../../src/alerts/address-guard.js';
import { createGuardedRequest } from '../../src/alerts/guarded-request.js';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.js';

let receiver: WebhookReceiver;
beforeEach(async () => {
  receiver = await startWebhookReceiver(`whsec_${Buffer.alloc(32, 5).toString('base64')}`);
});
afterEach(() => receiver.close());

const post = (url: string, guard: Parameters<typeof createAddressGuard>[0], timeoutMs = 60_000) =>
  createGuardedRequest(createAddressGuard(guard))({
    method: 'POST',
    url: new URL(url),
    headers: {},
    body: '{}',
    timeoutMs,
  });
const portOf = (url: string) => new URL(url).port;

describe('where requests go', () => {
  it('nowhere that is not allowed', async () => {
    expect(await post(receiver.url, { allow: [] })).toMatchObject({ kind: 'refused' });
    expect(receiver.requests).toEqual([]);
  });

  it('not after a redirect to the metadata address', async () => {
    receiver.answerNext({ status: 307, headers: { location: 'http://169.254.169.254/latest/meta-data/' } });
    const outcome = await post(receiver.url, { allow: ['127.0.0.1'] });
    expect(outcome).toMatchObject({ kind: 'answer', status: 307, body: '' });
    expect(receiver.requests).toHaveLength(1);
  });

  it('to the address that was checked, when the name server changes its answer', async () => {
    let asked = 0;
    const rebinding = async () => [{ address: asked++ === 0 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
    const url = `http://rebind.test:${portOf(receiver.url)}/`;
    const guard = { allow: ['127.0.0.1/32'], resolve: rebinding };
    expect(await post(url, guard)).toMatchObject({ kind: 'answer', status: 204 });
    expect(asked).toBe(1);
    expect(receiver.requests[0]?.headers.host).toBe(`rebind.test:${portOf(receiver.url)}`);
  });

  it('nowhere, when a public name turns into a private one', async () => {
    let asked = 0;
    const rebinding = async () => [{ address: asked++ === 0 ? '93.184.215.14' : '127.0.0.1', family: 4 }];
    const guard = createAddressGuard({ allow: ['192.0.2.0/24'], resolve: rebinding });
    expect((await guard.decide(new URL('https://rebind.test/'))).ok).toBe(true);
    const send = createGuardedRequest(guard);
    const url = new URL(`https://rebind.test:${portOf(receiver.url)}/`);
    const second = await send({ method: 'POST', url, headers: {}, body: '', timeoutMs: 60_000 });
    expect(second).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/loopback/) });
    expect(receiver.requests).toEqual([]);
  });

  it('gives up on a name server that does not answer', async () => {
    const silent = () => new Promise<never>(() => undefined);
    expect(await post('https://slow.test/', { allow: [], resolve: silent }, 50)).toEqual({
      kind: 'noAnswer',
      reason: 'no answer within 50 ms',
    });
  });

  it('names a failed look-up by its code', async () => {
    const failing = () =>
      Promise.reject(Object.assign(new Error('getaddrinfo 10.9.9.9'), { code: 'ENOTFOUND' }));
    expect(await post('https://gone.test/', { allow: [], resolve: failing })).toEqual({
      kind: 'noAnswer',
      reason: 'no answer: ENOTFOUND',
    });
  });
});
