import { describe, expect, it } from '@jest/globals';
import { additiveMean, type BinnedColumn, fitAdditive } from '../../../../src/stats/estimate/additive.js';
import { createRandom } from '../../../../src/stats/random.js';
import { type OracleFigure, type RegressionRow, regressionOracle } from '../../../support/estimate-oracle.js';

const oracle = regressionOracle();
const BINS = 10;

/** Deciles of the reference's numbers, or its texts. */
function binner(values: readonly (number | string)[]): {
  count: number;
  of: (value: number | string) => number;
} {
  if (typeof values[0] === 'string') {
    const names = [...new Set(values)];
    return { count: names.length, of: (value) => names.indexOf(value) };
  }
  const sorted = [...(values as number[])].sort((a, b) => a - b);
  const edges = Array.from(
    { length: BINS - 1 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / BINS)] ?? 0,
  );
  return { count: BINS, of: (value) => edges.filter((edge) => edge <= Number(value)).length };
}

const errorOf = (row: RegressionRow) => Number(row.at(-2)) - Number(row.at(-1));

describe.each(['additive', 'interaction'] as const)("errors that are %s, against NannyML's DLE", (kind) => {
  const { columns, reference, chunks } = oracle[kind];
  const binners = columns.map((_, c) => binner(reference.map((row) => row[c] as number | string)));
  const binned = (rows: readonly RegressionRow[]): BinnedColumn[] =>
    binners.map(({ count, of }, c) => ({
      count,
      bins: Int32Array.from(rows, (row) => of(row[c] as number | string)),
    }));
  const fitted = (loss: (error: number) => number) =>
    fitAdditive(
      binned(reference),
      Float64Array.from(reference, (row) => loss(errorOf(row))),
    );
  const estimate = (model: ReturnType<typeof fitted>, rows: readonly RegressionRow[]) =>
    additiveMean(
      model,
      binned(rows).map(({ bins, count }) =>
        Array.from({ length: count }, (_, bin) => bins.filter((each) => each === bin).length),
      ),
      rows.length,
    );
  const models = { mae: fitted(Math.abs), mse: fitted((error) => error * error) };

  const near = (
    own: number,
    { estimated = Number.NaN, samplingError = Number.NaN, realised }: OracleFigure,
  ) => ({
    // Neither is the truth: both lie within what chance alone does to the realised figure, and to each other.
    toRealised: Math.abs(own - realised) < 3 * samplingError,
    toTheirs: Math.abs(own - estimated) < 2.5 * samplingError,
  });
  const together = kind === 'interaction' ? 3 : -1;

  it.each(chunks.map((chunk, i) => ({ ...chunk, i })))('chunk $i', ({ rows, figures, i }) => {
    for (const name of ['mae', 'mse'] as const) {
      const figure = figures[name];
      if (figure === undefined) throw new Error(`no ${name}`);
      const own = estimate(models[name], rows);
      // Which columns go together has changed, and nothing else: trees see it, sums of single columns do not.
      const seen = i !== together;
      expect({ name, ...near(own, figure) }).toEqual({ name, toRealised: seen, toTheirs: seen });
      if (!seen) {
        const before = estimate(models[name], reference);
        expect(Math.abs(own / before - 1)).toBeLessThan(0.1);
        expect(figure.realised).toBeGreaterThan(1.5 * before);
      }
    }
  });
});

describe('the additive model', () => {
  it('finds effects that are added, and none where there are none', () => {
    const random = createRandom(3);
    const rows = 20_000;
    const column = (count: number): BinnedColumn => ({
      count,
      bins: Int32Array.from({ length: rows }, () => Math.floor(random() * count)),
    });
    const columns = [column(4), column(3), column(5)];
    const truth = [
      [-3, -1, 1, 3],
      [2, 0, -2],
      [0, 0, 0, 0, 0],
    ];
    const target = Float64Array.from(
      { length: rows },
      (_, row) =>
        7 + columns.reduce((sum, { bins }, c) => sum + (truth[c]?.[bins[row] ?? 0] ?? 0), 0) + random() - 0.5,
    );
    const { intercept, effects } = fitAdditive(columns, target);
    for (const [c, effect] of truth.entries())
      for (const [bin, value] of effect.entries())
        expect(Math.abs((effects[c]?.[bin] ?? Number.NaN) - value)).toBeLessThan(0.06);
    expect(Math.abs(intercept - 7)).toBeLessThan(0.06);
  });

  it('tells columns that go together from each other', () => {
    const random = createRandom(5);
    const bins = Int32Array.from({ length: 10_000 }, () => Math.floor(random() * 2));
    // The second column is the first in four of five rows, and of no effect itself.
    const alike = bins.map((bin) => (random() < 0.6 ? bin : Math.floor(random() * 2)));
    const { effects } = fitAdditive(
      [
        { count: 2, bins },
        { count: 2, bins: alike },
      ],
      Float64Array.from(bins, (bin) => 2 * bin - 1 + random() - 0.5),
    );
    expect(effects[0]?.[1]).toBeGreaterThan(0.95);
    expect(Math.abs(effects[1]?.[1] ?? Number.NaN)).toBeLessThan(0.03);
  });

  it('gives the mean of its own rows, whatever bins are missing', () => {
    const bins = Int32Array.from([0, 0, 1, -1, -1, 1]);
    const target = Float64Array.from([1, 2, 30, 4, 5, 60]);
    const model = fitAdditive([{ count: 2, bins }], target);
    expect(additiveMean(model, [[2, 2]], 6)).toBeCloseTo(17, 10);
  });

  it('shrinks a bin of few rows', () => {
    const bins = Int32Array.from({ length: 1_000 }, (_, i) => Number(i === 0));
    const target = Float64Array.from({ length: 1_000 }, (_, i) => (i === 0 ? 110 : 0));
    const { effects } = fitAdditive([{ count: 2, bins }], target);
    expect(effects[0]?.[1]).toBeGreaterThan(5);
    expect(effects[0]?.[1]).toBeLessThan(15);
  });

  it('refuses no rows', () => {
    expect(() => fitAdditive([], new Float64Array())).toThrow('an additive model needs a row');
  });
});
