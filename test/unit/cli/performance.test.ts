import { describe, expect, it } from '@jest/globals';
import { performanceText } from '../../../src/cli/performance.js';
import type { PerformanceAnswer, PerformancePeriod } from '../../../src/domain/performance-figures.js';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { NO_PERFORMANCE } from '../../support/performance-rows.js';

const period: PerformancePeriod = {
  window: { startMs: Date.UTC(2013, 2, 1), endMs: Date.UTC(2013, 3, 1) },
  predictions: 28_000,
  labelled: 27_000,
  maturity: 27 / 28,
  usualMaturity: 0.97,
  status: 'decided',
  reason: null,
  figures: {
    rocAuc: { value: 0.64651, low: 0.638, high: 0.655, rows: 27_000 },
    accuracy: { value: 0.81, low: 0.8, high: 0.82, rows: 27_000 },
  },
  confusion: [],
  classes: [],
};
const answer: PerformanceAnswer = {
  ...NO_PERFORMANCE,
  bucket: 'month',
  delays: [
    { withinMs: 0, share: 0, predictions: 28_000 },
    { withinMs: HOUR_MS, share: 0.25, predictions: 28_000 },
    { withinMs: 7 * DAY_MS, share: 0.96, predictions: 28_000 },
  ],
  reference: period,
  periods: [
    period,
    {
      ...period,
      window: { startMs: Date.UTC(2013, 3, 1), endMs: Date.UTC(2013, 3, 1, 6) },
      labelled: 7_000,
      maturity: 0.25,
      status: 'undecided',
      reason: 'labels_immature',
    },
  ],
};

describe('model performance', () => {
  it('shows a line for each period, what is undecided in brackets, and how long labels take', () => {
    const lines = performanceText(answer).split('\n');
    expect(lines[0]).toBe('churn version 3: binary');
    expect(lines[3]).toMatch(/^\(reference\) {2}/);
    expect(lines[4]).toMatch(/^2013-03-01 +28000 {2}96\.4 % +0\.647 \[0\.638, 0\.655\] +– +0\.810/);
    expect(lines[5]).toMatch(/25\.0 %.*\(0\.647 \[0\.638, 0\.655\]\).*labels_immature$/);
    expect(lines.slice(-2)).toEqual([
      'Undecided, in brackets: below 80 % of predictions labelled.',
      'Labels usually come: 25 % within 1 h, 96 % within 7 d.',
    ]);
  });

  it('says what to do where nothing has been measured', () => {
    expect(performanceText(NO_PERFORMANCE)).toContain('send labels to /v1/labels');
  });
});
