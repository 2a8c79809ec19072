import type { FeatureSchema } from '../domain/model.js';
import type {
  MultivariateBaseline,
  MultivariatePiece,
  MultivariateSettings,
} from '../domain/multivariate.js';
import type { FeatureRow } from '../domain/ports.js';
import type { Window } from '../domain/window.js';
import { LEAST_PAIR_ROWS, type NotComparable, type PairComparison } from '../stats/pair-classifier.js';
import { encodePairRows, fitPairColumns } from '../stats/pair-rows.js';
import { serialisePairSample } from '../stats/pair-sample.js';
import type { PieceInput } from '../stats/pair-tasks.js';

/** With fewer window-long pieces the reference says too little about how windows differ. */
const LEAST_PIECES = 10;
/** Pieces that are compared: some ten milliseconds of a worker thread each. */
const MOST_PIECES = 40;
/** Values of all pieces together: 64 MB. */
const MOST_VALUES = 8_000_000;
/** Encoded without a pause: a few ms. */
const SLICE_ROWS = 1_000;

export interface MultivariateInput {
  /** Features, not the model's outputs. */
  readonly columns: readonly FeatureSchema[];
  /** In random order, values in the order of `columns`; more values per row are passed over. */
  readonly rows: readonly FeatureRow['values'][];
  readonly settings: MultivariateSettings;
  /** Event time of each row, and the pieces that lie inside the reference; left out without timestamps. */
  readonly time?: {
    readonly timestampsMs: readonly number[];
    readonly pieceMs: number;
    readonly covers: (piece: Window) => boolean;
  };
}

export interface FittedMultivariate {
  readonly baseline: MultivariateBaseline;
  /** For the store. */
  readonly sample: string;
}

export interface MultivariateParts {
  /** In any thread; the input is made when one is free. */
  readonly comparePieces: (input: () => PieceInput) => Promise<PairComparison | NotComparable>;
  /** Called often: lets others have their turn. */
  readonly pause: () => Promise<void>;
}

/**
 * Keeps a sample of a reference, and learns how well window-long pieces of it are told from the rest: what ordinary windows are like.
 * Null when switched off, or with fewer than two features, which have no pair.
 */
export async function fitMultivariate(
  { columns, rows, settings, time }: MultivariateInput,
  { comparePieces, pause }: MultivariateParts,
): Promise<FittedMultivariate | null> {
  if (!settings.enabled || columns.length < 2) return null;
  const kept = Math.min(settings.referenceRows, rows.length);
  const fitted = fitPairColumns(columns, rows.slice(0, kept));
  await pause();
  const cut = time === undefined ? [] : usablePieces(time);
  const windowRows = cut.length === 0 ? settings.windowRows : pieceRows(cut, columns.length, settings);
  const pieces = cut.map((piece) => ({ ...piece, rows: piece.rows.slice(0, windowRows) }));

  // The kept rows first, then those that only pieces have.
  const isUsed = new Uint8Array(rows.length).fill(1, 0, kept);
  for (const piece of pieces) for (const row of piece.rows) isUsed[row] = 1;
  const used = [...rows.keys()].filter((row) => isUsed[row] === 1);
  const place = new Int32Array(rows.length);
  used.forEach((row, i) => {
    place[row] = i;
  });
  const width = columns.length;
  const shared = new Float64Array(
    new SharedArrayBuffer(used.length * width * Float64Array.BYTES_PER_ELEMENT),
  );
  for (let from = 0; from < used.length; from += SLICE_ROWS) {
    const slice = used.slice(from, from + SLICE_ROWS).map((row) => rows[row] ?? []);
    encodePairRows(fitted, slice, shared.subarray(from * width, (from + slice.length) * width));
    await pause();
  }
  const data = { values: shared, rows: used.length };
  const compared = await Promise.all(
    pieces.map(async ({ startMs, rows: own }): Promise<MultivariatePiece[]> => {
      const found = await comparePieces(() => {
        const inside = new Set(own);
        const others = Array.from({ length: kept }, (_, row) => row).filter((row) => !inside.has(row));
        return {
          columns: fitted,
          data,
          reference: Int32Array.from(others),
          piece: Int32Array.from(own, (row) => place[row] as number),
        };
      });
      if (typeof found === 'string') return [];
      return [{ startMs, auc: found.auc, nullVariance: found.nullVariance }];
    }),
  );
  const sample = { values: shared.slice(0, kept * width), rows: kept };
  await pause();
  return {
    baseline: {
      rows: kept,
      features: columns.length,
      windowRows,
      pieces: compared.flat(),
    },
    sample: serialisePairSample({ columns: fitted, rows: sample }),
  };
}

interface Piece {
  readonly startMs: number;
  readonly rows: readonly number[];
}

/** Window-long pieces aligned to the epoch, in order of time; none when fewer than ten have enough rows. Of many so many, evenly spread. */
function usablePieces({ timestampsMs, pieceMs, covers }: NonNullable<MultivariateInput['time']>): Piece[] {
  const byStart = new Map<number, number[]>();
  timestampsMs.forEach((ms, row) => {
    const startMs = Math.floor(ms / pieceMs) * pieceMs;
    const piece = byStart.get(startMs);
    if (piece === undefined) byStart.set(startMs, [row]);
    else piece.push(row);
  });
  const whole = [...byStart]
    .map(([startMs, rows]): Piece => ({ startMs, rows }))
    .filter(({ startMs }) => covers({ startMs, endMs: startMs + pieceMs }))
    .sort((a, b) => a.startMs - b.startMs);
  const least = Math.max(LEAST_PAIR_ROWS, medianRows(whole) / 2);
  const usable = whole.filter(({ rows }) => rows.length >= least);
  if (usable.length < LEAST_PIECES) return [];
  const step = Math.max(1, usable.length / MOST_PIECES);
  return usable.filter((_, i) => i === 0 || Math.floor(i / step) !== Math.floor((i - 1) / step));
}

function medianRows(pieces: readonly Piece[]): number {
  const sizes = pieces.map(({ rows }) => rows.length).sort((a, b) => a - b);
  return sizes[Math.floor(sizes.length / 2)] ?? 0;
}

/** Windows and pieces are compared at one size: AUCs of others would be of classifiers that learned more or less. */
function pieceRows(pieces: readonly Piece[], width: number, { windowRows }: MultivariateSettings): number {
  const affordable = Math.floor(MOST_VALUES / (pieces.length * width));
  return Math.max(LEAST_PAIR_ROWS, Math.min(windowRows, medianRows(pieces), affordable));
}
