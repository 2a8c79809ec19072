import { describe, expect, it } from '@jest/globals';
import type { ModelSchema } from '../../../../src/domain/model.js';
import {
  estimatorColumns,
  fitEstimator,
  MIN_ESTIMATOR_ROWS,
} from '../../../../src/performance/estimate/fit-estimator.js';
import { createRandom } from '../../../../src/stats/random.js';
import { regressionOracle } from '../../../support/estimate-oracle.js';
import { estimate, gridsOf, type Rows } from '../../../support/estimated-figures.js';

describe('a regression', () => {
  const { columns, reference, chunks } = regressionOracle().additive;
  const schema: ModelSchema = {
    task: 'regression',
    features: columns
      .filter((name) => name !== 'prediction')
      .map((name) => ({ name, kind: name === 'carrier' ? 'categorical' : 'numeric' })),
    label: true,
  };

  it("is estimated within what chance does, as by NannyML's DLE", () => {
    for (const { rows, figures } of chunks) {
      const own = estimate(schema, reference, rows).figures;
      for (const [ours, theirs] of [
        ['meanAbsoluteError', 'mae'],
        ['rootMeanSquaredError', 'rmse'],
        ['bias', 'bias'],
      ] as const) {
        const { value, low, high } = own[ours] ?? { value: Number.NaN, low: Number.NaN, high: Number.NaN };
        const { realised, samplingError, estimated } = figures[theirs] ?? { realised: Number.NaN };
        const half = (1.5 * (high - low)) / 2;
        expect({ ours, near: Math.abs(value - realised) < half }).toEqual({ ours, near: true });
        if (samplingError !== undefined && estimated !== undefined)
          expect(Math.abs(value - estimated)).toBeLessThan(2.5 * samplingError);
      }
    }
  });

  it('follows a feature that goes missing, and leaves unseen categories alone', () => {
    const random = createRandom(23);
    const rows = (n: number, missing: number, carrier: string): Rows =>
      Array.from({ length: n }, () => {
        const gone = random() < missing;
        const prediction = Math.round(random() * 1e3) / 10;
        // Without the distance the error is three times as large.
        return [
          gone ? null : Math.round(random() * 100),
          5,
          carrier,
          prediction,
          prediction + (gone ? 3 : 1),
        ];
      });
    const known = rows(2_000, 0.1, 'UA');
    const at = (missing: number, carrier: string) =>
      estimate(schema, known, rows(1_000, missing, carrier)).figures.meanAbsoluteError?.value;
    expect(at(0.1, 'UA')).toBeCloseTo(1.2, 1);
    // A bin of 200 rows is shrunk a little.
    expect(at(0.8, 'UA')).toBeGreaterThan(2.4);
    expect(at(0.8, 'UA')).toBeLessThan(2.65);
    expect(at(0.1, 'XX')).toBeCloseTo(1.2, 1);
  });

  it('needs labelled rows', () => {
    const known = estimatorColumns(schema);
    const few = reference.slice(0, MIN_ESTIMATOR_ROWS - 1);
    const grids = gridsOf(known, reference);
    const base = { schema, grids, positiveClass: '1', columns: known };
    expect(fitEstimator({ ...base, rows: few })).toBeNull();
    expect(fitEstimator({ ...base, rows: reference.map((row) => [...row.slice(0, -1), null]) })).toBeNull();
    expect(fitEstimator({ ...base, rows: reference })).toMatchObject({ task: 'regression', rows: 1_500 });
  });
});
