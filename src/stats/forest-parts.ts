import { parseForest } from './forest-codec.js';
import { explainRows } from './forest-explanation.js';
import type { IsolationForest, TreeRecords } from './forest-layout.js';
import type { ForestModel } from './forest-model.js';
import { fitIsolationForest, scoreIsolationForest } from './isolation-forest.js';
import { createRandom } from './random.js';

/** Forests kept parsed: one of 100 trees of 256 rows holds half a megabyte. */
const CACHED_FORESTS = 4;

/** Encoded rows to grow forests on: row-major, rows × columns, finite; best in shared memory, which threads read at once. */
export interface ForestData {
  readonly matrix: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

export interface GrowthSettings {
  readonly trees: number;
  /** ψ: rows per tree. */
  readonly subsample: number;
  readonly seed: number;
}

export interface HeldOutInput {
  readonly data: ForestData;
  readonly settings: GrowthSettings;
  /** Numbers of the rows that are scored, and not grown on. */
  readonly fold: Int32Array;
}

export interface ScoreInput {
  /** What serialiseForest wrote. */
  readonly forest: string;
  /** Encoded rows, row-major. */
  readonly matrix: Float64Array;
  readonly rows: number;
}

/** The parts of a forest's work that take long, each by itself: plain data in and out, so that any thread can do it. */
export interface ForestParts {
  growForest(input: { data: ForestData; settings: GrowthSettings }): Promise<TreeRecords>;
  scoreHeldOut(input: HeldOutInput): Promise<Float64Array>;
  /** Called often during what is not handed out: lets others have their turn. */
  pause(): Promise<void>;
}

/** Grows one forest on all rows. */
export function growForest({ data, settings }: { data: ForestData; settings: GrowthSettings }): TreeRecords {
  return grow(data, settings).records;
}

/** Scores the rows of a fold by a forest grown on all the others; on all rows when there are no others. */
export function scoreHeldOut({ data, settings, fold }: HeldOutInput): Float64Array {
  const heldOut = new Uint8Array(data.rows);
  for (const row of fold) heldOut[row] = 1;
  const candidates = new Int32Array(data.rows - fold.length);
  let next = 0;
  for (let row = 0; row < data.rows; row++) if (heldOut[row] === 0) candidates[next++] = row;
  const judge = grow(data, settings, candidates.length === 0 ? undefined : candidates);
  return scoreIsolationForest(judge, takeRows(data, fold), fold.length);
}

/** Scores encoded rows by a serialised forest, in (0, 1). Throws RangeError on a damaged one. */
export function scoreForest({ forest, matrix, rows }: ScoreInput): Float64Array {
  return scoreIsolationForest(parsedForest(forest).forest, matrix, rows);
}

/** What each of the model's columns has to do with each row's score, rows × columns, row-major (see explainRows). */
export function explainForest({ forest, matrix, rows }: ScoreInput): Float64Array {
  return explainRows(parsedForest(forest), matrix, rows);
}

const parsed = new Map<string, ForestModel>();

/** The forest of a text, kept for the next page of rows. */
function parsedForest(text: string): ForestModel {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const model = parseForest(text);
  const oldest = parsed.keys().next();
  if (parsed.size >= CACHED_FORESTS && !oldest.done) parsed.delete(oldest.value);
  parsed.set(text, model);
  return model;
}

function grow(
  { matrix, rows, columns }: ForestData,
  { trees, subsample, seed }: GrowthSettings,
  candidates?: Int32Array,
): IsolationForest {
  return fitIsolationForest(matrix, rows, columns, {
    trees,
    subsample,
    random: createRandom(seed),
    ...(candidates === undefined ? {} : { candidates }),
  });
}

function takeRows({ matrix, columns }: ForestData, rows: Int32Array): Float64Array {
  const taken = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => {
    taken.set(matrix.subarray(row * columns, (row + 1) * columns), i * columns);
  });
  return taken;
}
