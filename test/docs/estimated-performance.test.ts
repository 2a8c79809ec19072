import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { NO_ESTIMATE_REASONS } from '../../src/domain/estimate.js';

const document = readFileSync(new URL('../../docs/estimated-performance.md', import.meta.url), 'utf8');

describe('docs/estimated-performance.md', () => {
  it('explains each reason for no estimate, and no other', () => {
    const explained = [...document.matchAll(/^\| `(\w+)` \|/gm)].map(([, reason]) => reason);
    expect(explained.sort()).toEqual([...NO_ESTIMATE_REASONS].sort());
  });
});
