import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Expected,
  expectedAveragePrecision,
  expectedConfusion,
  expectedLosses,
  expectedRocAuc,
  expectedValue,
  type ScoreCell,
  thresholdFigures,
} from '../../../../src/stats/estimate/expected-performance.js';
import { fitIsotonic, type Isotonic, isotonicAt } from '../../../../src/stats/estimate/isotonic.js';
import { createRandom } from '../../../../src/stats/random.js';
import { type BinaryRow, binaryOracle } from '../../../support/estimate-oracle.js';

const oracle = binaryOracle();

function calibrationOf(rows: readonly BinaryRow[]): Isotonic {
  return fitIsotonic(
    rows.map(([score]) => score),
    rows.map(([, label]) => label),
  );
}

/** One cell for each score. */
function cellsOf(scores: readonly number[], calibration: Isotonic): ScoreCell[] {
  const counts = new Map<number, number>();
  for (const score of scores) counts.set(score, (counts.get(score) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([score, rows]) => ({ rows, score, probability: isotonicAt(calibration, score) }));
}

function figuresOf(cells: readonly ScoreCell[], predictedPositives: number): Record<string, Expected | null> {
  const confusion = expectedConfusion(cells, predictedPositives);
  return {
    ...thresholdFigures(confusion),
    businessValue: expectedValue(confusion, oracle.values),
    rocAuc: expectedRocAuc(cells),
    averagePrecision: expectedAveragePrecision(cells),
    ...expectedLosses(cells),
  };
}

const positivesIn = (scores: readonly number[]) => scores.filter((score) => score >= oracle.threshold).length;

describe("isotonic regression against scikit-learn's", () => {
  const calibration = calibrationOf(oracle.reference);

  it('is equal to 1e-12, between and beyond the points, too', () => {
    for (const [x, y] of oracle.isotonic)
      expect(Math.abs(isotonicAt(calibration, x) - y)).toBeLessThan(1e-12);
  });

  it('keeps the sum of the labels, and every row', () => {
    const sum = calibration.mean.reduce((all, mean, i) => all + mean * (calibration.rows[i] ?? 0), 0);
    expect(sum).toBeCloseTo(oracle.reference.filter(([, label]) => label === 1).length, 8);
    expect(calibration.rows.reduce((all, rows) => all + rows, 0)).toBe(oracle.reference.length);
  });

  it('ascends, whatever the rows, and does not mind their order', () => {
    const row = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 1 }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), (rows) => {
        const fitted = fitIsotonic(
          rows.map(([x]) => x),
          rows.map(([, y]) => y),
        );
        for (let i = 1; i < fitted.mean.length; i++) {
          expect(fitted.mean[i]).toBeGreaterThan(fitted.mean[i - 1] as number);
          expect(fitted.first[i]).toBeGreaterThan(fitted.last[i - 1] as number);
        }
        const turned = [...rows].reverse();
        const again = fitIsotonic(
          turned.map(([x]) => x),
          turned.map(([, y]) => y),
        );
        expect(again).toEqual(fitted);
      }),
    );
  });

  it('refuses no rows, and numbers that are none', () => {
    expect(() => fitIsotonic([], [])).toThrow('one at least');
    expect(() => fitIsotonic([1, Number.NaN], [0, 1])).toThrow('finite numbers, got (NaN, 1)');
  });
});

describe("the estimates against NannyML's CBPE", () => {
  const calibration = calibrationOf(oracle.reference);

  it.each(oracle.chunks.map((chunk, i) => ({ ...chunk, i })))('chunk $i', ({ rows, figures }) => {
    const scores = rows.map(([score]) => score);
    const own = figuresOf(cellsOf(scores, calibration), positivesIn(scores));
    for (const [name, { estimated }] of Object.entries(figures))
      if (estimated !== undefined) {
        // It takes tied scores in the order of a sort, and rounds its sums to five decimals.
        const tolerance = name === 'rocAuc' || name === 'averagePrecision' ? 2e-4 : 1e-9;
        expect({ name, off: Math.abs((own[name]?.value ?? Number.NaN) - estimated) < tolerance }).toEqual({
          name,
          off: true,
        });
      }
  });

  it('their standard errors are its sampling errors, where the window is like the reference', () => {
    const [like] = oracle.chunks;
    if (like === undefined) throw new Error('no chunk');
    const scores = like.rows.map(([score]) => score);
    const own = figuresOf(cellsOf(scores, calibration), positivesIn(scores));
    for (const name of ['accuracy', 'precision', 'recall', 'specificity', 'businessValue'] as const) {
      const theirs = like.figures[name]?.samplingError ?? Number.NaN;
      expect(Math.abs((own[name]?.standardError ?? Number.NaN) / theirs - 1)).toBeLessThan(0.05);
    }
  });
});

describe('the estimates', () => {
  it('are the mean and standard deviation of figures over draws of rows and labels', () => {
    const random = createRandom(7);
    const calibration = calibrationOf(oracle.reference);
    const pool = oracle.chunks[1]?.rows.map(([score]) => score) ?? [];
    const n = 500;
    const draws: Record<string, number[]> = {};
    for (let draw = 0; draw < 400; draw++) {
      const rows = Array.from({ length: n }, () => {
        const score = pool[Math.floor(random() * pool.length)] as number;
        return { score, label: Number(random() < isotonicAt(calibration, score)) };
      });
      // Known labels are probabilities of 0 and 1: then nothing is left to expect.
      const cells = rows
        .map(({ score, label }) => ({ rows: 1, score, probability: label }))
        .sort((a, b) => a.score - b.score);
      const realised = figuresOf(tied(cells), positivesIn(rows.map(({ score }) => score)));
      for (const [name, figure] of Object.entries(realised)) {
        draws[name] ??= [];
        draws[name].push(figure?.value ?? Number.NaN);
      }
    }
    const whole = cellsOf(pool, calibration);
    const scale = n / pool.length;
    const expected = figuresOf(
      whole.map((cell) => ({ ...cell, rows: cell.rows * scale })),
      positivesIn(pool) * scale,
    );
    for (const [name, values] of Object.entries(draws)) {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const deviation = Math.sqrt(
        values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length,
      );
      const { value, standardError } = expected[name] ?? { value: Number.NaN, standardError: Number.NaN };
      // Average precision of a sample is biased upwards: by a tenth of its deviation at most here.
      const bias = name === 'averagePrecision' ? 0.6 : 0.2;
      expect({ name, mean: Math.abs(mean - value) < bias * deviation }).toEqual({ name, mean: true });
      const tolerance = name === 'averagePrecision' ? 0.3 : 0.12;
      expect({ name, ratio: Math.abs(deviation / standardError - 1) < tolerance }).toEqual({
        name,
        ratio: true,
      });
    }
  });

  it('are null where a class or a row is missing, never a number', () => {
    expect(thresholdFigures(expectedConfusion([], 0))).toEqual({
      accuracy: null,
      precision: null,
      recall: null,
      specificity: null,
      f1: null,
    });
    const certain = [{ rows: 10, score: 0.9, probability: 1 }];
    expect(expectedRocAuc(certain)).toBeNull();
    expect(thresholdFigures(expectedConfusion(certain, 10)).specificity).toBeNull();
    expect(expectedLosses([])).toEqual({ logLoss: null, brier: null });
    expect(expectedAveragePrecision([{ rows: 3, score: 0.2, probability: 0 }])).toBeNull();
  });

  it('split the cell that the predicted positives end in', () => {
    const cells = [
      { rows: 10, score: 0.2, probability: 0.1 },
      { rows: 10, score: 0.8, probability: 0.5 },
    ];
    expect(expectedConfusion(cells, 4)).toEqual({
      truePositives: 2,
      falsePositives: 2,
      falseNegatives: 3 + 1,
      trueNegatives: 3 + 9,
    });
  });
});

/** Cells of one score as one. */
function tied(cells: readonly ScoreCell[]): ScoreCell[] {
  const sums = new Map<number, { rows: number; positives: number }>();
  for (const { rows, score, probability } of cells) {
    const sum = sums.get(score) ?? { rows: 0, positives: 0 };
    sums.set(score, { rows: sum.rows + rows, positives: sum.positives + rows * probability });
  }
  return [...sums].map(([score, { rows, positives }]) => ({ rows, score, probability: positives / rows }));
}
