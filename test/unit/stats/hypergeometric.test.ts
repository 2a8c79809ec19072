import { expect, test } from '@jest/globals';
import { hypergeometricPmf } from '../../../src/stats/hypergeometric.js';
import { numericOracle } from '../../support/numeric-oracle.js';

test('equals scipy within 1e-8 of each chance, up to ten million rows', () => {
  for (const { all, marked, draws, pmf } of numericOracle().hypergeometric) {
    const chances = hypergeometricPmf(all, marked, draws);
    expect(chances).toHaveLength(pmf.length);
    for (const [x, expected] of pmf.entries())
      if (expected > 1e-290)
        expect(Math.abs((chances[x] ?? 0) - expected)).toBeLessThanOrEqual(1e-8 * expected);
    expect(chances.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 8);
  }
});

test('more marked or drawn than rows is a bug', () => {
  expect(() => hypergeometricPmf(10, 11, 5)).toThrow(/11 marked and 5 drawn of 10 rows/);
});
