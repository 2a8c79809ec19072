import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseForest } from '../../../src/stats/forest-codec.js';
import { type CellValue, encodeRows, type ForestColumn } from '../../../src/stats/forest-encoding.js';
import { explainRows } from '../../../src/stats/forest-explanation.js';
import { fitForestModel } from '../../../src/stats/forest-model.js';
import { createNormal } from '../../../src/stats/normal-draws.js';
import { createRandom } from '../../../src/stats/random.js';
import { scoreForestRows } from '../../support/score-rows.js';

/** A forest of scikit-learn's, with parts worked out from its own trees: test/oracle/forest-explanation.py. */
const oracle = JSON.parse(readFileSync('test/oracle/forest-explanation.json', 'utf8')) as {
  forest: object;
  rows: number[][];
  scores: number[];
  parts: number[][];
};

describe('explainRows', () => {
  it("equals what is worked out from scikit-learn's trees", () => {
    const model = parseForest(JSON.stringify(oracle.forest));
    const scores = scoreForestRows(model, oracle.rows);
    const parts = explainRows(model, encodeRows(model.encoding, oracle.rows), oracle.rows.length);
    oracle.rows.forEach((_, row) => {
      expect(scores[row]).toBeCloseTo(oracle.scores[row] as number, 12);
      oracle.parts[row]?.forEach((part, column) => {
        expect(parts[row * 5 + column]).toBeCloseTo(part, 12);
      });
    });
  });

  it('adds up to the score, with missing values and categories, whatever the row', async () => {
    const random = createRandom(1);
    const columns: ForestColumn[] = [
      { name: 'amount', kind: 'numeric' },
      { name: 'plan', kind: 'categorical' },
      { name: 'age', kind: 'numeric' },
    ];
    const traffic = (): CellValue[] => [
      random() < 0.1 ? null : random(),
      random() < 0.8 ? 'basic' : `plan-${Math.floor(random() * 9)}`,
      random() < 0.2 ? null : random() * 90,
    ];
    const model = await fitForestModel(columns, Array.from({ length: 800 }, traffic), { seed: 2 });
    expect(model.forest.columns).toBe(5);
    const rows = [...Array.from({ length: 200 }, traffic), [9, 'new', null], [null, null, Infinity]];
    const scores = scoreForestRows(model, rows);
    const parts = explainRows(model, encodeRows(model.encoding, rows), rows.length);
    expect(parts).toHaveLength(rows.length * 3);
    rows.forEach((_, row) => {
      const sum = parts.subarray(row * 3, row * 3 + 3).reduce((total, part) => total + part, 0);
      expect(2 ** (sum - 1)).toBeCloseTo(scores[row] as number, 12);
    });
  });

  it('names the column that is odd in nine rows of ten', async () => {
    const width = 8;
    const normal = createNormal(createRandom(3));
    const draw = (): number[] => Array.from({ length: width }, () => normal());
    const columns = Array.from(
      { length: width },
      (_, i): ForestColumn => ({ name: `x${i}`, kind: 'numeric' }),
    );
    const model = await fitForestModel(columns, Array.from({ length: 2_000 }, draw), { seed: 4 });
    const odd = Array.from({ length: 200 }, (_, row) =>
      draw().map((value, column) => (column === row % width ? 6 : value)),
    );
    const parts = explainRows(model, encodeRows(model.encoding, odd), odd.length);
    const found = odd.filter((_, row) => {
      const own = parts.subarray(row * width, (row + 1) * width);
      return own.indexOf(Math.max(...own)) === row % width;
    });
    expect(found.length).toBeGreaterThanOrEqual(180);
  });

  it('says nothing where the forest knows nothing, and refuses a matrix that is too short', async () => {
    const model = await fitForestModel([{ name: 'x', kind: 'numeric' }], [[1]], { seed: 1, trees: 3 });
    expect([...explainRows(model, Float64Array.of(5, 6), 2)]).toEqual([0, 0]);
    expect(() => explainRows(model, Float64Array.of(5), 2)).toThrow(RangeError);
  });
});
