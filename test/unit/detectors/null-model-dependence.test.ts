import { describe, expect, test } from '@jest/globals';
import { movingColumns } from '../../../src/domain/reference.js';
import { concat, learn, model, PIECES, ROWS, spreadOf } from '../../support/day-pieces.js';
import { type Columns, draws, find, judge, normals } from '../../support/judge-fixture.js';

describe('a reference whose days are not independent', () => {
  /** Days whose numeric and categorical columns follow the given states. */
  const daysOf = (states: readonly number[]): Columns[] =>
    states.map((state, day) => ({
      x: normals(3_000 + day, ROWS, state),
      plan: draws(4_000 + day, ROWS, { a: 5 * Math.exp(state / 2), b: 3, c: 1 }),
      prediction: normals(5_000 + day, ROWS),
    }));
  const independent = normals(11, PIECES, 0, 0.4);

  test('tells a trend apart: which columns move, by how much, and those that do not', () => {
    const nullModel = learn(daysOf(independent.map((state, day) => state + (2 * day) / (PIECES - 1) - 1)));
    // From one standard deviation below to one above, beside days of 0.4: D between the ends is 2Φ(1) − 1 = 0.68 at most.
    const { trend, autocorrelation } = spreadOf(nullModel, 'x', 'neyman');
    expect(trend?.change).toBeGreaterThan(0.5);
    expect(trend?.change).toBeLessThan(0.8);
    expect(trend?.pValue).toBeLessThan(1e-4);
    expect(autocorrelation).toBeGreaterThan(0.4);
    expect(movingColumns(nullModel)).toEqual(['x', 'plan']);
    expect(spreadOf(nullModel, 'prediction', 'neyman').trend).toMatchObject({ material: false });
    expect(spreadOf(nullModel, 'x', 'ks').trend).toBeUndefined();
    expect(movingColumns(learn(daysOf(independent)))).toEqual([]);
  });

  test('tells a trend of missing values in their share', () => {
    const list = daysOf(independent).map((day, i) => ({
      ...day,
      x: (day.x ?? []).map((v, row) => (row < i ? null : v)),
    }));
    expect(spreadOf(learn(list), 'x', 'missing').trend).toMatchObject({ material: true, pValue: 0 });
    // From none to 29 of 200.
    expect(spreadOf(learn(list), 'x', 'missing').trend?.change).toBeCloseTo(29 / 200, 9);
  });

  test('counts days that last for fewer, and expects more of a new one', () => {
    const sorted = [...independent].sort((a, b) => a - b);
    // The same days in another order: as they lie, and slowly going up and down again.
    const wave = [...sorted.filter((_, i) => i % 2 === 0), ...sorted.filter((_, i) => i % 2 === 1).reverse()];
    const [lying, lasting] = [independent, wave].map((states) => spreadOf(learn(daysOf(states)), 'x', 'ks'));
    if (lying === undefined || lasting === undefined) throw new RangeError('two spreads expected');
    expect(lying.autocorrelation).toBeLessThan(0.3);
    expect(lying.effectivePieces).toBeGreaterThan(0.8 * PIECES);
    expect(lasting.autocorrelation).toBeGreaterThan(0.8);
    expect(lasting.effectivePieces).toBeLessThan(0.4 * PIECES);
    expect(lasting.excess / lying.excess).toBeGreaterThan(1.5);
  });

  test('and says so in the verdict', () => {
    const list = daysOf(independent);
    const nullModel = learn(list);
    const { verdicts } = judge(model, concat(list), list[0] ?? {}, { nullModel });
    const spread = spreadOf(nullModel, 'x', 'neyman');
    expect(spread.trend).toBeDefined();
    expect(find(verdicts, 'x', 'neyman').parameters).toMatchObject({
      effectivePieces: spread.effectivePieces,
      autocorrelation: spread.autocorrelation,
      referenceTrend: spread.trend?.change,
      referenceTrendPValue: spread.trend?.pValue,
    });
  });
});
