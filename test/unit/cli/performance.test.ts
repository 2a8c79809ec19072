import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { estimatedText, performanceText, showPerformance } from '../../../src/cli/performance.js';
import type { PerformanceAnswer, PerformancePeriod } from '../../../src/domain/performance-figures.js';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { estimateOf, NO_ESTIMATES, NO_PERFORMANCE } from '../../support/performance-rows.js';

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

  it('shows what was expected beside what labels have shown, and what is expected where none came', () => {
    const [first, second] = answer.periods;
    if (first === undefined || second === undefined) throw new Error('the answer has two periods');
    const third = { startMs: second.window.endMs, endMs: second.window.endMs + DAY_MS };
    const lines = estimatedText(answer, {
      ...NO_ESTIMATES,
      learnedFrom: 2_400,
      periods: [
        estimateOf(first.window),
        estimateOf(second.window, { status: 'undecided', reason: 'no_scores', figures: {} }),
        estimateOf(third),
      ],
    }).split('\n');
    expect(lines[0]).toBe('churn version 3: binary, expected from 2,400 labelled reference rows');
    expect(lines[1]).toMatch(/^from +predictions +labelled +expected rocAuc +realised$/);
    expect(lines[3]).toMatch(/^2013-03-01 .*96\.4 % +0\.606 \[0\.595, 0\.618\] +0\.647 \[0\.638, 0\.655\]$/);
    expect(lines[4]).toMatch(/25\.0 % +– +\(0\.647 \[0\.638, 0\.655\]\) +no_scores$/);
    expect(lines[5]).toMatch(/^2013-04-01T06:00 .* 0\.0 % +0\.606 \[0\.595, 0\.618\] +–$/);
    expect(estimatedText(answer, NO_ESTIMATES)).toContain('wait for the next detection cycle');
  });

  it('asks for both over the same time, and gives them as one document', async () => {
    const asked: string[] = [];
    const client = {
      get: async (path: string) => {
        asked.push(path);
        return path.includes('/estimates?') ? NO_ESTIMATES : answer;
      },
    };
    const run = async (estimated: boolean) => {
      const output = { json: true, stdout: new PassThrough(), stderr: new PassThrough() };
      await showPerformance(
        client,
        { model: 'a/b', version: '3', from: '2013-03-01', bucket: 'month', estimated },
        output,
      );
      output.stdout.end();
      return JSON.parse(await text(output.stdout)) as object;
    };
    expect(await run(true)).toEqual({ ...answer, estimates: NO_ESTIMATES });
    expect(asked).toEqual([
      '/v1/models/a%2Fb/performance?version=3&bucket=month&from=2013-03-01',
      '/v1/models/a%2Fb/estimates?version=3&bucket=month&from=2013-03-01',
    ]);
    expect(await run(false)).toEqual(answer);
    expect(asked).toHaveLength(3);
  });
});
