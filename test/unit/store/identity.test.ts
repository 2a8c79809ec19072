import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { rowIdentity, safeToken } from '../../../src/store/identity.js';

const row = { model: 'churn', modelVersion: '3', predictionId: 'r1', rowIndex: 0 };

describe('rowIdentity', () => {
  test('is the first eight bytes of the hash as unsigned decimal text', () => {
    const hex = createHash('sha1').update('churn\x003\x00r1\x000').digest('hex').slice(0, 16);
    expect(rowIdentity(row)).toBe(BigInt(`0x${hex}`).toString());
  });

  test('tells apart names whose parts meet elsewhere', () => {
    expect(rowIdentity({ ...row, model: 'churn3', modelVersion: '' })).not.toBe(
      rowIdentity({ ...row, model: 'churn', modelVersion: '3' }),
    );
    expect(rowIdentity({ ...row, rowIndex: 1 })).not.toBe(rowIdentity(row));
  });
});

describe('safeToken', () => {
  test('keeps plain tokens and hashes the others', () => {
    expect(safeToken('kafka/topic-1/0/17-230/p')).toBe('kafka/topic-1/0/17-230/p');
    expect(safeToken("it's; \\' DROP")).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(safeToken('x'.repeat(201))).toMatch(/^sha256:/);
    expect(safeToken('ä')).not.toBe(safeToken('ö'));
  });

  test('refuses an empty one, which the engine would read as none', () => {
    expect(() => safeToken('')).toThrow(RangeError);
  });
});
