import { describe, expect, test } from '@jest/globals';
import { balancedCramersV, chiSquareStatistic } from '../../../src/stats/chi-square.js';
import { chiSquareSf } from '../../../src/stats/special.js';
import { oracle } from '../../support/oracle.js';

describe('against scipy', () => {
  test.each(oracle().chiSquare)('$name: X², p and V within 1e-10', (vector) => {
    const { statistic, df } = chiSquareStatistic(vector);
    expect(df).toBe(vector.df);
    expect(Math.abs(statistic - vector.statistic)).toBeLessThanOrEqual(1e-10 * vector.statistic);
    expect(Math.abs(chiSquareSf(statistic, df) - vector.pValue)).toBeLessThanOrEqual(1e-9 * vector.pValue);
    expect(balancedCramersV(vector)).toBeCloseTo(vector.v, 10);
  });
});

test('V does not shrink with the reference, and is 1 for disjoint categories', () => {
  const current = [60, 40];
  const small = balancedCramersV({ reference: [50, 50], current });
  expect(balancedCramersV({ reference: [50_000, 50_000], current })).toBeCloseTo(small, 12);
  expect(balancedCramersV({ reference: [0, 10], current: [10, 0] })).toBe(1);
});
