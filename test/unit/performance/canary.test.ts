import { describe, expect, it } from '@jest/globals';
import type { VersionFigure } from '../../../src/domain/version-comparison.js';
import { HOUR_MS } from '../../../src/domain/window.js';
import { judgeDifference, singleLook } from '../../../src/performance/canary.js';
import { type DifferenceEstimate, designEffectOf } from '../../../src/performance/difference.js';

const LEVEL = 0.05;
/** Of independent rows, spread over so many hours. */
function estimate(
  overrides: Partial<DifferenceEstimate> & { readonly hours?: number } = {},
): DifferenceEstimate {
  const { hours = 100, ...rest } = overrides;
  const variance = rest.variance ?? 1e-6;
  const share = Math.sqrt(variance / hours) * 0.5;
  return {
    champion: 0.7,
    challenger: 0.75,
    difference: 0.05,
    variance,
    rows: 10_000,
    telling: 2_000,
    influences: new Map(
      Array.from({ length: hours }, (_, i) => [i * HOUR_MS, i % 2 === 0 ? share : -share] as const),
    ),
    ...rest,
  };
}
const judge = (figure: VersionFigure, one: DifferenceEstimate, margin = 0.01, immatureBy = 0) =>
  judgeDifference(figure, one, { margin, level: LEVEL, immatureBy, minimumDays: 2 });

describe('a canary’s verdict', () => {
  it('knows of which figures more is better', () => {
    for (const [figure, verdict] of [
      ['rocAuc', 'better'],
      ['accuracy', 'better'],
      ['logLoss', 'worse'],
      ['brier', 'worse'],
      ['meanAbsoluteError', 'worse'],
      ['meanSquaredError', 'worse'],
    ] as const) {
      expect(judge(figure, estimate())).toMatchObject({ verdict, reason: null, labelsNeeded: null });
      const other = judge(figure, estimate({ difference: -0.05 }));
      expect(other.verdict).toBe(verdict === 'better' ? 'worse' : 'better');
    }
  });

  it('is equivalent only where the whole sequence lies within the margin', () => {
    expect(judge('rocAuc', estimate({ difference: 0.002, variance: 1e-6 }))).toMatchObject({
      verdict: 'equivalent',
    });
    expect(judge('rocAuc', estimate({ difference: 0.002, variance: 1e-5 }))).toMatchObject({
      verdict: 'undecided',
      reason: 'interval_too_wide',
    });
  });

  it('tells how many labels are still needed, and that many then decide', () => {
    const before = estimate({ difference: 0.004, variance: 2e-5 });
    const { labelsNeeded } = judge('rocAuc', before);
    if (labelsNeeded?.atMost == null) throw new RangeError('nothing is needed');
    expect(labelsNeeded.expected).toBeLessThan(labelsNeeded.atMost);
    const later = (more: number, difference: number) => {
      const rows = before.rows + more;
      return judge('rocAuc', estimate({ difference, rows, variance: (before.variance * before.rows) / rows }))
        .verdict;
    };
    expect(later(labelsNeeded.expected, 0.004)).toBe('equivalent');
    expect(later(labelsNeeded.expected - 2, 0.004)).toBe('undecided');
    for (const difference of [0, 0.003, 0.005, 0.0051, 0.008])
      expect(later(labelsNeeded.atMost, difference)).not.toBe('undecided');
    expect(later(labelsNeeded.atMost - 2, 0.005)).toBe('undecided');
  });

  it('is undecided without rows that tell, without seven hours, and before labels have come', () => {
    expect(judge('accuracy', estimate({ telling: 49 }))).toMatchObject({
      verdict: 'undecided',
      reason: 'too_few_rows',
      sequence: null,
    });
    expect(judge('accuracy', estimate({ hours: 6 }))).toMatchObject({ reason: 'too_few_rows' });
    expect(judge('accuracy', estimate({ hours: 24 }))).toMatchObject({ reason: 'too_few_days' });
    expect(judge('accuracy', estimate(), 0.01, 120)).toMatchObject({
      verdict: 'undecided',
      reason: 'labels_immature',
      labelsNeeded: { expected: 120, atMost: null },
    });
  });

  it('is more careful where rows of one hour are alike', () => {
    const influences = new Map(Array.from({ length: 100 }, (_, i) => [i * HOUR_MS, (i % 2) * 6e-4 - 3e-4]));
    const alike = estimate({ variance: 1e-6, influences });
    // The hours' own, with Student's 97.5 % point for 99 degrees of freedom.
    const effect = ((100 * 9e-8 * (100 / 99)) / 1e-6) * (1.9842169515 / 1.9599639845) ** 2;
    expect(designEffectOf(alike)).toBeCloseTo(effect, 9);
    const { low, high } = singleLook(alike, effect);
    expect((high ?? 0) - (low ?? 0)).toBeCloseTo(2 * 1.959964 * 1e-3 * Math.sqrt(effect), 8);
  });
});
