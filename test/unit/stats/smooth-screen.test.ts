import { describe, expect, test } from '@jest/globals';
import { createNormal } from '../../../src/stats/normal-draws.js';
import { createRandom } from '../../../src/stats/random.js';
import { smoothPValue, smoothRank } from '../../../src/stats/smooth-rank.js';
import { createSmoothScreen } from '../../../src/stats/smooth-screen.js';
import { chiSquareSf } from '../../../src/stats/special.js';

const CELLS = 401;
const random = createRandom(5);
const normal = createNormal(random);
const clamp = (cell: number) => Math.min(CELLS - 1, Math.max(0, Math.round(cell)));

/** Shapes of columns, by the cell that a row falls into. */
const SHAPES = {
  bell: () => clamp(200 + 60 * normal()),
  skewed: () => clamp(30 * Math.exp(0.6 * normal())),
  ties: () => 2 * Math.floor(-4 * Math.log(1 - random())) + 1,
  zeros: () => (random() < 0.6 ? 1 : clamp(3 + 390 * random())),
};

function countsOf(draw: () => number, rows: number, move = 0): number[] {
  const counts = new Array<number>(CELLS).fill(0);
  for (let row = 0; row < rows; row++) {
    const cell = clamp(draw() + move);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  return counts;
}

describe.each(Object.entries(SHAPES))('windows of a column: %s', (_name, draw) => {
  const reference = countsOf(draw, 20_000);
  const glanceAt = createSmoothScreen(reference, 4);

  test.each([60, 200, 1_000, 4_000])('of %d rows have nearly the p-value of the test itself', (rows) => {
    for (let repetition = 0; repetition < 25; repetition++) {
      const current = countsOf(draw, rows, repetition % 5 === 0 ? 2 : 0);
      const glance = glanceAt(current);
      if (glance === null) continue;
      const exact = smoothRank(current, reference, 4);
      expect([glance.scores, glance.currentRows, glance.referenceRows]).toEqual([exact.scores, rows, 20_000]);
      const pValue = smoothPValue(exact.statistic, exact);
      const near = chiSquareSf(glance.statistic, glance.scores);
      // What is passed over at a level is above it by the test itself.
      for (const level of [0.3, 0.1, 0.05, 0.01, 0.001])
        if (near > 2 * level) expect(pValue).toBeGreaterThan(level);
      if (near > 0.01) expect(Math.abs(glance.statistic / exact.statistic - 1)).toBeLessThan(0.1);
    }
  });

  test('are mostly looked at', () => {
    for (const rows of [200, 4_000]) expect(glanceAt(countsOf(draw, rows))).not.toBeNull();
  });
});

test('what reference ranks cannot tell is left to the test', () => {
  const reference = countsOf(SHAPES.bell, 2_000);
  const glanceAt = createSmoothScreen(reference, 4);
  expect(glanceAt(countsOf(SHAPES.bell, 20))).toBeNull();
  expect(glanceAt(countsOf(SHAPES.bell, 1_000))).toBeNull();
  expect(glanceAt(countsOf(SHAPES.bell, 200))).not.toBeNull();
  const flag = countsOf(() => (random() < 0.3 ? 1 : 3), 2_000);
  expect(createSmoothScreen(flag, 4)(countsOf(() => (random() < 0.3 ? 1 : 3), 200))).toBeNull();
  expect(createSmoothScreen(new Array<number>(CELLS).fill(0), 4)(reference)).toBeNull();
  // Nearly all rows on one value: too few others to know the spread of the scores by.
  const rare = () => (random() < 0.995 ? 1 : clamp(400 * random()));
  expect(createSmoothScreen(countsOf(rare, 2_000), 4)(countsOf(rare, 60))).toBeNull();
});
