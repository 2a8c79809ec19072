import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { benjaminiHochberg, holm, taroneFamilySize } from '../../../src/stats/holm.js';
import { oracle } from '../../support/oracle.js';

const vectors = oracle().multiple;
const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

test('Holm and Benjamini–Hochberg equal statsmodels within 1e-14', () => {
  holm(vectors.pValues).forEach((p, i) => {
    expect(p).toBeCloseTo(vectors.holm[i] ?? -1, 14);
  });
  benjaminiHochberg(vectors.pValues).forEach((p, i) => {
    expect(p).toBeCloseTo(vectors.benjaminiHochberg[i] ?? -1, 14);
  });
});

test('adjusted p-values keep the order, never shrink and never pass 1', () => {
  fc.assert(
    fc.property(pValues, (ps) => {
      for (const adjust of [holm, benjaminiHochberg]) {
        const adjusted = adjust(ps);
        expect(adjusted).toHaveLength(ps.length);
        ps.forEach((p, i) => {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p * (1 - 1e-12));
          expect(adjusted[i]).toBeLessThanOrEqual(1);
          ps.forEach((q, j) => {
            if (p < q) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] ?? 0);
          });
        });
      }
    }),
  );
});

test('Holm is blind to order', () => {
  const reversed = [...vectors.pValues].reverse();
  expect(holm(reversed).reverse()).toEqual(holm(vectors.pValues));
});

test('Tarone counts only tests that could reach their share', () => {
  expect(taroneFamilySize([0, 0, 0.9, 0.9], 0.05)).toBe(2);
  expect(taroneFamilySize([0, 0.02, 0.9], 0.05)).toBe(2);
  expect(taroneFamilySize([0, 0.03, 0.9], 0.05)).toBe(2);
  expect(taroneFamilySize([0.04, 0.9], 0.05)).toBe(1);
  expect(taroneFamilySize([0, 0, 0], 0.05)).toBe(3);
  expect(taroneFamilySize([], 0.05)).toBe(1);
});

test("Tarone's family is the least that is large enough", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 1e-4, 0.004, 0.01, 0.02, 0.04, 0.9), { maxLength: 40 }), (ps) => {
      const size = taroneFamilySize(ps, 0.05);
      const could = (k: number) => ps.filter((p) => p <= 0.05 / k).length;
      expect(could(size)).toBeLessThanOrEqual(size);
      for (let k = 1; k < size; k++) expect(could(k)).toBeGreaterThan(k);
    }),
  );
});

test('a p-value outside [0, 1] is a bug', () => {
  expect(() => holm([0.1, Number.NaN])).toThrow(/NaN/);
  expect(() => benjaminiHochberg([1.5])).toThrow(/1.5/);
});
