import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { REJECT_REASONS } from '../../src/domain/prediction.js';
import { STATUS } from '../../src/http/problem.js';

const document = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const [, answers = '', start = '', reasons = ''] = document.split('\n## ');
const codesOf = (section: string) => [...section.matchAll(/^\| `([a-z_]+)`/gm)].map(([, code]) => code);

describe('docs/errors.md', () => {
  it('has every error code once, and no other', () => {
    expect([...codesOf(answers), ...codesOf(start)].sort()).toEqual(
      [...Object.keys(STATUS), 'internal'].sort(),
    );
  });

  it('tells the right HTTP status of each', () => {
    const told = [...answers.matchAll(/^\| `([a-z_]+)` \| (\d{3})/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    const real = Object.entries({ ...STATUS, internal: 500 });
    for (const [code, status] of told) expect(real).toContainEqual([code, status]);
    // What is not told there is never seen over HTTP but as an internal error.
    const silent = real.filter(([code]) => !told.some(([name]) => name === code));
    expect(silent.map(([, status]) => status)).toEqual(silent.map(() => 500));
  });

  it('has every reason for a rejected row once, and no other', () => {
    expect(codesOf(reasons)).toEqual([...REJECT_REASONS]);
  });
});
