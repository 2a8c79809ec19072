import type { NumberChunk } from '../domain/compared-files.js';
import type { Grid } from '../domain/profile.js';
import { type CellSums, type CellTask, createCellCounter } from '../stats/value-cells.js';

/** Fewer values are counted before a thread has started. */
const WORTH_A_THREAD = 300_000;
/** Columns counted or waiting for it, each of which holds its values. */
const COLUMNS_AT_ONCE = 2;

type NumericGrid = Extract<Grid, { kind: 'numeric' }>;

/** Counts values in another thread, to which their memory is not given away. */
export type CountInThread = (input: () => CellTask) => Promise<CellSums>;

/** Counts the values of a column on its grid. */
export type CountChunks = (grid: NumericGrid, chunks: Iterable<NumberChunk>) => Promise<CellSums>;

/**
 * Counts columns of up to `rows` values in a worker thread, so that the engine reads the next ones meanwhile; few values are counted
 * here. The memory that a column is handed over in is used again for the next but one.
 */
export function createChunkCounter(inThread: CountInThread, rows: number): CountChunks {
  if (rows < WORTH_A_THREAD)
    return async (grid, chunks) => {
      const counter = createCellCounter(grid.cutPoints, grid.quantum);
      for (const { values } of chunks) counter.add(values);
      return counter.take();
    };
  const slots = Array.from({ length: COLUMNS_AT_ONCE }, () => ({
    values: new Float64Array(new SharedArrayBuffer(rows * Float64Array.BYTES_PER_ELEMENT)),
    free: Promise.resolve() as Promise<unknown>,
  }));
  let turn = 0;
  return ({ cutPoints, quantum }, chunks) => {
    const slot = slots[turn++ % slots.length] as (typeof slots)[number];
    const sums = slot.free.then(() => {
      let at = 0;
      for (const { values } of chunks) {
        slot.values.set(values, at);
        at += values.length;
      }
      return inThread(() => ({ cutPoints, quantum, values: slot.values.subarray(0, at) }));
    });
    slot.free = sums.catch(() => undefined);
    return sums;
  };
}
