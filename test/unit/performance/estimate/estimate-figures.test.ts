import { describe, expect, it } from '@jest/globals';
import type { ModelSchema } from '../../../../src/domain/model.js';
import type { estimateFigures } from '../../../../src/performance/estimate/estimate-figures.js';
import { estimatorColumns, fitEstimator } from '../../../../src/performance/estimate/fit-estimator.js';
import { createRandom } from '../../../../src/stats/random.js';
import { type BinaryRow, binaryOracle } from '../../../support/estimate-oracle.js';
import { estimate, gridsOf, type Rows } from '../../../support/estimated-figures.js';

const BINARY: ModelSchema = { task: 'binary', features: [], label: true };

/** Score, prediction, label. */
const binaryRows = (rows: readonly BinaryRow[]): Rows =>
  rows.map(([score, label]) => [score, String(Number(score >= binaryOracle().threshold)), String(label)]);

describe('a binary model', () => {
  const { reference, chunks } = binaryOracle();

  it.each([
    // All distinct scores have a cell: nothing is lost.
    { most: 5_000, tolerance: 2e-4 },
    // As the store has it for many scores.
    { most: 1_000, tolerance: 2e-3 },
  ])("has NannyML's estimates from counts on $most cut points", ({ most, tolerance }) => {
    for (const { rows, figures } of chunks) {
      const {
        figures: own,
        status,
        estimated,
      } = estimate(BINARY, binaryRows(reference), binaryRows(rows), { most });
      expect({ status, estimated }).toEqual({ status: 'estimated', estimated: rows.length });
      for (const [name, { estimated: theirs }] of Object.entries(figures))
        if (theirs !== undefined) {
          // A business value is of another scale; average precision hangs on the few highest scores, which share cells.
          const scale = name === 'businessValue' ? 10 : name === 'averagePrecision' ? 4 : 1;
          const near = Math.abs((own[name]?.value ?? Number.NaN) - theirs) < tolerance * scale;
          expect({ name, near }).toEqual({ name, near: true });
        }
    }
  });

  it('tells the confusion matrix that its figures are of', () => {
    const [{ rows } = { rows: [] }] = chunks;
    const { figures, confusion } = estimate(BINARY, binaryRows(reference), binaryRows(rows));
    const { truePositive = 0, falsePositive = 0, trueNegative = 0, falseNegative = 0 } = confusion ?? {};
    expect(truePositive + falsePositive + trueNegative + falseNegative).toBeCloseTo(rows.length, 6);
    const predicted = rows.filter(([score]) => score >= binaryOracle().threshold).length;
    expect(truePositive + falsePositive).toBeCloseTo(predicted, 6);
    expect((truePositive + trueNegative) / rows.length).toBeCloseTo(figures.accuracy?.value ?? 0, 9);
    expect(truePositive / (truePositive + falseNegative)).toBeCloseTo(figures.recall?.value ?? 0, 9);
  });

  it('says how far realised figures may lie from the estimates, wherever the scores have gone', () => {
    const random = createRandom(11);
    const draw = (rows: number, power: number): BinaryRow[] =>
      Array.from({ length: rows }, () => {
        const score = Math.round(random() ** power * 1e4) / 1e4;
        return [score, Number(random() < 0.1 + 0.7 * score ** 1.5)];
      });
    const inside: Record<string, number> = {};
    const draws = 60;
    for (let i = 0; i < draws; i++) {
      const known = draw(1_500, 1.2);
      const current = draw(1_000, 0.6);
      const { figures } = estimate(BINARY, binaryRows(known), binaryRows(current), { most: 200 });
      // Of labels that are known, the estimate is the realised figure.
      const realised = realisedOf(current);
      for (const [name, value] of Object.entries(realised)) {
        const { low, high } = figures[name] ?? { low: Number.NaN, high: Number.NaN };
        inside[name] = (inside[name] ?? 0) + Number(low <= value && value <= high);
      }
    }
    for (const [name, count] of Object.entries(inside))
      expect({ name, enough: count / draws > 0.85 }).toEqual({ name, enough: true });
  });

  it('has wider intervals where the reference had few scores', () => {
    const random = createRandom(13);
    const rows = (n: number, from: number, to: number): BinaryRow[] =>
      Array.from({ length: n }, () => {
        const score = Math.round((from + (to - from) * random()) * 1e3) / 1e3;
        return [score, Number(random() < score)];
      });
    const known = [...rows(2_000, 0, 0.6), ...rows(20, 0.6, 1)];
    const errorAt = (from: number, to: number) =>
      estimate(BINARY, binaryRows(known), binaryRows(rows(500, from, to))).figures.accuracy
        ?.calibrationError ?? Number.NaN;
    expect(errorAt(0.7, 0.9)).toBeGreaterThan(3 * errorAt(0.2, 0.4));
  });

  it('has no figures at the threshold where predictions do not follow from the score', () => {
    const random = createRandom(17);
    const rows = reference.map(([score, label]) => [score, String(Number(random() < 0.5)), String(label)]);
    const { figures, confusion } = estimate(BINARY, rows, rows);
    expect(Object.keys(figures).sort()).toEqual(['averagePrecision', 'brier', 'logLoss', 'rocAuc']);
    expect(confusion).toBeNull();
  });

  it('has no losses where scores are no probabilities', () => {
    const rows = binaryRows(reference).map(([score, ...rest]) => [100 * Number(score), ...rest]);
    const { figures } = estimate(BINARY, rows, rows);
    expect(figures.rocAuc).toBeDefined();
    expect(figures.logLoss).toBeUndefined();
    expect(figures.brier).toBeUndefined();
  });

  it('says why nothing is estimated', () => {
    const rows = binaryRows(reference);
    const reasonOf = (answer: ReturnType<typeof estimateFigures>) => {
      expect(answer).toMatchObject({ status: 'undecided', estimated: 0, figures: {} });
      return answer.reason;
    };
    expect(reasonOf(estimate(BINARY, rows, []))).toBe('no_data');
    expect(reasonOf(estimate(BINARY, rows, rows, { estimator: null }))).toBe('no_labelled_reference');
    expect(
      reasonOf(
        estimate(
          BINARY,
          rows,
          rows.map(([, ...rest]) => [null, ...rest]),
        ),
      ),
    ).toBe('no_scores');
    const columns = estimatorColumns(BINARY);
    const estimator = fitEstimator({
      schema: BINARY,
      grids: gridsOf(columns, rows),
      positiveClass: '1',
      columns,
      rows,
    });
    expect(reasonOf(estimate(BINARY, rows, rows, { estimator, positiveClass: '0' }))).toBe(
      'other_positive_class',
    );
  });

  it('counts rows without a score, and estimates from the others', () => {
    const rows = binaryRows(reference);
    const half = rows.map((row, i) => (i % 2 === 0 ? row : [null, ...row.slice(1)]));
    const { predictions, estimated, status } = estimate(BINARY, rows, half);
    expect({ predictions, estimated, status }).toEqual({
      predictions: rows.length,
      estimated: Math.ceil(rows.length / 2),
      status: 'estimated',
    });
  });
});

/** Figures of rows whose labels are there. */
function realisedOf(rows: readonly BinaryRow[]): Record<string, number> {
  const { threshold } = binaryOracle();
  const count = (actual: number, predicted: boolean) =>
    rows.filter(([score, label]) => label === actual && score >= threshold === predicted).length;
  const [tp, fp, tn, fn] = [count(1, true), count(0, true), count(0, false), count(1, false)];
  const sorted = [...rows].sort((a, b) => a[0] - b[0]);
  let [ranks, at] = [0, 0];
  while (at < sorted.length) {
    let end = at;
    while (end < sorted.length && sorted[end]?.[0] === sorted[at]?.[0]) end++;
    const positives = sorted.slice(at, end).filter(([, label]) => label === 1).length;
    ranks += positives * ((at + 1 + end) / 2);
    at = end;
  }
  const [p, n] = [tp + fn, fp + tn];
  return {
    accuracy: (tp + tn) / rows.length,
    precision: tp / (tp + fp),
    recall: tp / p,
    f1: (2 * tp) / (2 * tp + fp + fn),
    rocAuc: (ranks - (p * (p + 1)) / 2) / (p * n),
    brier: rows.reduce((sum, [score, label]) => sum + (score - label) ** 2, 0) / rows.length,
  };
}

describe('a model of several classes', () => {
  const MULTICLASS: ModelSchema = { task: 'multiclass', features: [], label: true, probability: true };

  it('has an accuracy from the score of what it predicted', () => {
    const random = createRandom(19);
    const rows = (n: number, power: number): Rows =>
      Array.from({ length: n }, () => {
        const score = Math.round((1 / 3 + (2 / 3) * random() ** power) * 1e3) / 1e3;
        const predicted = ['a', 'b', 'c'][Math.floor(random() * 3)] ?? 'a';
        // It is right less often than it says.
        return [score, predicted, random() < score - 0.15 ? predicted : 'd'];
      });
    const current = rows(4_000, 0.4);
    const { figures } = estimate(MULTICLASS, rows(4_000, 1), current, { most: 200 });
    const realised = current.filter(([, predicted, label]) => predicted === label).length / current.length;
    expect(Object.keys(figures)).toEqual(['accuracy']);
    expect(figures.accuracy?.low).toBeLessThan(realised);
    expect(figures.accuracy?.high).toBeGreaterThan(realised);
    expect((figures.accuracy?.high ?? 1) - (figures.accuracy?.low ?? 0)).toBeLessThan(0.08);
  });

  it('has none without its score', () => {
    expect(estimatorColumns({ ...MULTICLASS, probability: false })).toEqual([]);
  });
});

it('what was learned is the same after a trip through JSON', () => {
  const columns = estimatorColumns(BINARY);
  const rows = binaryRows(binaryOracle().reference);
  const estimator = fitEstimator({
    schema: BINARY,
    grids: gridsOf(columns, rows),
    positiveClass: '1',
    columns,
    rows,
  });
  expect(JSON.parse(JSON.stringify(estimator))).toEqual(estimator);
});
