import { describe, expect, test } from '@jest/globals';
import { COLUMNS } from '../../../bench/calibration/columns.js';
import { createCounter, drawColumn, gridOf, UNTOUCHED } from '../../../bench/calibration/counting.js';
import { SCENARIOS } from '../../../bench/calibration/scenarios.js';
import { mostFalse, summarise } from '../../../bench/calibration/summary.js';
import { runTrial, type WindowResult } from '../../../bench/calibration/trial.js';
import { createRandom } from '../../../src/stats/random.js';
import { gridOf as plainGridOf, profileOf } from '../../support/count-profiles.js';

describe('the calibration benchmark', () => {
  test('has the columns that the issue names', () => {
    const sizes = new Map<string, number>();
    for (const { family } of COLUMNS) sizes.set(family, (sizes.get(family) ?? 0) + 1);
    expect(COLUMNS).toHaveLength(25);
    expect([...sizes.keys()]).toEqual([
      'normal',
      'lognormal',
      'counts',
      'zero-inflated',
      'heavy tails',
      '2 values',
      '5 values',
      '20 values',
      '100 values',
      '1000 values',
    ]);
  });

  test('moves a fifth of a categorical column, whatever its size', () => {
    for (const column of COLUMNS) {
      if (column.kind !== 'categorical') continue;
      const shareOf = (cumulative: Float64Array, i: number) =>
        (cumulative[i] ?? 0) - (cumulative[i - 1] ?? 0);
      let distance = 0;
      for (let i = 0; i < column.moved.length; i++)
        distance += Math.abs(shareOf(column.moved, i) - shareOf(column.cumulative, i)) / 2;
      expect(distance).toBeCloseTo(0.2, 9);
      expect(column.moved.at(-1)).toBeCloseTo(1, 9);
    }
  });

  test('shifts by a quarter of a standard deviation, and scales around the middle', () => {
    const column = COLUMNS[0];
    if (column === undefined) throw new RangeError('no column');
    const draw = (change: { shift: number; scale: number }) =>
      drawColumn(column, 2_000, createRandom(1), { ...UNTOUCHED, change });
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(draw({ shift: 0.25, scale: 1 })) - mean(draw({ shift: 0, scale: 1 }))).toBeCloseTo(0.25, 9);
    const spread = (values: Float64Array) => {
      const middle = mean(values);
      return Math.sqrt(mean(values.map((v) => (v - middle) ** 2)));
    };
    expect(spread(draw({ shift: 0, scale: 1.25 })) / spread(draw({ shift: 0, scale: 1 }))).toBeCloseTo(
      1.25,
      9,
    );
  });

  test('counts like the plain definition of cells', () => {
    for (const column of COLUMNS) {
      const random = createRandom(7);
      const reference = drawColumn(column, 3_000, random, UNTOUCHED);
      const current = drawColumn(column, 500, random, { ...UNTOUCHED, missing: 0.1 });
      const grid = gridOf(column, reference);
      const plain = (values: Float64Array) =>
        [...values].map((v) => (Number.isNaN(v) ? null : column.kind === 'numeric' ? v : String(v)));
      const { offsets, ...counted } = createCounter(grid)(current);
      const { offsets: _, ...expected } = profileOf(grid, plain(current));
      expect(counted).toEqual(expected);
      if (grid.kind === 'numeric') {
        expect(grid.cutPoints).toEqual(
          (plainGridOf(column.name, 'numeric', plain(reference)) as typeof grid).cutPoints,
        );
        const sum = current.reduce((all, value) => all + (Number.isNaN(value) ? 0 : value), 0);
        const rebuilt = counted.counts.reduce(
          (all, count, cell) =>
            all +
            count * (grid.cutPoints[Math.max(0, (cell - 1) >> 1)] ?? 0) +
            (offsets[cell] ?? 0) * grid.quantum,
          0,
        );
        expect(Math.abs(rebuilt - sum)).toBeLessThanOrEqual(500 * grid.quantum);
      }
    }
  });

  test('runs a repetition: the same seed, the same windows', () => {
    const results = runTrial(3, 1_000, [50]);
    expect(results).toHaveLength(1 + SCENARIOS.length);
    expect(runTrial(3, 1_000, [50])).toEqual(results);
    // A quarter of a sigma in three of 25 columns cannot be missed in 2,000 rows.
    const large = runTrial(4, 2_000, [2_000]);
    expect(large.find((result) => result.scenario === 'planted')?.caught).toBe(true);
  });

  test('sums up shares, false flags and the bar', () => {
    const window: WindowResult = {
      scenario: 'none',
      rows: 50,
      flagged: false,
      material: false,
      caught: false,
      flags: [],
    };
    const flagged = { ...window, flagged: true, flags: ['a.ks'] };
    const caught = { ...window, scenario: 'planted', rows: 200, flagged: true, caught: true };
    const { cells, falseFlags, bar } = summarise([
      ...Array.from({ length: 18 }, () => window),
      flagged,
      flagged,
      caught,
      { ...caught, caught: false },
      { ...caught, caught: false },
    ]);
    expect(cells.map((cell) => [cell.scenario, cell.rows, cell.windows, cell.flagged])).toEqual([
      ['none', 50, 20, 0.1],
      ['planted', 200, 3, 1],
    ]);
    expect(falseFlags).toEqual([{ flag: 'a.ks', rows: 50, share: 0.1 }]);
    expect(bar.map(({ name, rows, ok }) => [name, rows, ok])).toEqual([
      ['false', 50, true],
      ['caught', 200, false],
    ]);
    expect(mostFalse(400)).toBeCloseTo(0.0754, 4);
  });
});
