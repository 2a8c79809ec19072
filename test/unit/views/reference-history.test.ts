import { describe, expect, test } from '@jest/globals';
import type { ReferenceChange, ReferenceSummary } from '../../../src/domain/reference.js';
import { DAY_MS } from '../../../src/domain/window.js';
import { referenceHistory } from '../../../src/views/reference-history.js';

const KEY = { model: 'churn', modelVersion: '3' };
const reference = (hash: string, current: boolean): ReferenceSummary => ({
  ...KEY,
  hash,
  rows: 24_951,
  period: { startMs: Date.UTC(2013, 1, 1), endMs: Date.UTC(2013, 1, 1) + 28 * DAY_MS },
  provenance: 'a file',
  createdAtMs: 0,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
  current,
});
const change = (hash: string, overrides: Partial<ReferenceChange> = {}): ReferenceChange => ({
  ...KEY,
  kind: 'registered',
  hash,
  previousHash: null,
  atMs: Date.UTC(2013, 4, 2),
  by: 'local',
  reason: '',
  ...overrides,
});
const HASH = `${'a'.repeat(12)}${'b'.repeat(52)}`;

describe('the history of references', () => {
  test('is left out while there is only the first', () => {
    expect(String(referenceHistory([reference(HASH, true)], [change(HASH)]))).toBe('');
    expect(String(referenceHistory([], []))).toBe('');
  });

  test('says what changed, when, by whom and why, and takes no markup from words', () => {
    const changes = [
      change(HASH, { kind: 'rebaselined', by: 'a1b2c3d4', reason: '<b>new prices</b>' }),
      change('c'.repeat(64)),
    ];
    const text = String(referenceHistory([reference(HASH, true)], changes));
    expect(text).toContain('rebaselined');
    expect(text).toContain(`<span title="${HASH}">aaaaaaaaaaaa</span>`);
    expect(text).toContain('24,951');
    expect(text).toContain('a1b2c3d4');
    expect(text).toContain('&lt;b&gt;new prices&lt;/b&gt;');
    expect(text).not.toContain('<b>');
    expect(text.match(/<tr>/g)).toHaveLength(3);
  });
});
