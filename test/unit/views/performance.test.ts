import { describe, expect, it } from '@jest/globals';
import type { PerformanceAnswer, PerformancePeriod } from '../../../src/domain/performance-figures.js';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { html } from '../../../src/views/html.js';
import { bucketFor, estimatedBucketFor, type KnownPerformance } from '../../../src/views/load-performance.js';
import { performanceSection } from '../../../src/views/performance.js';
import { estimateOf, NO_ERRORS, NO_ESTIMATES, NO_PERFORMANCE } from '../../support/performance-rows.js';

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
const shownOf = (shown: KnownPerformance | null) => String(html`${performanceSection(shown, range)}`);
const textOf = (performance: PerformanceAnswer) =>
  shownOf({ performance, estimates: null, conceptDrift: null });

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
    expect(shownOf(null)).toBe('');
    expect(textOf({ ...answer, periods: [period(0, { labelled: 0 })] })).toBe('');
  });

  describe('with estimates', () => {
    const windows = answer.periods.map(({ window }) => window);
    const estimates = {
      ...NO_ESTIMATES,
      learnedFrom: 2_400,
      periods: windows.map((window, day) =>
        day === 2
          ? estimateOf(window, { status: 'undecided', reason: 'no_scores', figures: {} })
          : estimateOf(window, {
              // Realised figures rise out of it from the sixth day on.
              figures: {
                rocAuc: { value: 0.64, low: 0.63, high: 0.651, samplingError: 0.01, calibrationError: 0.01 },
              },
            }),
      ),
    };
    const known: KnownPerformance = { performance: answer, estimates, conceptDrift: null };

    it('has both in one picture and one table, and says how often they part', () => {
      const text = shownOf(known);
      expect(text).toContain('9 periods estimated, latest 0.64');
      expect(text.match(/estimated 0\.64 \(0\.63 to 0\.651\)\n300 of 1000 labelled/)).not.toBeNull();
      expect(text).toContain('est. 0.64');
      expect(text).toContain('no estimate: the predictions have no scores');
      expect(text).toContain('within its estimate’s interval in 5 of 8 periods with enough labels');
      expect(text).toContain('estimated before labels');
      expect(text).not.toMatch(/NaN|undefined/);
      const bands = /<g[^>]*fill="var\(--special\)"[^>]*>(.*?)<\/g>/s.exec(text)?.[1] ?? '';
      expect(bands.match(/<rect/g)).toHaveLength(9);
    });

    it('stands without any label where something was estimated, and is absent where nothing was', () => {
      const unlabelled = {
        ...known,
        performance: { ...answer, reference: null, periods: [] },
      };
      const text = shownOf(unlabelled);
      expect(text).toContain('0 periods with enough labels, 0 without; latest –; 9 periods estimated');
      expect(text).toContain('<td class="num">1,000</td>');
      expect(text).not.toMatch(/NaN|undefined|realised, by labels|lies within/);
      const nothing = windows.map((window) =>
        estimateOf(window, { status: 'undecided', reason: 'no_labelled_reference', figures: {} }),
      );
      expect(shownOf({ ...unlabelled, estimates: { ...estimates, periods: nothing } })).toBe('');
    });

    it('has nothing of estimates without them', () => {
      expect(textOf(answer)).not.toMatch(/estimated|est\./);
    });
  });

  describe('with concept drift', () => {
    const at = (hours: number) => START_MS + hours * HOUR_MS;
    const conceptDrift = {
      ...NO_ERRORS,
      errors: 9_000,
      unmatched: 2,
      detectors: [
        { detector: 'adwin', errors: 3_384, meanError: 0.2816 },
        { detector: 'ddm', errors: 0, meanError: null },
      ],
      detections: [
        { detector: 'adwin', position: 8_000, labelMs: at(200) },
        { detector: 'ddm', position: 900, labelMs: at(21) },
        { detector: 'adwin', position: 890, labelMs: at(20.5) },
      ],
    } as const;
    const text = shownOf({ performance: answer, estimates: null, conceptDrift });

    it('marks in the picture where errors changed, near ones by one mark', () => {
      expect(text).toContain('3 changes of the errors');
      expect(text).toContain('Errors changed\n1 Mar 2013 20:30 · adwin\n1 Mar 2013 21:00 · ddm<');
      expect(text.match(/Errors changed/g)).toHaveLength(2);
    });

    it('lists what each detector saw, and that nobody is alarmed', () => {
      expect(text).toMatch(
        /ADWIN: a rise or a fall<\/td><td class="num">2<\/td>.*9 Mar 2013 08:00 .*labelled prediction 8,000.*3,384.*0\.282/,
      );
      expect(text).toMatch(
        /DDM: a rise<\/td><td class="num">1<\/td>.*<td class="num">0<\/td><td class="num">–/,
      );
      expect(text).not.toContain('Page–Hinkley');
      expect(text).toContain('2 labels without a prediction');
      expect(text).toContain('they open no episode');
    });

    it('says nothing before the first label was looked at', () => {
      const before = shownOf({ performance: answer, estimates: null, conceptDrift: NO_ERRORS });
      expect(before).not.toContain('stream of errors');
      expect(before).not.toContain('errors changed');
    });
  });

  it('cuts time so that a picture can tell pieces apart', () => {
    const of = (days: number) => bucketFor({ startMs: 0, endMs: days * DAY_MS });
    expect([of(2), of(92), of(365), of(3_000)]).toEqual(['hour', 'day', 'week', 'month']);
    const estimated = (days: number) => estimatedBucketFor({ startMs: 0, endMs: days * DAY_MS });
    expect([estimated(1), estimated(31), estimated(92), estimated(365)]).toEqual([
      'hour',
      'day',
      'week',
      'month',
    ]);
  });
});
