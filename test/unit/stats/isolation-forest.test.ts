import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  averagePathLength,
  fitIsolationForest,
  scoreIsolationForest,
} from '../../../src/stats/isolation-forest.js';
import { createRandom } from '../../../src/stats/random.js';

function gaussian(rows: number, columns: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: rows * columns }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random());
  });
}

/** The tree walked node by node from its records, as the paper has it: independent of the scoring layout. */
function walk(forest: ReturnType<typeof fitIsolationForest>, row: readonly number[]): number {
  const { features, thresholds, sizes, trees } = forest.records;
  let node = 0;
  let split = 0;
  let leaf = 0;
  const visit = (depth: number, onPath: boolean): number => {
    const feature = (features[node++] as number) - 1;
    if (feature < 0) {
      const size = sizes[leaf++] as number;
      return onPath ? depth + averagePathLength(size) : 0;
    }
    const left = (row[feature] as number) <= (thresholds[split++] as number);
    return visit(depth + 1, onPath && left) + visit(depth + 1, onPath && !left);
  };
  let total = 0;
  for (let tree = 0; tree < trees; tree++) total += visit(0, true);
  return 2 ** (-total / trees / averagePathLength(forest.subsample));
}

describe('averagePathLength', () => {
  it.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 5 / 3],
    [4, 13 / 6],
    // exact fractions in Python: 2·Σ 1/i − 2(n−1)/n; the last by math.fsum
    [256, 10.248689925634562],
    [1_000, 12.97094172110069],
    [1_002, 12.974935731082724],
    [1_000_000, 26.785453445731445],
  ])('c(%p) = %p', (n, expected) => {
    expect(averagePathLength(n)).toBeCloseTo(expected, 10);
  });

  it('grows without a step where the harmonic sum gives way to its expansion', () => {
    const steps = [999, 1_000, 1_001, 1_002].map((n) => averagePathLength(n + 1) - averagePathLength(n));
    for (const step of steps) expect(step).toBeCloseTo(2 / 1_000, 4);
  });
});

describe('fitIsolationForest', () => {
  it('draws ψ rows per tree and stops at depth ceil(log2 ψ)', () => {
    const forest = fitIsolationForest(gaussian(1_000, 3, 1), 1_000, 3, { random: createRandom(2) });
    expect(forest).toMatchObject({ subsample: 256, depth: 8 });
    expect(forest.trees).toHaveLength(100);
    expect(forest.records.sizes.reduce((sum, size) => sum + size, 0)).toBe(25_600);
    const small = fitIsolationForest(gaussian(5, 3, 1), 5, 3, { trees: 7, random: createRandom(2) });
    expect(small).toMatchObject({ subsample: 5, depth: 3 });
    expect(small.records.sizes.reduce((sum, size) => sum + size, 0)).toBe(35);
  });

  it('draws from the candidates only', () => {
    const matrix = Float64Array.from({ length: 300 }, (_, i) => (i < 200 ? i : 1_000 + i));
    const candidates = Int32Array.from({ length: 200 }, (_, i) => i);
    const forest = fitIsolationForest(matrix, 300, 1, { candidates, random: createRandom(3) });
    expect(forest.subsample).toBe(200);
    expect(Math.max(...forest.records.thresholds)).toBeLessThan(200);
    expect(candidates[7]).toBe(7);
    const none = { candidates: new Int32Array(0), random: createRandom(3) };
    expect(() => fitIsolationForest(matrix, 300, 1, none)).toThrow('candidates is 0');
  });

  it('never splits on a constant column', () => {
    const rows = 300;
    const values = gaussian(rows, 1, 3);
    const matrix = Float64Array.from({ length: rows * 3 }, (_, i) =>
      i % 3 === 1 ? (values[(i - 1) / 3] as number) : 42,
    );
    const { records } = fitIsolationForest(matrix, rows, 3, { random: createRandom(4) });
    expect(new Set(records.features)).toEqual(new Set([0, 2]));
  });

  it('splits strictly inside a node, also at the ends of the number range and between neighbours', () => {
    const tiny = 1 + Number.EPSILON;
    for (const [low, high] of [
      [-Number.MAX_VALUE, Number.MAX_VALUE],
      [1, tiny],
      [0, Number.MIN_VALUE],
    ] as const) {
      const forest = fitIsolationForest(Float64Array.of(low, high), 2, 1, {
        trees: 50,
        random: createRandom(5),
      });
      for (const cut of forest.records.thresholds) expect(cut >= low && cut < high).toBe(true);
      expect([...forest.records.sizes]).toEqual(new Array(100).fill(1));
    }
  });

  it('gives one score, 0.5, to every row of constant data, and 0.5 after a single row', () => {
    const constant = new Float64Array(400).fill(7);
    const flat = fitIsolationForest(constant, 200, 2, { random: createRandom(6) });
    const scores = scoreIsolationForest(flat, constant, 200);
    expect(scores[0]).toBeCloseTo(0.5, 12);
    expect(new Set(scores).size).toBe(1);
    const single = fitIsolationForest(Float64Array.of(1, 2), 1, 2, { random: createRandom(6) });
    expect([...scoreIsolationForest(single, Float64Array.of(1, 2, 9, 9), 2)]).toEqual([0.5, 0.5]);
  });

  it('is the same for the same seed and another for another', () => {
    const matrix = gaussian(500, 4, 7);
    const grow = (seed: number) => fitIsolationForest(matrix, 500, 4, { random: createRandom(seed) });
    expect(grow(1).records.thresholds).toEqual(grow(1).records.thresholds);
    expect(grow(1).records.thresholds).not.toEqual(grow(2).records.thresholds);
  });

  it('agrees with the formula on Gaussian data: mean inlier score 0.454 of 2,000 rows of N(0, I₄)', () => {
    const matrix = gaussian(2_000, 4, 8);
    const forest = fitIsolationForest(matrix, 2_000, 4, { random: createRandom(9) });
    const mean = scoreIsolationForest(forest, matrix, 2_000).reduce((sum, s) => sum + s, 0) / 2_000;
    expect(mean).toBeCloseTo(0.454, 2);
  });

  it('ranks planted outliers above everything else', () => {
    const matrix = gaussian(2_000, 4, 10);
    for (let i = 0; i < 20; i++) matrix.fill(8, i * 4, i * 4 + 4);
    const forest = fitIsolationForest(matrix, 2_000, 4, { random: createRandom(11) });
    const scores = scoreIsolationForest(forest, matrix, 2_000);
    expect(Math.min(...scores.slice(0, 20))).toBeGreaterThan(Math.max(...scores.slice(20)));
  });

  it.each([
    ['rows', 0, 1, {}],
    ['columns', 1, 0, {}],
    ['trees', 1, 1, { trees: 0 }],
    ['subsample', 1, 1, { subsample: 5_000 }],
    ['subsample', 1, 1, { subsample: 2.5 }],
    ['the matrix', 3, 1, {}],
  ])('refuses a wrong %s', (name, rows, columns, options) => {
    const random = createRandom(16);
    const grow = () => fitIsolationForest(Float64Array.of(1), rows, columns, { ...options, random });
    expect(grow).toThrow(RangeError);
    expect(grow).toThrow(name);
  });

  it.each([Number.NaN, Infinity, -Infinity])('refuses %p when fitting and when scoring', (value) => {
    const random = createRandom(12);
    expect(() => fitIsolationForest(Float64Array.of(1, 2, 3, value), 2, 2, { random })).toThrow(
      `row 1, column 1 is ${value}`,
    );
    const forest = fitIsolationForest(Float64Array.of(1, 2, 3, 4), 2, 2, { random });
    expect(() => scoreIsolationForest(forest, Float64Array.of(value, 2), 1)).toThrow(RangeError);
  });

  it('refuses an output that is too short', () => {
    const forest = fitIsolationForest(Float64Array.of(1, 2), 2, 1, { random: createRandom(13) });
    expect(() => scoreIsolationForest(forest, Float64Array.of(1, 2), 2, new Float64Array(1))).toThrow(
      RangeError,
    );
  });
});

describe('scoreIsolationForest', () => {
  it('equals a walk down the recorded trees, for any data, any number of rows and any subsample', () => {
    const value = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.array(value, { minLength: 4, maxLength: 4 }), { minLength: 2, maxLength: 40 }),
        fc.integer({ min: 2, max: 40 }),
        fc.integer(),
        (columns, table, subsample, seed) => {
          const rows = table.map((row) => row.slice(0, columns));
          const matrix = Float64Array.from(rows.flat());
          const forest = fitIsolationForest(matrix, rows.length, columns, {
            trees: 5,
            subsample,
            random: createRandom(seed),
          });
          const scores = scoreIsolationForest(forest, matrix, rows.length);
          rows.forEach((row, i) => {
            expect(scores[i]).toBeCloseTo(walk(forest, row), 12);
            expect(scores[i]).toBeGreaterThan(0);
            expect(scores[i]).toBeLessThan(1);
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives a row the same score in any block and at any place', () => {
    const matrix = gaussian(1_003, 3, 14);
    const forest = fitIsolationForest(matrix, 1_003, 3, { random: createRandom(15) });
    const together = scoreIsolationForest(forest, matrix, 1_003);
    for (const row of [0, 3, 255, 256, 700, 1_002]) {
      const alone = scoreIsolationForest(forest, matrix.slice(row * 3, row * 3 + 3), 1);
      expect(alone[0]).toBe(together[row]);
    }
    const out = new Float64Array(1_003).fill(99);
    expect(scoreIsolationForest(forest, matrix, 1_003, out)).toBe(out);
    expect(out).toEqual(together);
  });
});
