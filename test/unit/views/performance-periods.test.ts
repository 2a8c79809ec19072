import { describe, expect, it } from '@jest/globals';
import type { PerformancePeriod } from '../../../src/domain/performance-figures.js';
import { besideEachOther } from '../../../src/views/performance-periods.js';
import { estimateOf } from '../../support/performance-rows.js';

const period = (startMs: number, endMs: number): PerformancePeriod => ({
  window: { startMs, endMs },
  predictions: 10,
  labelled: 10,
  maturity: 1,
  usualMaturity: null,
  status: 'decided',
  reason: null,
  figures: {},
  confusion: [],
  classes: [],
});
const pairs = (
  periods: readonly (readonly [number, number])[],
  estimates: readonly (readonly [number, number])[],
) =>
  besideEachOther(
    periods.map(([start, end]) => period(start, end)),
    estimates.map(([startMs, endMs]) => estimateOf({ startMs, endMs })),
  ).map(({ window, realised, estimate }) => [
    window.startMs,
    realised?.window.endMs ?? null,
    estimate?.window.endMs ?? null,
  ]);

describe('realised and estimated stretches beside each other', () => {
  it('belong together where they overlap, also when one is cut', () => {
    expect(
      pairs(
        [
          [0, 10],
          [10, 20],
        ],
        [
          [3, 10],
          [10, 14],
        ],
      ),
    ).toEqual([
      [0, 10, 10],
      [10, 20, 14],
    ]);
  });

  it('stand alone where the other is missing: before, between and after', () => {
    expect(
      pairs(
        [
          [10, 20],
          [30, 40],
        ],
        [
          [0, 10],
          [20, 30],
          [30, 40],
          [40, 50],
        ],
      ),
    ).toEqual([
      [0, null, 10],
      [10, 20, null],
      [20, null, 30],
      [30, 40, 40],
      [40, null, 50],
    ]);
  });

  it('is empty where neither is', () => {
    expect(pairs([], [])).toEqual([]);
  });
});
