import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cautiousShape, pauleMandelExcess } from '../../../src/stats/paule-mandel.js';
import { createRandom } from '../../../src/stats/random.js';
import { normals } from '../../support/judge-fixture.js';

test('normalised ratios have mean 1, and the excess does not depend on the order of pieces', () => {
  const pieces = fc.array(
    fc.record({
      ratio: fc.double({ min: 0, max: 1e4, noNaN: true }),
      information: fc.double({ min: 1, max: 1e4, noNaN: true }),
    }),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(pieces, (list) => {
      const excess = pauleMandelExcess(list);
      const mean = list.reduce((sum, p) => sum + p.ratio / (1 + excess * p.information), 0) / list.length;
      if (excess === 0) expect(mean).toBeLessThanOrEqual(1 + 1e-9);
      else expect(mean).toBeCloseTo(1, 6);
      const other = pauleMandelExcess([...list].reverse());
      expect(Math.abs(other - excess)).toBeLessThanOrEqual(1e-9 * Math.max(1, excess));
    }),
  );
});

test('recovers a planted variance component within 15 % from 2,000 pieces of unequal size', () => {
  const random = createRandom(3);
  const pieces = normals(4, 2_000).map((z) => {
    const information = 10 + 500 * random();
    return { ratio: z * z * (1 + 0.2 * information), information };
  });
  expect(Math.abs(pauleMandelExcess(pieces) - 0.2)).toBeLessThan(0.03);
});

test('the shape is below that of the truth, near it with many pieces, and at most the cap', () => {
  const squares = (count: number) => normals(5, count).map((z) => z * z);
  expect(cautiousShape(squares(4_000), 99)).toBeGreaterThan(0.8);
  expect(cautiousShape(squares(4_000), 99)).toBeLessThan(1.1);
  expect(cautiousShape(squares(4_000), 0.5)).toBe(0.5);
  expect(cautiousShape([1, 1, 1], 4)).toBe(4);
  expect(cautiousShape([...new Array<number>(27).fill(0), 28], 4)).toBe(0.1);
});

test('no piece, or one, is a bug', () => {
  expect(() => pauleMandelExcess([])).toThrow(/no piece/);
  expect(() => cautiousShape([1], 4)).toThrow(/1 piece/);
});
