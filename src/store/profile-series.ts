import type { ProfileStore } from '../domain/ports.js';
import { cellCount, type FilledCells, type Grid, type Profile } from '../domain/profile.js';
import { DAY_MS, HOUR_MS, type Window } from '../domain/window.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import type { GridStore } from './grid-store.js';
import { type NativeColumn, readNativeBlocks } from './native-columns.js';

/**
 * Cells of one slice, filled or not: its counts are some ten megabytes, a hundred where every cell is filled. A statement costs about
 * as much as two days of 50 columns do, so slices are long.
 */
const CELLS_PER_SLICE = 8_000_000;
const PIECES_PER_SLICE = 5_000;

/** One row per bucket and column; of its cells those that hold anything, as hourly counts are mostly empty. One thread: ours is at work beside it. */
const BUCKETS_SQL = `
  SELECT toUInt32(intDiv(toUnixTimestamp64Milli(bucket) - {fromMs:Int64}, {pieceMs:Int64})),
    toUInt32(indexOf({features:Array(String)}, feature) - 1),
    toFloat64(rows), toFloat64(missing), toFloat64(non_finite), toFloat64(mistyped),
    toFloat64(ifNull(min, nan)), toFloat64(ifNull(max, nan)),
    arrayMap(cell -> toUInt32(cell - 1), arrayFilter((cell, count) -> count > 0, arrayEnumerate(counts), counts)),
    arrayMap(count -> toFloat64(count), arrayFilter(count -> count > 0, counts))
  FROM profiles FINAL
  WHERE scope = {scope:String} AND model = {model:String} AND version = {version:String} AND granularity = {granularity:String}
    AND bucket >= {fromTs:DateTime64(3, 'UTC')} AND bucket < {toTs:DateTime64(3, 'UTC')}
    AND feature IN {features:Array(String)}
  SETTINGS max_threads = 1`;

/**
 * The sum of a column's buckets in one piece. As long as that is one bucket its cells stay as they came; the counts of all cells are made
 * when somebody asks for them. Getters, so that a copy with other counts does not keep these cells.
 */
class PieceProfile implements Profile {
  readonly feature: string;
  readonly kind: Profile['kind'];
  readonly offsets: readonly number[] = [];
  rows = 0;
  missing = 0;
  nonFinite = 0;
  mistyped = 0;
  min: number | null = null;
  max: number | null = null;
  readonly #cells: number;
  #filled: FilledCells | undefined;
  #counts: number[] | undefined;

  constructor(grid: Grid) {
    this.feature = grid.feature;
    this.kind = grid.kind;
    this.#cells = cellCount(grid);
  }

  get filled(): FilledCells | undefined {
    return this.#filled;
  }

  get counts(): readonly number[] {
    return this.#dense();
  }

  add(filled: FilledCells): void {
    if (this.#filled === undefined && this.#counts === undefined) {
      this.#filled = filled;
      return;
    }
    addTo(this.#dense(), filled);
    this.#filled = undefined;
  }

  #dense(): number[] {
    if (this.#counts === undefined) {
      this.#counts = new Array<number>(this.#cells).fill(0);
      if (this.#filled !== undefined) addTo(this.#counts, this.#filled);
    }
    return this.#counts;
  }
}

function addTo(counts: number[], filled: FilledCells): void {
  for (let k = 0; k < filled.cells.length; k++) {
    const cell = filled.cells[k] as number;
    counts[cell] = (counts[cell] ?? 0) + (filled.counts[k] as number);
  }
}

/** Counts of many short pieces, as numbers instead of text, slice by slice; the next slice is read while one is used. */
export function createProfileSeries(
  client: StoreClient,
  grids: GridStore,
): Pick<ProfileStore, 'profileSeries'> {
  return {
    async *profileSeries(query, period, pieceMs, abreast = 1) {
      if (pieceMs < HOUR_MS || pieceMs % HOUR_MS !== 0 || period.startMs % pieceMs !== 0)
        throw new RangeError(
          `pieces are whole hours long and aligned, got ${pieceMs} ms from ${period.startMs}`,
        );
      const known = await grids.byFeature(query.model);
      const columns = (query.features ?? [...known.keys()]).flatMap((feature) => known.get(feature) ?? []);
      const isDaily = pieceMs % DAY_MS === 0;
      const params = {
        scope: query.scope,
        model: query.model,
        version: query.modelVersion,
        granularity: isDaily ? 'day' : 'hour',
        features: columns.map(({ feature }) => feature),
        pieceMs,
      };
      const pieceCells =
        columns.reduce((cells, grid) => cells + cellCount(grid), 1) *
        (pieceMs / (isDaily ? DAY_MS : HOUR_MS));
      const slicePieces = Math.min(
        PIECES_PER_SLICE,
        Math.max(1, Math.floor(CELLS_PER_SLICE / abreast / pieceCells)),
      );
      const read = (startMs: number) =>
        client.queryNative(BUCKETS_SQL, {
          ...params,
          fromMs: startMs,
          fromTs: dateTime64(startMs),
          toTs: dateTime64(Math.min(period.endMs, startMs + slicePieces * pieceMs)),
        });
      let next: Promise<Uint8Array> | null = read(period.startMs);
      try {
        for (let startMs = period.startMs; next !== null; ) {
          const bytes: Uint8Array = await next;
          const slice = { startMs, endMs: Math.min(period.endMs, startMs + slicePieces * pieceMs) };
          startMs = slice.endMs;
          next = startMs < period.endMs ? read(startMs) : null;
          yield* piecesOf(bytes, columns, slice, pieceMs);
        }
      } finally {
        // Whoever stops in the middle leaves a statement behind: it must end, and its failure concerns nobody.
        await Promise.allSettled([next]);
      }
    },
  };
}

function* piecesOf(bytes: Uint8Array, columns: readonly Grid[], slice: Window, pieceMs: number) {
  const blocks: NativeColumn[][] = [];
  const rowsOf = Array.from({ length: Math.ceil((slice.endMs - slice.startMs) / pieceMs) }, () => ({
    blocks: [] as number[],
    rows: [] as number[],
  }));
  for (const block of readNativeBlocks(bytes)) {
    const [pieces = []] = block;
    for (let row = 0; row < pieces.length; row++) {
      const piece = rowsOf[pieces[row] ?? 0];
      piece?.blocks.push(blocks.length);
      piece?.rows.push(row);
    }
    blocks.push(block.map((column) => column.slice()));
  }
  for (const [piece, places] of rowsOf.entries()) {
    const sums: (PieceProfile | undefined)[] = columns.map(() => undefined);
    for (const [i, row] of places.rows.entries()) {
      const block = blocks[places.blocks[i] ?? 0];
      if (block !== undefined) addRow(sums, columns, block, row);
    }
    const profiles = sums.flatMap((sum) => sum ?? []);
    const startMs = slice.startMs + piece * pieceMs;
    if (profiles.length > 0) yield { window: { startMs, endMs: startMs + pieceMs }, profiles };
  }
}

function addRow(
  sums: (PieceProfile | undefined)[],
  columns: readonly Grid[],
  block: readonly NativeColumn[],
  row: number,
): void {
  const number = (column: number) => block[column]?.[row] ?? 0;
  const grid = columns[number(1)];
  if (grid === undefined) return;
  let sum = sums[number(1)];
  if (sum === undefined) {
    sum = new PieceProfile(grid);
    sums[number(1)] = sum;
  }
  sum.rows += number(2);
  sum.missing += number(3);
  sum.nonFinite += number(4);
  sum.mistyped += number(5);
  sum.min = furthest(Math.min, sum.min, number(6));
  sum.max = furthest(Math.max, sum.max, number(7));
  const ends = block[8];
  const start = row === 0 ? 0 : (ends?.[row - 1] ?? 0);
  const end = ends?.[row] ?? 0;
  const [cells, counts] = [block[9], block[11]];
  if (cells !== undefined && counts !== undefined)
    sum.add({ cells: cells.subarray(start, end), counts: counts.subarray(start, end) });
}

/** Of the extremes so far and those of one more bucket, NaN where it has none. */
function furthest(choose: (a: number, b: number) => number, so: number | null, more: number): number | null {
  if (Number.isNaN(more)) return so;
  return so === null ? more : choose(so, more);
}
