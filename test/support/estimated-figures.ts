import type { PerformanceEstimator } from '../../src/domain/estimate.js';
import type { CellValue } from '../../src/domain/grid-cells.js';
import type { FeatureSchema, ModelSchema } from '../../src/domain/model.js';
import type { Grid } from '../../src/domain/profile.js';
import { estimateFigures } from '../../src/performance/estimate/estimate-figures.js';
import { estimatorColumns, fitEstimator } from '../../src/performance/estimate/fit-estimator.js';
import { gridOf } from './count-profiles.js';
import { binaryOracle } from './estimate-oracle.js';
import { exactProfileOf } from './exact-profiles.js';

/** By column of the estimator. */
export type Rows = readonly (readonly CellValue[])[];

export function gridsOf(columns: readonly FeatureSchema[], rows: Rows, most?: number): Grid[] {
  return columns.map(({ name, kind }, at) =>
    gridOf(
      name,
      kind,
      rows.map((row) => row[at] ?? null),
      most,
    ),
  );
}

/** Figures of `current`, estimated by what was learned from `reference`. */
export function estimate(
  schema: ModelSchema,
  reference: Rows,
  current: Rows,
  options: { most?: number; estimator?: PerformanceEstimator | null; positiveClass?: string } = {},
) {
  const columns = estimatorColumns(schema);
  const grids = gridsOf(columns, reference, options.most);
  const setting = { schema, grids, positiveClass: options.positiveClass ?? '1' };
  return estimateFigures({
    estimator:
      options.estimator === undefined
        ? fitEstimator({ ...setting, columns, rows: reference })
        : options.estimator,
    positiveClass: setting.positiveClass,
    value: binaryOracle().values,
    grids,
    profiles: grids.map((grid, at) =>
      exactProfileOf(
        grid,
        current.map((row) => row[at] ?? null),
      ),
    ),
  });
}
