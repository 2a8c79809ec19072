import { describe, expect, it } from '@jest/globals';
import type { PerformanceCounts, PerformanceSample } from '../../../src/domain/performance.js';
import { fitBaselines } from '../../../src/performance/baseline.js';
import { performanceSamples } from '../../../src/performance/samples.js';
import { createNormal } from '../../../src/stats/normal-draws.js';
import { createRandom } from '../../../src/stats/random.js';

/** Classified rows, of which some are right. */
function classified(rows: number, correct: number): PerformanceCounts {
  return {
    window: { startMs: 0, endMs: 1 },
    predictions: rows,
    labelled: rows,
    delays: [],
    confusion: [],
    classified: rows,
    correct,
    ranking: null,
    calibration: [],
    moments: {},
  };
}
const accuracyOf = (counts: PerformanceCounts) => fitBaselines('multiclass', counts, [])[0];

describe('what windows are compared with', () => {
  it('is a classifier’s accuracy, whose variance is never 0', () => {
    expect(performanceSamples('multiclass', classified(100, 80))).toEqual([
      { figure: 'accuracy', value: 0.8, variance: (82 / 104) * (22 / 104) * 0.01, rows: 100 },
    ]);
    const [sure] = performanceSamples('multiclass', classified(50, 50)) as [PerformanceSample];
    expect(sure.value).toBe(1);
    expect(sure.variance).toBeGreaterThan(0);
    expect(performanceSamples('multiclass', classified(0, 0))).toEqual([]);
  });

  it('is a regression’s mean absolute error', () => {
    const moments = {
      under: { rows: 4, mean: 1, m2: 4 },
      over: { rows: 4, mean: 0.5, m2: 1 },
    };
    const [sample] = performanceSamples('regression', { ...classified(0, 0), moments });
    // Errors of 2, −1, 2 and −1.
    expect(sample).toEqual({ figure: 'meanAbsoluteError', value: 1.5, variance: 1 / 3 / 4, rows: 4 });
  });

  it('leaves the spread open with fewer than ten pieces of half the usual size', () => {
    const pieces = Array.from({ length: 9 }, () => classified(100, 80));
    const whole = classified(900, 720);
    expect(fitBaselines('multiclass', whole, pieces)[0]?.spread).toBeNull();
    expect(fitBaselines('multiclass', whole, [...pieces, classified(10, 8)])[0]?.spread).toBeNull();
    expect(fitBaselines('multiclass', whole, [...pieces, classified(100, 80)])[0]?.spread).toEqual({
      pieces: 10,
      effectivePieces: 10,
      autocorrelation: 0,
      variance: 0,
    });
    expect(accuracyOf(whole)?.rows).toBe(900);
  });

  it('counts pieces that last for fewer', () => {
    // Ten at 70 %, then ten at 80 %; and the same ones in turns.
    const lasting = Array.from({ length: 20 }, (_, at) => classified(1_000, at < 10 ? 700 : 800));
    const turns = Array.from({ length: 20 }, (_, at) => classified(1_000, at % 2 === 0 ? 700 : 800));
    const spreadOf = (pieces: readonly PerformanceCounts[]) =>
      fitBaselines('multiclass', classified(20_000, 15_000), pieces)[0]?.spread;
    expect(spreadOf(lasting)?.variance).toBeCloseTo(spreadOf(turns)?.variance ?? 0, 12);
    expect(spreadOf(turns)).toMatchObject({ effectivePieces: 20, autocorrelation: 0 });
    expect(spreadOf(lasting)?.autocorrelation).toBeGreaterThan(0.8);
    expect(spreadOf(lasting)?.effectivePieces).toBeLessThan(5);
  });

  it('finds how much pieces differ beyond chance of their rows', () => {
    const random = createRandom(3);
    const normal = createNormal(random);
    const sd = 0.04;
    const rows = 400;
    const pieces = Array.from({ length: 400 }, () => {
      const share = Math.min(1, Math.max(0, 0.75 + sd * normal()));
      let correct = 0;
      for (let row = 0; row < rows; row++) if (random() < share) correct += 1;
      return classified(rows, correct);
    });
    const correct = pieces.reduce((sum, piece) => sum + piece.correct, 0);
    const [fitted] = fitBaselines('multiclass', classified(400 * rows, correct), pieces);
    expect(Math.sqrt(fitted?.spread?.variance ?? 0)).toBeGreaterThan(sd * 0.85);
    expect(Math.sqrt(fitted?.spread?.variance ?? 1)).toBeLessThan(sd * 1.15);
  });
});
