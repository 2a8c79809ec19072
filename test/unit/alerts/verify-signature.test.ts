import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { verifySignature } from '../../../src/alerts/verify-signature.js';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const nowMs = 1_784_000_000_000;
const body = '{"type":"drift.detected"}';
const headers = {
  'webhook-id': 'evt_1',
  'webhook-timestamp': String(nowMs / 1_000),
  'webhook-signature': new Webhook(secret).sign('evt_1', new Date(nowMs), body),
};

describe('verifySignature', () => {
  it('accepts what the reference implementation signs, also beside another signature', () => {
    expect(verifySignature({ secret, headers, body, nowMs })).toEqual({ ok: true });
    const rotated = { ...headers, 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` };
    expect(verifySignature({ secret, headers: rotated, body, nowMs })).toEqual({ ok: true });
  });

  it.each([
    ['another body', { body: `${body} ` }, 'no signature matches the body'],
    [
      'another secret',
      { secret: `whsec_${Buffer.alloc(32, 8).toString('base64')}` },
      'no signature matches the body',
    ],
    ['another id', { headers: { ...headers, 'webhook-id': 'evt_2' } }, 'no signature matches the body'],
    [
      'no signature',
      { headers: { ...headers, 'webhook-signature': undefined } },
      'a webhook header is missing',
    ],
    [
      'a timestamp that is none',
      { headers: { ...headers, 'webhook-timestamp': '1e9' } },
      'the timestamp is not a whole number of seconds',
    ],
    ['an old attempt', { nowMs: nowMs + 300_001 }, 'the timestamp is too far from now'],
    ['an attempt from the future', { nowMs: nowMs - 300_001 }, 'the timestamp is too far from now'],
  ])('refuses %s', (_name, overrides, reason) => {
    expect(verifySignature({ secret, headers, body, nowMs, ...overrides })).toEqual({ ok: false, reason });
  });
});
