import {
  type CellValue,
  encodedWidth,
  encodeRows,
  type ForestColumn,
  type ForestEncoding,
  fitEncoding,
} from './forest-encoding.js';
import { compileTrees, type IsolationForest } from './forest-layout.js';
import {
  type ForestData,
  type ForestParts,
  type GrowthSettings,
  growForest,
  scoreHeldOut,
} from './forest-parts.js';
import { averagePathLength } from './isolation-forest.js';
import { createRandom } from './random.js';

/** The reference is scored by so many forests that each leave one part of it out. */
const FOLDS = 10;
/** Encoded without a pause: a few ms. */
const SLICE_ROWS = 1_000;

/** Rows of one window-long piece of the reference, and how many of them lie above the threshold, held out with it. */
export interface ForestPiece {
  readonly rows: number;
  readonly flagged: number;
}

/** An isolation forest with what it needs to score rows as they come and to judge a window. */
export interface ForestModel {
  readonly columns: readonly ForestColumn[];
  readonly encoding: ForestEncoding;
  readonly forest: IsolationForest;
  /** Rows that score above it are flagged: the `quantile` of the reference's held-out scores. */
  readonly threshold: number;
  readonly quantile: number;
  readonly seed: number;
  /** Reference rows it was fitted on. */
  readonly rows: number;
  /** How many of those lie above the threshold, held out. */
  readonly flagged: number;
  /** flagged / rows: about 1 − quantile, less with ties. */
  readonly referenceShare: number;
  /** Window-long pieces in time order; empty without timestamps, or with fewer pieces than can be held out in turn. */
  readonly pieces: readonly ForestPiece[];
}

export interface ForestModelOptions {
  readonly seed: number;
  /** 100 by default. */
  readonly trees?: number;
  /** 256 by default. */
  readonly subsample?: number;
  /** 0.99 by default. */
  readonly quantile?: number;
  /** A seeded sample of so many rows is used when there are more; 50,000 by default. */
  readonly maxRows?: number;
  /** Event time of each row, ms, and the window length: the reference is then cut into window-long pieces. */
  readonly time?: { readonly timestampsMs: readonly number[]; readonly pieceMs: number };
}

/**
 * Fits encoding, forest and threshold on reference rows, each in the order of `columns`.
 *
 * A forest finds the rows it was grown on less anomalous than new ones, the more so the smaller the reference, so a
 * threshold from such scores would flag more than its share of clean traffic. Each tenth of the reference, drawn at
 * random, is therefore scored by a forest grown without it. In the same way it finds a day less anomalous when it has
 * seen others of its rows: the pieces are counted with scores of forests that saw nothing of that stretch of time,
 * as it will be for new windows. Same seed and rows, same model, bit for bit, however the parts are run.
 *
 * @param parts where forests are grown and rows scored; in this thread by default
 * Rejects with RangeError without rows or columns, and on an option out of range.
 */
export async function fitForestModel(
  columns: readonly ForestColumn[],
  rows: readonly (readonly CellValue[])[],
  options: ForestModelOptions,
  parts: ForestParts = IN_THIS_THREAD,
): Promise<ForestModel> {
  const { seed, trees = 100, subsample = 256, quantile = 0.99, maxRows = 50_000, time } = options;
  if (!(quantile > 0 && quantile < 1))
    throw new RangeError(`quantile is ${quantile}: it must lie between 0 and 1`);
  if (!(maxRows >= 1)) throw new RangeError(`maxRows is ${maxRows}: it must be at least 1`);
  const random = createRandom(seed);
  const picked = sampleIndices(rows.length, Math.floor(maxRows), random);
  await parts.pause();
  const sample = picked.map((index) => rows[index] as readonly CellValue[]);
  const encoding = await fitEncoding(columns, sample, parts.pause);
  const data = await encodeShared(encoding, sample, parts.pause);
  const pieces = time === undefined ? [] : cutPieces(picked, rows.length, time);
  await parts.pause();
  const folds = randomFolds(sample.length, random);
  const blocks = blockFolds(sample.length, pieces);
  await parts.pause();
  // Held-out forests see fewer rows; scores only compare at one subsample size.
  const largest = Math.max(...[...folds, ...blocks].map((fold) => fold.length));
  const size = Math.max(1, Math.min(subsample, sample.length - largest));
  // Every forest has a seed of its own: which thread grows it when makes no difference.
  const settings = () => ({ trees, subsample: size, seed: Math.floor(random() * 2 ** 32) });
  const [records, scores, blockScores] = await Promise.all([
    parts.growForest({ data, settings: settings() }),
    scoreFolds(data, folds, settings, parts),
    scoreFolds(data, blocks, settings, parts),
  ]);
  await parts.pause();
  const sorted = scores.slice().sort();
  const threshold = sorted[Math.ceil(quantile * sorted.length) - 1] as number;
  const flagged = scores.reduce((count, score) => count + (score > threshold ? 1 : 0), 0);
  await parts.pause();
  const compiled = compileTrees(records, averagePathLength);
  await parts.pause();
  return {
    columns: columns.map(({ name, kind }) => ({ name, kind })),
    encoding,
    forest: compiled,
    threshold,
    quantile,
    seed,
    rows: sample.length,
    flagged,
    referenceShare: flagged / sample.length,
    pieces: (blocks.length === 0 ? [] : pieces).map((piece) => ({
      rows: piece.length,
      flagged: piece.filter((row) => (blockScores[row] as number) > threshold).length,
    })),
  };
}

const IN_THIS_THREAD: ForestParts = {
  growForest: async (input) => growForest(input),
  scoreHeldOut: async (input) => scoreHeldOut(input),
  pause: async () => undefined,
};

/** The rows' matrix in shared memory: threads that grow forests on it read it where it is. */
async function encodeShared(
  encoding: ForestEncoding,
  rows: readonly (readonly CellValue[])[],
  pause: () => Promise<void>,
): Promise<ForestData> {
  const columns = encodedWidth(encoding);
  const shared = new SharedArrayBuffer(rows.length * columns * Float64Array.BYTES_PER_ELEMENT);
  const matrix = new Float64Array(shared);
  for (let from = 0; from < rows.length; from += SLICE_ROWS) {
    matrix.set(encodeRows(encoding, rows.slice(from, from + SLICE_ROWS)), from * columns);
    await pause();
  }
  return { matrix, rows: rows.length, columns };
}

/** Each row's score by a forest that has not seen its fold. */
async function scoreFolds(
  data: ForestData,
  folds: readonly Int32Array[],
  settings: () => GrowthSettings,
  parts: ForestParts,
): Promise<Float64Array> {
  const scores = new Float64Array(data.rows);
  await Promise.all(
    folds.map(async (fold) => {
      const foldScores = await parts.scoreHeldOut({ data, fold, settings: settings() });
      fold.forEach((row, i) => {
        scores[row] = foldScores[i] as number;
      });
    }),
  );
  return scores;
}

/** `most` of the numbers 0 … count−1 without replacement, ascending. */
function sampleIndices(count: number, most: number, random: () => number): number[] {
  const indices = Array.from({ length: count }, (_, index) => index);
  if (count <= most) return indices;
  shuffle(indices, most, random);
  const isPicked = new Uint8Array(count);
  for (let i = 0; i < most; i++) isPicked[indices[i] as number] = 1;
  const picked: number[] = [];
  for (let index = 0; index < count; index++) if (isPicked[index] === 1) picked.push(index);
  return picked;
}

/** Puts a random choice of the elements into the first `take` places. */
function shuffle(array: number[], take: number, random: () => number): void {
  for (let i = 0; i < take; i++) {
    const j = i + Math.floor(random() * (array.length - i));
    const picked = array[j] as number;
    array[j] = array[i] as number;
    array[i] = picked;
  }
}

/** Groups the positions of `picked` by window-long pieces aligned to the epoch, in time order. */
function cutPieces(
  picked: readonly number[],
  count: number,
  time: { readonly timestampsMs: readonly number[]; readonly pieceMs: number },
): Int32Array[] {
  const { timestampsMs, pieceMs } = time;
  if (timestampsMs.length !== count)
    throw new RangeError(`there are ${timestampsMs.length} timestamps for ${count} rows: give one for each`);
  if (!(pieceMs > 0)) throw new RangeError(`pieceMs is ${pieceMs}: it must be positive`);
  const pieces = new Map<number, number[]>();
  picked.forEach((index, position) => {
    const number = Math.floor((timestampsMs[index] as number) / pieceMs);
    if (!Number.isFinite(number))
      throw new RangeError(
        `the timestamp of row ${index} is ${timestampsMs[index]}: give ms since the epoch`,
      );
    const piece = pieces.get(number);
    if (piece === undefined) pieces.set(number, [position]);
    else piece.push(position);
  });
  return [...pieces].sort(([a], [b]) => a - b).map(([, rows]) => Int32Array.from(rows));
}

/** Random parts of about equal size, none empty. */
function randomFolds(count: number, random: () => number): Int32Array[] {
  const order = Array.from({ length: count }, (_, row) => row);
  shuffle(order, count, random);
  return Array.from({ length: Math.min(FOLDS, count) }, (_, fold) =>
    Int32Array.from(
      { length: Math.ceil((count - fold) / FOLDS) },
      (_place, i) => order[i * FOLDS + fold] as number,
    ),
  );
}

/**
 * Runs of neighbouring pieces of about equal size. None when there are fewer than ten pieces, or when one run would
 * leave less than half of the rows to the forest that must do without it.
 */
function blockFolds(count: number, pieces: readonly Int32Array[]): Int32Array[] {
  if (pieces.length < FOLDS) return [];
  const folds: number[][] = Array.from({ length: FOLDS }, () => []);
  let before = 0;
  for (const piece of pieces) {
    const fold = folds[Math.floor((FOLDS * before) / count)] as number[];
    for (const row of piece) fold.push(row);
    before += piece.length;
  }
  if (folds.some((fold) => fold.length > count / 2)) return [];
  return folds.filter((fold) => fold.length > 0).map((fold) => Int32Array.from(fold));
}
