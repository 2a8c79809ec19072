import type { FeatureInfluence, Influence } from '../domain/explanation.js';
import { type CellValue, cellFinder } from '../domain/grid-cells.js';
import { type FeatureSchema, PREDICTION, PREDICTION_PROBA, RESERVED_FEATURES } from '../domain/model.js';
import { cellCount, type Grid } from '../domain/profile.js';
import { quantileBinEnds } from '../stats/cells.js';

const BINS = 10;
/** Categories with a bin of their own; the rest, rare ones, share one. */
const TOP_CATEGORIES = 20;
/** Classes followed, the most frequent ones. */
const MAX_CLASSES = 10;

export interface InfluenceInput {
  /** Of `rows`, in the order of their values. */
  readonly columns: readonly FeatureSchema[];
  readonly grids: readonly Grid[];
  readonly rows: readonly (readonly CellValue[])[];
}

/** The prediction as numbers: one column of them, or a 0/1 column per class. */
interface Targets {
  readonly column: string;
  readonly classes: readonly string[];
  /** Rows with a prediction. */
  readonly at: readonly number[];
  readonly values: readonly Float64Array[];
}

/**
 * Learns how the prediction goes with each feature: its mean by the feature's deciles or categories, and the share of its variance
 * that lies between those. Null where the rows hold no prediction, or one and the same.
 * What a feature explains is that of the prediction as it is, whatever other features it goes along with.
 */
export function fitInfluence({ columns, grids, rows }: InfluenceInput): Influence | null {
  const targets = targetsOf(columns, rows);
  if (targets === null) return null;
  const means = targets.values.map((values) => meanOf(values));
  const variance = targets.values.reduce(
    (sum, values, k) => sum + values.reduce((all, value) => all + (value - (means[k] ?? 0)) ** 2, 0),
    0,
  );
  if (!(variance > 0)) return null;
  const features = columns.flatMap((column, index): FeatureInfluence[] => {
    const grid = grids.find((each) => each.feature === column.name);
    if (grid === undefined || grid.kind !== column.kind || RESERVED_FEATURES.has(column.name)) return [];
    const cellOf = cellFinder(grid);
    const cells = Int32Array.from(targets.at, (row) => cellOf(rows[row]?.[index] ?? null));
    return [influenceOf(grid, cells, targets.values, { means, variance })];
  });
  return { column: targets.column, classes: targets.classes, rows: targets.at.length, means, features };
}

function targetsOf(columns: readonly FeatureSchema[], rows: InfluenceInput['rows']): Targets | null {
  for (const name of [PREDICTION_PROBA, PREDICTION]) {
    const index = columns.findIndex((column) => column.name === name);
    if (index < 0) continue;
    const at = rows.flatMap((row, i) => ((row[index] ?? null) === null ? [] : [i]));
    if (at.length === 0) continue;
    const values = at.map((i) => rows[i]?.[index] ?? null);
    // A score of several classes is that of whichever was predicted: what is predicted says more.
    if (columns[index]?.kind === 'numeric' && !(name === PREDICTION_PROBA && isMulticlass(columns, rows)))
      return { column: name, classes: [], at, values: [Float64Array.from(values, Number)] };
    if (name === PREDICTION_PROBA) continue;
    const classes = frequent(values.map(String));
    return {
      column: name,
      classes,
      at,
      values: classes.map((each) => Float64Array.from(values, (value) => Number(String(value) === each))),
    };
  }
  return null;
}

function isMulticlass(columns: readonly FeatureSchema[], rows: InfluenceInput['rows']): boolean {
  const index = columns.findIndex(({ name }) => name === PREDICTION);
  const seen = new Set<CellValue>();
  for (const row of rows) {
    const value = row[index] ?? null;
    if (value !== null && seen.add(value).size > 2) return true;
  }
  return false;
}

function frequent(values: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, MAX_CLASSES)
    .map(([value]) => value);
}

const meanOf = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Ends of the bins: the deciles of these rows, or the most frequent categories. */
function binEnds(grid: Grid, cells: Int32Array): number[] {
  if (grid.kind === 'categorical') {
    const own = Array.from({ length: Math.min(TOP_CATEGORIES, grid.headSize) }, (_, i) => i + 1);
    return [...own, grid.headSize + 1];
  }
  const counts = new Array<number>(cellCount(grid)).fill(0);
  for (const cell of cells) if (cell >= 0) counts[cell] = (counts[cell] ?? 0) + 1;
  return counts.some((count) => count > 0) ? quantileBinEnds(counts, BINS) : [counts.length];
}

function influenceOf(
  grid: Grid,
  cells: Int32Array,
  targets: readonly Float64Array[],
  overall: { readonly means: readonly number[]; readonly variance: number },
): FeatureInfluence {
  const ends = binEnds(grid, cells);
  // Beside the bins: one for unseen values, one for none.
  const places = ends.length + 2;
  const placeOfCell = new Int32Array(cellCount(grid) + 1).fill(ends.length);
  for (let cell = 0, bin = 0; cell < (ends.at(-1) ?? 0); cell++) {
    if (cell >= (ends[bin] ?? 0)) bin++;
    placeOfCell[cell] = bin;
  }
  const counts = new Float64Array(places);
  const sums = targets.map(() => new Float64Array(places));
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row] as number;
    const place = cell < 0 ? ends.length + 1 : (placeOfCell[cell] as number);
    counts[place] = (counts[place] as number) + 1;
    for (let k = 0; k < targets.length; k++) {
      const own = sums[k] as Float64Array;
      own[place] = (own[place] as number) + ((targets[k] as Float64Array)[row] as number);
    }
  }
  let between = 0;
  const means = Array.from({ length: places }, (_, place) =>
    overall.means.map((mean, k) => {
      const count = counts[place] as number;
      if (count === 0) return mean;
      const own = ((sums[k] as Float64Array)[place] as number) / count;
      between += count * (own - mean) ** 2;
      return own;
    }),
  );
  const used = counts.reduce((sum, count) => sum + Number(count > 0), 0);
  const n = cells.length;
  // Kelley's ε²: bins explain a share of pure chance, too, (used − 1)/(n − 1) of it.
  const explains = n > used ? Math.max(0, 1 - ((1 - between / overall.variance) * (n - 1)) / (n - used)) : 0;
  return {
    feature: grid.feature,
    explains,
    ends,
    means: means.slice(0, ends.length),
    missing: means[ends.length + 1] ?? [],
  };
}
