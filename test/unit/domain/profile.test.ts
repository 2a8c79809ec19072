import { describe, expect, it } from '@jest/globals';
import { quantumFor } from '../../../src/domain/profile.js';

describe('quantumFor', () => {
  it.each([
    ['a range of one', 0, 1],
    ['a wide range', -1e9, 1e9],
    ['a narrow range far out', 1e6, 1e6 + 1e-3],
    ['all floats', -Number.MAX_VALUE, Number.MAX_VALUE],
    ['the least float', 0, Number.MIN_VALUE],
    ['a constant', 42, 42],
    ['a negative constant', -0.001, -0.001],
    ['zero throughout', 0, 0],
  ])(
    'is a power of two of which %s holds at most 2^26, at least 2^25 where floats allow',
    (_, least, greatest) => {
      const quantum = quantumFor(least, greatest);
      expect(quantum).toBeGreaterThan(0);
      expect(Number.isInteger(Math.log2(quantum))).toBe(true);
      const width = Math.min(greatest - least, Number.MAX_VALUE) || Math.abs(least) || 1_024;
      expect(width / quantum).toBeLessThanOrEqual(2 ** 26);
      if (width > 2 ** -970) expect(width / quantum).toBeGreaterThan(2 ** 25 - 1);
    },
  );
});
