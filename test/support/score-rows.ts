import { type CellValue, encodeRows } from '../../src/stats/forest-encoding.js';
import type { ForestModel } from '../../src/stats/forest-model.js';
import { scoreIsolationForest } from '../../src/stats/isolation-forest.js';

/** Scores rows in the order of the model's columns, in this thread. */
export function scoreForestRows(model: ForestModel, rows: readonly (readonly CellValue[])[]): Float64Array {
  return scoreIsolationForest(model.forest, encodeRows(model.encoding, rows), rows.length);
}
