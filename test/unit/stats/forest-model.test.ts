import { describe, expect, it } from '@jest/globals';
import { parseForest, serialiseForest } from '../../../src/stats/forest-codec.js';
import type { CellValue, ForestColumn } from '../../../src/stats/forest-encoding.js';
import { type ForestModel, fitForestModel } from '../../../src/stats/forest-model.js';
import { createRandom } from '../../../src/stats/random.js';
import { scoreForestRows } from '../../support/score-rows.js';

const columns: readonly ForestColumn[] = [
  { name: 'amount', kind: 'numeric' },
  { name: '__proto__', kind: 'numeric' },
  { name: 'plan', kind: 'categorical' },
];

function traffic(count: number, seed: number): CellValue[][] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => [
    random() + random() + random(),
    random() < 0.1 ? null : random() * 100,
    random() < 0.7 ? 'basic' : `plan-${Math.floor(random() * 20)}`,
  ]);
}

function flaggedShare(model: ForestModel, rows: CellValue[][]): number {
  return scoreForestRows(model, rows).filter((score) => score > model.threshold).length / rows.length;
}

describe('fitForestModel', () => {
  it('flags a hundredth of the reference and keeps what it was made with', async () => {
    const model = await fitForestModel(columns, traffic(5_000, 1), { seed: 7 });
    expect(model).toMatchObject({ rows: 5_000, flagged: 50, referenceShare: 0.01, seed: 7, quantile: 0.99 });
    expect(model.forest).toMatchObject({ columns: 4, subsample: 256 });
  });

  it('flags the same share of new clean rows on a small reference', async () => {
    // Mean over 40 references of 300 rows: 0.0114 (standard error 0.0014); a threshold from in-sample scores gives 0.0154.
    let share = 0;
    for (let run = 0; run < 40; run++) {
      const model = await fitForestModel(columns, traffic(300, 100 + run), { seed: run, trees: 30 });
      share += flaggedShare(model, traffic(1_000, 900 + run)) / 40;
    }
    expect(Math.abs(share - 0.01)).toBeLessThan(0.003);
  });

  it('flags rows that are unlike the reference', async () => {
    const model = await fitForestModel(columns, traffic(2_000, 3), { seed: 1, trees: 30 });
    const odd: CellValue[][] = [
      [30, -500, 'never seen'],
      [Infinity, -Infinity, null],
    ];
    expect([...scoreForestRows(model, odd)].every((score) => score > model.threshold)).toBe(true);
  });

  it('gives the same text for the same seed and rows, another for another seed', async () => {
    const rows = traffic(1_000, 4);
    const text = async (seed: number) =>
      serialiseForest(await fitForestModel(columns, rows, { seed, trees: 20 }));
    expect(await text(5)).toBe(await text(5));
    expect(await text(5)).not.toBe(await text(6));
  });

  it('uses a seeded sample of a long reference', async () => {
    const rows = traffic(3_000, 5);
    const model = await fitForestModel(columns, rows, { seed: 2, trees: 10, maxRows: 500 });
    expect(model.rows).toBe(500);
    const again = await fitForestModel(columns, rows, { seed: 2, trees: 10, maxRows: 500 });
    expect(serialiseForest(again)).toBe(serialiseForest(model));
  });

  it('cuts the reference into window-long pieces when it has times', async () => {
    const rows = traffic(1_200, 6);
    const timestampsMs = rows.map((_, i) => i * 1_000);
    const model = await fitForestModel(columns, rows, {
      seed: 3,
      trees: 10,
      time: { timestampsMs, pieceMs: 50_000 },
    });
    expect(model.pieces).toHaveLength(24);
    expect(model.pieces.every((piece) => piece.rows === 50)).toBe(true);
  });

  it('counts a piece by forests that saw nothing of its time', async () => {
    // The first 200 of 2,000 rows are a storm: to forests that have seen the rest of it, it is hardly odd.
    const random = createRandom(8);
    const rows = traffic(2_000, 8).map((row, i): CellValue[] =>
      i < 200 ? [2.5 + random(), 90 + 30 * random(), 'storm'] : row,
    );
    const time = { timestampsMs: rows.map((_, i) => i), pieceMs: 100 };
    const model = await fitForestModel(columns, rows, { seed: 4, trees: 30, time });
    const seen = scoreForestRows(model, rows.slice(0, 200)).filter((score) => score > model.threshold).length;
    const unseen = (model.pieces[0]?.flagged ?? 0) + (model.pieces[1]?.flagged ?? 0);
    expect(model.flagged).toBe(20);
    expect(seen).toBeLessThan(40);
    expect(unseen).toBeGreaterThan(100);
  });

  it('has no pieces where they are too few or too uneven to be held out', async () => {
    const rows = traffic(400, 10);
    const pieces = async (time: { timestampsMs: number[]; pieceMs: number }) =>
      (await fitForestModel(columns, rows, { seed: 1, trees: 5, time })).pieces;
    expect(await pieces({ timestampsMs: rows.map((_, i) => i), pieceMs: 50 })).toEqual([]);
    expect(await pieces({ timestampsMs: rows.map((_, i) => (i < 380 ? 0 : i)), pieceMs: 1 })).toEqual([]);
  });

  it('copes with one row, two rows and constant rows', async () => {
    for (const rows of [[[1, 2, 'a']], traffic(2, 9), Array.from({ length: 50 }, () => [1, 2, 'a'])]) {
      const model = await fitForestModel(columns, rows, { seed: 1, trees: 5 });
      expect(model.flagged).toBe(0);
      expect(scoreForestRows(model, rows).every(Number.isFinite)).toBe(true);
    }
  });

  it('refuses impossible options', async () => {
    const rows = traffic(10, 11);
    for (const options of [
      { quantile: 1 },
      { maxRows: 0 },
      { seed: 0.5 },
      { time: { timestampsMs: [1], pieceMs: 1 } },
      { time: { timestampsMs: new Array(10).fill(Number.NaN), pieceMs: 1 } },
      { time: { timestampsMs: new Array(10).fill(0), pieceMs: 0 } },
    ]) {
      await expect(fitForestModel(columns, rows, { seed: 1, ...options })).rejects.toThrow(RangeError);
    }
    await expect(fitForestModel(columns, [], { seed: 1 })).rejects.toThrow(RangeError);
  });
});

const rows = traffic(600, 13);
const timestampsMs = rows.map((_, i) => i);
const model = await fitForestModel(columns, rows, {
  seed: 9,
  trees: 10,
  time: { timestampsMs, pieceMs: 30 },
});

describe('parseForest', () => {
  const text = serialiseForest(model);

  it('reads back the same model, to the last bit', () => {
    const read = parseForest(text);
    const { forest, ...rest } = read;
    const { forest: expected, ...expectedRest } = model;
    expect(rest).toEqual(expectedRest);
    expect(forest.trees.map((tree) => tree.pathLength)).toEqual(
      expected.trees.map((tree) => tree.pathLength),
    );
    expect(serialiseForest(read)).toBe(text);
    expect(scoreForestRows(read, rows)).toEqual(scoreForestRows(model, rows));
  });

  it('is small: under 2 kB per tree of 256 rows', () => {
    expect(text.length / 10).toBeLessThan(2_000);
  });

  const fields = JSON.parse(text) as Record<string, unknown>;
  it.each([
    ['', 'not JSON'],
    [text.slice(0, -5), 'not JSON'],
    ['[]', 'the forest'],
    ['null', 'the forest'],
    [JSON.stringify({ ...fields, format: 'plumbline-forest/0' }), 'plumbline-forest/0'],
    [JSON.stringify({ ...fields, trees: 9 }), 'more nodes'],
    [JSON.stringify({ ...fields, trees: 11 }), 'truncated'],
    [JSON.stringify({ ...fields, subsample: 128 }), 'damaged'],
    [JSON.stringify({ ...fields, subsample: 1e9 }), 'subsample'],
    [JSON.stringify({ ...fields, features: '!' }), 'truncated'],
    [JSON.stringify({ ...fields, thresholds: '' }), 'impossible split'],
    [JSON.stringify({ ...fields, thresholds: 'AAAA' }), 'thresholds'],
    [JSON.stringify({ ...fields, sizes: '' }), 'without rows'],
    [JSON.stringify({ ...fields, encoding: [] }), 'encoded columns'],
    [JSON.stringify({ ...fields, encoding: [{ kind: 'text', name: 'a' }] }), 'kind text'],
    [
      JSON.stringify({ ...fields, encoding: [{ kind: 'categorical', name: 'a', shares: [['x', 2]] }] }),
      'share',
    ],
    [JSON.stringify({ ...fields, flagged: 601 }), 'flagged'],
    [JSON.stringify({ ...fields, pieces: [[1, 2]] }), 'piece'],
    [JSON.stringify({ ...fields, threshold: null }), 'threshold'],
  ])('refuses a damaged text (%#)', (damaged, reason) => {
    expect(() => parseForest(damaged)).toThrow(RangeError);
    expect(() => parseForest(damaged)).toThrow(reason);
  });
});
