import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { parseSecrets, signedHeaders } from '../../../src/alerts/signature.js';

const raw = Buffer.alloc(32, 7).toString('base64');

describe('signature', () => {
  it.each(['{}', '{"type":"drift.detected","note":"Größe ≥ 0,1"}', ''])(
    'equals the reference implementation on %j',
    (body) => {
      const seconds = 1_784_000_000;
      const ours = signedHeaders(parseSecrets(`whsec_${raw}`), 'evt_1', seconds, body);
      const theirs = new Webhook(`whsec_${raw}`).sign('evt_1', new Date(seconds * 1_000), body);
      expect(ours['webhook-signature']).toBe(theirs);
    },
  );

  it('signs once per secret during a rotation', () => {
    const other = Buffer.alloc(24, 9).toString('base64');
    const headers = signedHeaders(parseSecrets(`whsec_${raw} ${other}`), 'evt_1', 1, '{}');
    expect(headers['webhook-signature'].split(' ')).toEqual(
      [raw, other].map((secret) => new Webhook(secret).sign('evt_1', new Date(1_000), '{}')),
    );
  });

  it.each(['', '  ', 'hunter2', 'whsec_', 'not base64 at all!', Buffer.alloc(23).toString('base64')])(
    'refuses %j without repeating it',
    (secret) => {
      expect(() => parseSecrets(secret)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
      if (secret.trim() !== '' && secret !== 'whsec_')
        expect(() => parseSecrets(secret)).not.toThrow(new RegExp(secret));
    },
  );
});
