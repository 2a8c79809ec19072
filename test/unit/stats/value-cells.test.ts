import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  createCellCounter,
  cutPointsOf,
  gatherGroups,
  sortedFinite,
} from '../../../src/stats/value-cells.js';

/** The definition of a numeric grid's cells, in the plainest words. */
function cellOf(cutPoints: readonly number[], value: number): number {
  const equal = cutPoints.indexOf(value);
  return equal >= 0 ? 2 * equal + 1 : 2 * cutPoints.filter((point) => point < value).length;
}

function count(cutPoints: readonly number[], quantum: number, values: readonly number[]) {
  const counter = createCellCounter(cutPoints, quantum);
  counter.add(Float64Array.from(values));
  return counter.take();
}

const anyNumber = fc.oneof(
  fc.double(),
  fc.double({ min: -10, max: 10 }),
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -0,
    5e-324,
    Number.MAX_VALUE,
  ),
);

describe('cutPointsOf', () => {
  test('takes every distinct value when they are few', () => {
    expect(cutPointsOf(sortedFinite(Float64Array.of(3, 1, 2, 2, -0, 0, Number.NaN)), 10)).toEqual([
      0, 1, 2, 3,
    ]);
  });

  test('takes order statistics, the ends included, when they are many', () => {
    const points = cutPointsOf(sortedFinite(Float64Array.from({ length: 5_001 }, (_, i) => i)), 11);
    expect(points).toEqual([0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000]);
  });

  test('has no point where there is no finite value', () => {
    expect(cutPointsOf(sortedFinite(Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY)), 10)).toEqual([]);
  });
});

describe('createCellCounter', () => {
  test('puts every value where the definition of the cells says, for any cut points', () => {
    fc.assert(
      fc.property(fc.array(anyNumber), fc.array(anyNumber), (points, values) => {
        const cutPoints = cutPointsOf(sortedFinite(Float64Array.from(points)), 1_000);
        const sums = count(cutPoints, 1, values);
        const finite = values.filter(Number.isFinite);
        const expected = new Map<number, number>();
        for (const value of finite) {
          const cell = cutPoints.length === 0 ? 0 : cellOf(cutPoints, value + 0);
          expected.set(cell, (expected.get(cell) ?? 0) + 1);
        }
        expect(new Map([...sums.cells].map((cell, i) => [cell, sums.counts[i]]))).toEqual(
          new Map([...expected].sort(([a], [b]) => a - b)),
        );
        expect(sums.finite).toBe(finite.length);
        expect(sums.missing).toBe(values.filter(Number.isNaN).length);
        expect(sums.infinite).toBe(values.length - sums.finite - sums.missing);
        expect(sums.min).toBe(finite.length === 0 ? null : Math.min(...finite) + 0);
        expect(sums.max).toBe(finite.length === 0 ? null : Math.max(...finite) + 0);
      }),
      { numRuns: 100 },
    );
  });

  test('adds up how far the values of a cell lie above its cut point, in quanta', () => {
    const { cells, counts, offsets } = count([0, 10], 0.5, [-3, 0, 1, 2.25, 10, 14]);
    expect([...cells]).toEqual([0, 1, 2, 3, 4]);
    expect([...counts]).toEqual([1, 1, 2, 1, 1]);
    expect([...offsets]).toEqual([-6, 0, 2 + 5, 0, 8]);
  });

  test('adds up parts, and starts from nothing after each taking', () => {
    const counter = createCellCounter([1, 2], 1);
    const values = Float64Array.of(1, 3, 2, 2, Number.NaN);
    counter.add(values);
    counter.add(values, 0, 2);
    expect(counter.take()).toMatchObject({ finite: 6, missing: 1, min: 1, max: 3 });
    counter.add(values, 1, 3);
    const part = counter.take();
    expect([...part.cells]).toEqual([3, 4]);
    expect([...part.counts]).toEqual([1, 1]);
    expect(counter.take()).toMatchObject({ finite: 0, missing: 0, min: null, max: null });
  });
});

describe('sortedFinite', () => {
  test('sorts, whether the values come sorted or not', () => {
    fc.assert(
      fc.property(fc.array(anyNumber), fc.boolean(), (values, before) => {
        const given = Float64Array.from(values);
        const expected = values.filter(Number.isFinite).map((value) => value + 0);
        expected.sort((a, b) => a - b);
        expect(sortedFinite(before ? given.sort() : given)).toEqual(Float64Array.from(expected));
      }),
    );
  });
});

describe('gatherGroups', () => {
  test('puts the values of each group together, in order, without those of none', () => {
    const groups = Uint32Array.of(7, 7, 2, 9, 7, 2);
    const { values, spans } = gatherGroups(Float64Array.of(1, 2, 3, 4, 5, 6), groups, 9);
    expect([...spans]).toEqual([
      [2, { start: 0, end: 2 }],
      [7, { start: 2, end: 5 }],
    ]);
    expect([...values]).toEqual([3, 6, 1, 2, 5]);
  });
});
