import { describe, expect, test } from '@jest/globals';
import { chiSquareSf, fSf, kolmogorovSf, normalHalfWidth, normalSf } from '../../../src/stats/special.js';
import { oracle } from '../../support/oracle.js';
import { sharesOracle } from '../../support/shares-oracle.js';

const vectors = oracle().special;

/** Relative difference, so that a tail of 1e-250 must be right too. */
const expectRelative = (got: number, want: number, tolerance: number, about: unknown): void => {
  const error = want === 0 ? Math.abs(got) : Math.abs(got - want) / want;
  expect({ about, got, want, ok: error <= tolerance }).toEqual({ about, got, want, ok: true });
};

describe('upper tails against scipy', () => {
  test('χ², within 1e-10', () => {
    expect(vectors.chiSquare.length).toBeGreaterThan(40);
    expect(Math.min(...vectors.chiSquare.map((row) => row[2]))).toBeLessThan(1e-200);
    for (const [x, df, want] of vectors.chiSquare) expectRelative(chiSquareSf(x, df), want, 1e-10, [x, df]);
  });

  test('F with whole and broken degrees of freedom, within 1e-10', () => {
    expect(vectors.f.length).toBeGreaterThan(40);
    for (const [x, d1, d2, want] of vectors.f) expectRelative(fSf(x, d1, d2), want, 1e-10, [x, d1, d2]);
  });

  test('normal, within 1e-12', () => {
    for (const [z, want] of vectors.normal) expectRelative(normalSf(z), want, 1e-12, z);
  });

  test('normal half width, within 1e-13', () => {
    for (const [p, want] of vectors.normalHalfWidth) expectRelative(normalHalfWidth(p), want, 1e-13, p);
  });

  test('Kolmogorov, within 1e-12', () => {
    for (const [x, want] of vectors.kolmogorov) expectRelative(kolmogorovSf(x), want, 1e-12, x);
  });
});

test('the ends of the range', () => {
  expect([chiSquareSf(0, 3), chiSquareSf(Number.POSITIVE_INFINITY, 3)]).toEqual([1, 0]);
  expect([fSf(0, 3, 9), fSf(Number.POSITIVE_INFINITY, 3, 9)]).toEqual([1, 0]);
  expect([kolmogorovSf(0), kolmogorovSf(100)]).toEqual([1, 0]);
  expect(normalHalfWidth(1)).toBe(Number.POSITIVE_INFINITY);
});

test('NaN and impossible degrees of freedom are bugs, never a p-value', () => {
  expect(() => chiSquareSf(Number.NaN, 3)).toThrow(RangeError);
  expect(() => chiSquareSf(1, 0)).toThrow(/df is 0/);
  expect(() => fSf(1, 2, Number.NaN)).toThrow(/df2 is NaN/);
  expect(() => kolmogorovSf(Number.NaN)).toThrow(RangeError);
  expect(() => normalSf(Number.NaN)).toThrow(RangeError);
  expect(() => normalHalfWidth(1.1)).toThrow(/1.1/);
});

test('χ² with thousands of degrees of freedom is scipy within 1e-9', () => {
  for (const [x, df, p] of sharesOracle().largeChiSquare)
    expect([x, df, Math.abs(chiSquareSf(x, df) - p) <= 1e-9 * p]).toEqual([x, df, true]);
});
