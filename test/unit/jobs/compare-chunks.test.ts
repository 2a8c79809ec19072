import { describe, expect, test } from '@jest/globals';
import type { NumberChunk } from '../../../src/domain/compared-files.js';
import { type CountInThread, createChunkCounter } from '../../../src/jobs/compare-chunks.js';
import { countCells } from '../../../src/stats/value-cells.js';
import { createInlineRunner } from '../../../src/workers/inline.js';

const ROWS = 300_000;
const CHUNK = 65_536;
const GRID = { kind: 'numeric', feature: 'c0', cutPoints: [0, 250, 500, 750], quantum: 2 ** -20 } as const;

/** As the engine's reader gives them: every chunk overwrites the one before. */
function* chunksOf(values: Float64Array): Generator<NumberChunk> {
  const own = new Float64Array(CHUNK);
  for (let at = 0; at < values.length; at += CHUNK) {
    const part = values.subarray(at, at + CHUNK);
    own.set(part);
    yield { values: own.subarray(0, part.length), groups: new Uint32Array(0) };
    own.fill(-1);
  }
}

const column = (seed: number, rows = ROWS) =>
  Float64Array.from({ length: rows }, (_, i) =>
    i % 97 === seed ? Number.NaN : ((i * 7_919 + seed * 31) % 1_000) / 1.5,
  );
const expected = (values: Float64Array) =>
  countCells({ cutPoints: GRID.cutPoints, quantum: GRID.quantum, values });

describe('createChunkCounter', () => {
  test('counts many columns at once in the memory of two', async () => {
    const tasks = createInlineRunner();
    const buffers = new Set<ArrayBufferLike>();
    const count = createChunkCounter((input) => {
      return tasks.run('countCells', () => {
        const task = input();
        buffers.add(task.values.buffer);
        return task;
      });
    }, ROWS);
    const columns = [0, 1, 2, 3, 4].map((seed) => column(seed, seed === 3 ? 70_000 : ROWS));
    const counted = await Promise.all(columns.map((values) => count(GRID, chunksOf(values))));
    expect(counted).toEqual(columns.map(expected));
    expect(counted[0]?.missing).toBe(Math.ceil(ROWS / 97));
    expect(buffers.size).toBe(2);
    await tasks.stop();
  });

  test('a column that could not be counted says so, and the others are', async () => {
    let calls = 0;
    const failing: CountInThread = async (input) => {
      if (++calls === 1) throw new Error('the thread ended');
      return countCells(input());
    };
    const count = createChunkCounter(failing, ROWS);
    const columns = [0, 1, 2].map((seed) => column(seed));
    const outcomes = await Promise.allSettled(columns.map((values) => count(GRID, chunksOf(values))));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(outcomes[2]).toMatchObject({ value: expected(column(2)) });
  });

  test('few values are counted here', async () => {
    const never: CountInThread = () => Promise.reject(new Error('asked for a thread'));
    const values = column(1, 1_000);
    expect(await createChunkCounter(never, 1_000)(GRID, chunksOf(values))).toEqual(expected(values));
  });
});
