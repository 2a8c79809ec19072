import { describe, expect, test } from '@jest/globals';
import {
  distanceOfShift,
  scoresPerShift,
  shiftOfDistance,
  shiftOfScores,
} from '../../../src/stats/shift-distance.js';
import { smoothRank } from '../../../src/stats/smooth-rank.js';
import { normalSf } from '../../../src/stats/special.js';

describe('reading a statistic as a shift', () => {
  test('a small shift is its D, and the way back is the way there', () => {
    expect(shiftOfDistance(1e-4)).toBeCloseTo(1e-4, 10);
    for (const distance of [0, 0.05, 0.3, 0.9, 0.999])
      expect(distanceOfShift(shiftOfDistance(distance))).toBeCloseTo(distance, 10);
    expect(shiftOfDistance(1)).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([1, 2, 3, 4])(
    'scores of degree %i of a bell-shaped column that moved give its D back',
    (degree) => {
      // Both samples by their law, a million rows on 400 cells, the reference a hundred times larger.
      const countsOf = (mean: number, rows: number) =>
        Array.from({ length: 400 }, (_, i) => {
          const at = (edge: number) => normalSf(-6 + (edge * 18) / 400 - mean);
          return Math.round(rows * (at(i) - at(i + 1)));
        });
      const [n, m] = [10_000, 1e9];
      for (const move of [0.1, 0.5, 1, 2, 3]) {
        const { statistic } = smoothRank(countsOf(move, n), countsOf(0, m), degree);
        const information = (n * m) / (n + m);
        const distance = 1 - 2 * normalSf(move / 2);
        expect(distanceOfShift(shiftOfScores(statistic / information, degree))).toBeCloseTo(distance, 2);
      }
    },
  );

  test('grows with the scores, from nothing to the far end', () => {
    let before = -1;
    for (let length = 0; length < 26; length += 0.05) {
      const shift = shiftOfScores(length, 4);
      expect(shift).toBeGreaterThanOrEqual(before);
      before = shift;
    }
    expect(shiftOfScores(0, 4)).toBe(0);
    expect(shiftOfScores(Number.POSITIVE_INFINITY, 4)).toBeCloseTo(4.8, 9);
    expect(shiftOfScores(1e-6 * scoresPerShift(4), 4)).toBeCloseTo(1e-3, 6);
  });
});
