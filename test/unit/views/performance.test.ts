import { describe, expect, it } from '@jest/globals';
import type { PerformanceAnswer, PerformancePeriod } from '../../../src/domain/performance-figures.js';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { html } from '../../../src/views/html.js';
import { bucketFor, performanceSection } from '../../../src/views/performance.js';
import { NO_PERFORMANCE } from '../../support/performance-rows.js';

const START_MS = Date.UTC(2013, 2, 1);
const range = { startMs: START_MS, endMs: START_MS + 10 * DAY_MS };

function period(day: number, overrides: Partial<PerformancePeriod> = {}): PerformancePeriod {
  return {
    window: { startMs: START_MS + day * DAY_MS, endMs: START_MS + (day + 1) * DAY_MS },
    predictions: 1_000,
    labelled: 970,
    maturity: 0.97,
    usualMaturity: 0.96,
    status: 'decided',
    reason: null,
    figures: {
      rocAuc: { value: 0.64 + day / 500, low: 0.6, high: 0.68, rows: 970 },
      accuracy: { value: 0.8, low: 0.78, high: 0.82, rows: 970 },
      calibrationError: { value: 0.05, low: null, high: null, rows: 970 },
    },
    confusion: [],
    classes: [],
    ...overrides,
  };
}
const young = { status: 'undecided', reason: 'labels_immature', maturity: 0.3, labelled: 300 } as const;
const answer: PerformanceAnswer = {
  ...NO_PERFORMANCE,
  reference: period(-20),
  delays: [
    { withinMs: 6 * HOUR_MS, share: 0.5, predictions: 9_000 },
    { withinMs: DAY_MS, share: 0.95, predictions: 9_000 },
  ],
  periods: [...Array.from({ length: 9 }, (_, day) => period(day)), period(9, young)],
};
const textOf = (shown: PerformanceAnswer | null) => String(html`${performanceSection(shown, range)}`);

describe('the section on performance', () => {
  it('shows a picture, the newest periods, and what too few labels tell in brackets', () => {
    const text = textOf(answer);
    expect(text).toContain('<h2>Performance</h2>');
    expect(text).toContain('<title>ROC AUC over time</title>');
    expect(text).toContain('9 periods with enough labels, 1 without');
    expect(text).toContain('usually takes 1 d');
    expect(text).toContain('title="0.6 to 0.68"');
    expect(text).toContain('(0.658)');
    expect(text).toContain('too few of the rows have their label yet');
    expect(text).not.toMatch(/NaN|undefined/);
  });

  it('draws what there is: undecided periods alone, none with a figure, no reference', () => {
    const undecided = { ...answer, reference: null, periods: [period(0, young)] };
    expect(textOf(undecided)).toContain('0 periods with enough labels, 1 without');
    const without = { ...answer, reference: null, periods: [period(0, { figures: {} })] };
    expect(textOf(without)).toContain('<td class="num">1,000</td>');
    for (const shown of [undecided, without]) expect(textOf(shown)).not.toMatch(/NaN|undefined/);
  });

  it('is not there without any label', () => {
    expect(textOf(null)).toBe('');
    expect(textOf({ ...answer, periods: [period(0, { labelled: 0 })] })).toBe('');
  });

  it('cuts time so that a picture can tell pieces apart', () => {
    const of = (days: number) => bucketFor({ startMs: 0, endMs: days * DAY_MS });
    expect([of(2), of(92), of(365), of(3_000)]).toEqual(['hour', 'day', 'week', 'month']);
  });
});
