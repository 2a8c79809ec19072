import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PredictionRow } from '../domain/prediction.js';
import {
  type BorrowedPrediction,
  type GrowingPredictions,
  type PlainText,
  type PredictionList,
  PredictionTally,
} from '../domain/row-list.js';
import { createPredictionBlock, type PredictionBlock } from './prediction-block.js';

/** Rows kept as they are until they are packed together: short enough that they are garbage before the collector looks. */
const LOOSE_ROWS = 64;
/** Rows packed before the size of their block is looked at. */
const STRIDE = 16;
/** The largest block: one insert. */
const BLOCK_BYTES = 32 * 1_024 * 1_024;
/** Rows packed before the event loop gets a turn. */
const SLICE_ROWS = 512;

/**
 * Predictions that are put into columns as they come: what waits for its insert is a few large arrays in place of a dozen objects for
 * each row, which the garbage collector would copy again and again.
 */
export class PackedPredictions implements GrowingPredictions {
  readonly tally = new PredictionTally();
  readonly #blocks: PredictionBlock[] = [];
  /** The block that rows are packed into; a list's blocks that came with others get no more. */
  #open: PredictionBlock | null = null;
  #loose: PredictionRow[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(row: PredictionRow): void {
    this.tally.add(row);
    this.#loose.push(row);
    this.#length += 1;
    if (this.#loose.length === LOOSE_ROWS) this.#pack();
  }

  pushBorrowed(row: BorrowedPrediction): void {
    if (this.#loose.length > 0) this.#pack();
    this.tally.add(row);
    this.#put(row, row.plainId, this.#length % STRIDE === 0);
    this.#length += 1;
  }

  at(index: number): PredictionRow | undefined {
    let from = index;
    for (const block of this.#blocks) {
      if (from < block.length) return block.read(from);
      from -= block.length;
    }
    return this.#loose[from];
  }

  *[Symbol.iterator](): Iterator<PredictionRow> {
    for (const block of this.#blocks)
      for (let index = 0; index < block.length; index += 1) yield block.read(index);
    yield* this.#loose;
  }

  /** All rows, in blocks of bounded size. The same rows pushed in the same order always give the same blocks. */
  blocks(): readonly PredictionBlock[] {
    this.#pack();
    return this.#blocks;
  }

  /** Hashes of the rows' keys: high half, low half, and so on. */
  hashes(): Uint32Array {
    const all = new Uint32Array(2 * this.#length);
    let at = 0;
    for (const block of this.blocks()) {
      all.set(block.hashes(), at);
      at += 2 * block.length;
    }
    return all;
  }

  /** Takes the rows of another list, which must not grow any more. */
  append(other: PredictionList): void {
    if (!(other instanceof PackedPredictions) || other.#blocks.length === 0) {
      for (const row of other) this.push(row);
      return;
    }
    this.#pack();
    this.#blocks.push(...other.blocks());
    this.#open = null;
    this.#length += other.length;
    this.tally.addAll(other.tally);
  }

  /** Gives the memory back when the rows are stored. The list is empty then, but for its length and tally. */
  release(): void {
    for (const block of this.#blocks.splice(0)) block.release();
    this.#open = null;
    this.#loose = [];
  }

  #pack(): void {
    for (const [index, row] of this.#loose.entries()) this.#put(row, null, index % STRIDE === 0);
    this.#loose = [];
  }

  #put(row: PredictionRow, plainId: PlainText | null, look: boolean): void {
    if (this.#open === null) {
      this.#open = createPredictionBlock();
      this.#blocks.push(this.#open);
    }
    this.#open.append(row, plainId);
    if (look && this.#open.size() >= BLOCK_BYTES) this.#open = null;
  }
}

/** The lists one after the other; the only one itself. */
export function joinPredictions(lists: readonly PredictionList[]): PredictionList {
  const [only] = lists;
  if (only !== undefined && lists.length === 1) return only;
  const joined = new PackedPredictions();
  for (const list of lists) joined.append(list);
  return joined;
}

/** The list itself when it is packed. */
export async function packPredictions(rows: PredictionList): Promise<PackedPredictions> {
  if (rows instanceof PackedPredictions) return rows;
  const packed = new PackedPredictions();
  for (const row of rows) {
    packed.push(row);
    if (packed.length % SLICE_ROWS === 0) await nextTurn();
  }
  return packed;
}
