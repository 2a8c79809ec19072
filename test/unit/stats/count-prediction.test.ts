import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { countPValue, predictCount } from '../../../src/stats/count-prediction.js';
import { createRandom } from '../../../src/stats/random.js';

const oracle: { countPValue: [number, number, number, number][] } = JSON.parse(
  readFileSync('test/oracle/counts.json', 'utf8'),
);

/** Marsaglia and Tsang's gamma, and Poisson by multiplication or, above 500, by a rounded normal. */
function createCounts(seed: number) {
  const random = createRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const gamma = (shape: number): number => {
    if (shape < 1) return gamma(shape + 1) * (1 - random()) ** (1 / shape);
    const d = shape - 1 / 3;
    for (;;) {
      const x = normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v > 0 && Math.log(1 - random()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
    }
  };
  const poisson = (mean: number): number => {
    if (mean > 500) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    let count = -1;
    for (let left = 1; left > Math.exp(-mean); left *= 1 - random()) count += 1;
    return Math.max(0, count);
  };
  return (mean: number, dispersion: number) => poisson(mean * gamma(1 / dispersion) * dispersion);
}

describe('countPValue', () => {
  it('equals scipy’s negative binomial tails', () => {
    expect(oracle.countPValue.length).toBeGreaterThan(100);
    for (const [count, mean, dispersion, expected] of oracle.countPValue) {
      const found = countPValue(count, { mean, dispersion });
      expect([count, mean, dispersion, Math.abs(found / expected - 1) < 1e-7]).toEqual([
        count,
        mean,
        dispersion,
        true,
      ]);
    }
  });

  it('refuses a count that is none', () => {
    expect(() => countPValue(-1, { mean: 1, dispersion: 1 })).toThrow(/count is -1/);
    expect(() => countPValue(Number.NaN, { mean: 1, dispersion: 1 })).toThrow(RangeError);
  });
});

describe('predictCount', () => {
  it('takes the first group’s mean and one spread from all', () => {
    const prediction = predictCount([
      [90, 110],
      [900, 1_100, 1_000],
      [9, 11],
    ]);
    expect(prediction?.mean).toBe(100);
    // Relative spread of 0.14 in each group, a little more on the heavy side, and half of it again for the mean.
    expect(prediction?.dispersion).toBeGreaterThan(0.01);
    expect(prediction?.dispersion).toBeLessThan(0.2);
  });

  it('counts the error of the mean where nothing else varies', () => {
    const prediction = predictCount([[100, 100, 100, 100, 100]]);
    expect(prediction).toEqual({ mean: 100, dispersion: 1 / 500 });
  });

  it('says nothing without degrees of freedom, a mean, or a first group', () => {
    expect(predictCount([[5], [6], [7]])).toBeNull();
    expect(predictCount([[0, 0, 0]])).toBeNull();
    expect(predictCount([[], [5, 6, 7]])).toBeNull();
    expect(predictCount([])).toBeNull();
  });

  it.each([
    [40, 0.05, 7, 4],
    [2_000, 0.02, 7, 6],
    [6, 0.3, 7, 4],
    [800, 0.1, 1, 12],
  ])('keeps its level over mean %p and spread %p, %p groups of %p', (mean, dispersion, groups, size) => {
    const draw = createCounts(7);
    const repetitions = 2_000;
    let hits = 0;
    for (let i = 0; i < repetitions; i++) {
      const history = Array.from({ length: groups }, (_, g) =>
        Array.from({ length: size }, () => draw(mean * (1 + g / groups), dispersion)),
      );
      const prediction = predictCount(history);
      if (prediction !== null && countPValue(draw(mean, dispersion), prediction) <= 0.05) hits += 1;
    }
    // Three standard errors of 0.05 over 2,000 repetitions are 0.015.
    expect(hits / repetitions).toBeLessThan(0.065);
    expect(hits / repetitions).toBeGreaterThan(0.01);
  });
});
