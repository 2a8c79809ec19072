import { describe, expect, test } from '@jest/globals';
import {
  effectivePieces,
  effectivePiecesOfSpread,
  linearTrend,
  persistence,
  persistenceInflation,
} from '../../../src/stats/piece-series.js';
import { normals } from '../../support/judge-fixture.js';

/** A chain of states, each ρ times the last and something new. */
function chain(seed: number, count: number, rho: number): number[][] {
  const draws = normals(seed, count);
  let state = draws[0] ?? 0;
  return draws.map((draw, i) => {
    state = i === 0 ? draw : rho * state + Math.sqrt(1 - rho ** 2) * draw;
    return [state];
  });
}

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

describe('persistence', () => {
  test.each([0.3, 0.6, 0.9])('finds an autocorrelation of %f in long series', (rho) => {
    const found = persistence({ points: chain(5, 4_000, rho), noise: 0 }).autocorrelation;
    expect(found).toBeGreaterThan(rho - 0.04);
    expect(found).toBeLessThan(rho + 0.04);
  });

  test('sees the states through the chance of rows', () => {
    const states = chain(7, 4_000, 0.8);
    const rows = normals(8, 4_000);
    const points = states.map(([state = 0], i) => [state + (rows[i] ?? 0)]);
    const { autocorrelation, seen } = persistence({ points, noise: 1 });
    expect(autocorrelation).toBeGreaterThan(0.74);
    expect(autocorrelation).toBeLessThan(0.86);
    expect(seen).toBeGreaterThan(0.35);
    expect(seen).toBeLessThan(0.45);
  });

  test('is 0 where pieces differ by chance of rows alone, or are too few', () => {
    const points = normals(9, 30).map((value) => [value]);
    expect(persistence({ points, noise: 2 })).toEqual({ autocorrelation: 0, seen: 0 });
    expect(persistence({ points: [[1], [2]], noise: 0 })).toEqual({ autocorrelation: 0, seen: 0 });
    expect(persistence({ points: [[1], [1], [1]], noise: 0 })).toEqual({ autocorrelation: 0, seen: 0 });
  });

  test('is on average right in short series of few pieces, where the plain estimate is far too low', () => {
    // Without its floor of 0 the mean would be 0.6; the plain estimate of 14 pieces is 0.40.
    const found = Array.from(
      { length: 400 },
      (_, i) => persistence({ points: chain(100 + i, 14, 0.6), noise: 0 }).autocorrelation,
    );
    expect(mean(found)).toBeGreaterThan(0.5);
    expect(mean(found)).toBeLessThan(0.66);
  });
});

describe('effective pieces', () => {
  test.each([
    [14, 0.3],
    [28, 0.6],
    [60, 0.9],
  ])('%i pieces with ρ = %f are worth what their correlation matrix says', (pieces, rho) => {
    const sum = (power: number) => {
      let all = 0;
      for (let i = 0; i < pieces; i++)
        for (let j = 0; j < pieces; j++) all += rho ** (power * Math.abs(i - j));
      return all;
    };
    expect(effectivePieces(pieces, rho)).toBeCloseTo(pieces ** 2 / sum(1), 9);
    expect(effectivePiecesOfSpread(pieces, { autocorrelation: rho, seen: rho })).toBeCloseTo(
      pieces ** 2 / sum(2),
      9,
    );
  });

  test('are all of them when they are independent, and at least a little more than one', () => {
    expect(effectivePieces(28, 0)).toBe(28);
    expect(effectivePiecesOfSpread(28, { autocorrelation: 0, seen: 0 })).toBe(28);
    expect(persistenceInflation(28, 0)).toBe(1);
    expect(effectivePieces(10, 0.95)).toBe(1.5);
  });

  test('the inflation is what a new piece differs more by, in simulated chains', () => {
    const pieces = 20;
    const rho = 0.7;
    let inside = 0;
    let fresh = 0;
    for (let trial = 0; trial < 3_000; trial++) {
      const series = chain(20_000 + trial, pieces, rho).map(([state = 0]) => state);
      const whole = mean(series);
      const [later = 0] = normals(90_000 + trial, 1);
      fresh += (later - whole) ** 2;
      for (const state of series) inside += (state - (whole * pieces - state) / (pieces - 1)) ** 2 / pieces;
    }
    const measured = fresh / inside;
    // Both means are right within 3 %.
    expect(measured / persistenceInflation(pieces, rho)).toBeGreaterThan(0.9);
    expect(measured / persistenceInflation(pieces, rho)).toBeLessThan(1.1);
    expect(measured).toBeGreaterThan(1.3);
  });
});

describe('linearTrend', () => {
  const points = [0.31, 0.42, 0.35, 0.51, 0.44, 0.6, 0.48, 0.55, 0.71, 0.58].map((value) => [value]);

  test("without persistence is scipy's linregress", () => {
    // With so much noise of rows there is no state that could last.
    const trend = linearTrend({ points, noise: 1 });
    expect(trend?.pValue).toBeCloseTo(0.002445661921901664, 12);
    expect(trend?.start[0]).toBeCloseTo(0.34418181818181814, 12);
    expect(trend?.end[0]).toBeCloseTo(0.6458181818181818, 12);
  });

  test('does not depend on how the components are turned', () => {
    const flat = linearTrend({ points: points.map(([v = 0]) => [v, 0, 1]), noise: 1 });
    const turned = linearTrend({ points: points.map(([v = 0]) => [0.6 * v, 0.8 * v]), noise: 1 });
    expect(flat?.pValue).toBeCloseTo(0.002445661921901664, 12);
    expect(turned?.pValue).toBeCloseTo(0.002445661921901664, 12);
  });

  test('a perfect line is certain, a constant is none, three points say nothing', () => {
    expect(linearTrend({ points: [[1], [2], [3], [4]], noise: 0 })?.pValue).toBe(0);
    expect(linearTrend({ points: [[1], [1], [1], [1]], noise: 0 })?.pValue).toBe(1);
    expect(linearTrend({ points: [[1], [2], [3]], noise: 0 })).toBeNull();
  });

  test.each([
    [0, 0.08],
    [0.6, 0.13],
  ])('chains with ρ = %f and no trend seldom show one at 5 %%', (rho, most) => {
    const trials = 500;
    const found = Array.from({ length: trials }, (_, i) =>
      linearTrend({ points: chain(40_000 + i, 28, rho), noise: 0 }),
    ).filter((trend) => (trend?.pValue ?? 1) <= 0.05).length;
    expect(found / trials).toBeLessThanOrEqual(most);
  });
});
