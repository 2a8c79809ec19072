import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  fisherPValue,
  proportionPValue,
  proportionZSquared,
  shareDifferenceInterval,
} from '../../../src/stats/two-proportion.js';
import { oracle } from '../../support/oracle.js';

const share = ([hits, rows]: readonly [number, number]) => ({ hits, rows });

describe('against scipy', () => {
  test.each(oracle().proportion)('$current v. $reference: Fisher within 1e-6, z² within 1e-9', (vector) => {
    const current = share(vector.current);
    const reference = share(vector.reference);
    const fisher = fisherPValue(current, reference);
    expect(Math.abs(fisher - vector.fisher)).toBeLessThanOrEqual(1e-6 * vector.fisher);
    const z = proportionZSquared(current, reference);
    expect(Math.abs(z - vector.zSquared)).toBeLessThanOrEqual(1e-9 * vector.zSquared);
  });
});

test('tiny shares are tested exactly: one missing row of 900 against none of 25,000 is no evidence', () => {
  const p = proportionPValue({ hits: 1, rows: 900 }, { hits: 0, rows: 25_000 });
  expect(p).toBeCloseTo(900 / 25_900, 10);
});

test('no hit anywhere, or only hits, give 1', () => {
  expect(proportionPValue({ hits: 0, rows: 9 }, { hits: 0, rows: 90 })).toBe(1);
  expect(proportionPValue({ hits: 9, rows: 9 }, { hits: 90, rows: 90 })).toBe(1);
  expect(proportionZSquared({ hits: 0, rows: 9 }, { hits: 0, rows: 90 })).toBe(0);
});

test('Fisher is symmetric in the samples and in hits and misses', () => {
  const table = fc.record({
    a: fc.integer({ min: 0, max: 20 }),
    n: fc.integer({ min: 20, max: 40 }),
    b: fc.integer({ min: 0, max: 20 }),
    m: fc.integer({ min: 20, max: 90 }),
  });
  fc.assert(
    fc.property(table, ({ a, n, b, m }) => {
      const p = fisherPValue({ hits: a, rows: n }, { hits: b, rows: m });
      expect(p).toBeGreaterThan(0);
      expect(p).toBeLessThanOrEqual(1);
      expect(fisherPValue({ hits: b, rows: m }, { hits: a, rows: n })).toBeCloseTo(p, 9);
      expect(fisherPValue({ hits: n - a, rows: n }, { hits: m - b, rows: m })).toBeCloseTo(p, 9);
    }),
  );
});

test("the interval is Newcombe's: his example 56/70 − 48/80 = 0.20 (0.0524, 0.3339)", () => {
  const interval = shareDifferenceInterval({ hits: 56, rows: 70 }, { hits: 48, rows: 80 }, 1);
  expect(interval.value).toBeCloseTo(0.2, 12);
  expect(interval.low).toBeCloseTo(0.0524, 4);
  expect(interval.high).toBeCloseTo(0.3339, 4);
  const wider = shareDifferenceInterval({ hits: 56, rows: 70 }, { hits: 48, rows: 80 }, 4);
  expect(wider.low).toBeLessThan(interval.low);
  expect(wider.high).toBeGreaterThan(interval.high);
});
