import { type FeatureSchema, PREDICTION, PREDICTION_PROBA } from '../domain/model.js';
import type { FeatureRow } from '../domain/ports.js';
import { float64 } from './encoding.js';
import { SCORE_OF_ROW } from './profile-source.js';

/** Columns of `predictions` that `cellOf` reads. */
export const CELL_COLUMNS = `num, cat, prediction_num, prediction_cat, ${SCORE_OF_ROW} AS score`;

export interface RowCells {
  readonly num: Readonly<Record<string, number | string>>;
  readonly cat: Readonly<Record<string, string>>;
  readonly prediction_num: number | string | null;
  readonly prediction_cat: string | null;
  readonly score: number | string | null;
}

/** The value of one monitored column in a stored row, as the forest sees it. */
export function cellOf(
  row: RowCells,
  column: string,
  kind: FeatureSchema['kind'] | undefined,
): FeatureRow['values'][number] {
  if (column === PREDICTION_PROBA) return row.score === null ? null : float64(row.score);
  if (column === PREDICTION) {
    const value = row.prediction_cat ?? row.prediction_num;
    if (value === null) return null;
    if (kind === 'categorical') return String(value);
    return row.prediction_num === null ? null : float64(row.prediction_num);
  }
  // Own properties only: a feature may be called `constructor`.
  if (kind === 'numeric')
    return Object.hasOwn(row.num, column) ? float64(row.num[column] ?? Number.NaN) : null;
  return Object.hasOwn(row.cat, column) ? (row.cat[column] ?? null) : null;
}
