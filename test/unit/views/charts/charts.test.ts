import { describe, expect, test } from '@jest/globals';
import { parseHTML } from 'linkedom';
import type { Grid } from '../../../../src/domain/profile.js';
import { DAY_MS, type Window } from '../../../../src/domain/window.js';
import { distributionChart } from '../../../../src/views/charts/distribution.js';
import { sparkline } from '../../../../src/views/charts/sparkline.js';
import { timeSeriesChart } from '../../../../src/views/charts/time-series.js';
import { rebin } from '../../../../src/views/rebin.js';
import { buildSeries } from '../../../../src/views/summarise.js';
import { profileOf } from '../../../fakes/look-data.js';
import { START_MS, verdictOf } from '../../../fakes/look-verdicts.js';
import { expectGood } from '../../../support/expect-picture.js';

const day = (index: number): Window => ({
  startMs: START_MS + index * DAY_MS,
  endMs: START_MS + (index + 1) * DAY_MS,
});
const range = { startMs: START_MS, endMs: START_MS + 5 * DAY_MS };
const undecided = {
  status: 'undecided',
  reason: 'too_few_rows',
  statistic: null,
  effect: null,
  threshold: null,
  pValue: null,
} as const;
const rowsOf = (values: readonly (number | string | null)[]) =>
  values.map((value) => new Map([['x', value]]));

describe('time series', () => {
  const draw = (verdicts: Parameters<typeof buildSeries>[0]) =>
    timeSeriesChart(buildSeries(verdicts)[0] ?? null, { title: 'ks', range, unit: 'number' });

  test('shades material windows, hatches undecided ones, draws both alarm lines', () => {
    const text = expectGood(
      draw([
        verdictOf({ window: day(0) }),
        verdictOf({
          window: day(1),
          status: 'drifted',
          material: true,
          statistic: 0.6,
          effect: { value: 0.6, low: 0.5, high: 0.7 },
        }),
        verdictOf({ window: day(2), ...undecided }),
      ]),
    );
    expect(text.match(/fill="var\(--shade\)"/g)).toHaveLength(1);
    expect(text.match(/fill="url\(#hatch\)"/g)).toHaveLength(1);
    expect(text).toContain('stroke-dasharray="5 3"');
    expect(text).toContain('stroke-dasharray="1.5 3"');
  });

  test('one row, all undecided, all zero, infinite, none', () => {
    expectGood(draw([verdictOf({})]));
    expectGood(draw([0, 1, 2].map((index) => verdictOf({ window: day(index), ...undecided }))));
    expectGood(
      draw([
        verdictOf({ statistic: 0, threshold: 0, minimumEffect: 0, effect: { value: 0, low: 0, high: 0 } }),
      ]),
    );
    const text = draw([verdictOf({ statistic: Number.POSITIVE_INFINITY, effect: null })]).text;
    expect(text).not.toMatch(/NaN|="[^"]*Infinity/);
    expect(draw([]).text).toContain('Nothing has been judged');
  });

  test('the line does not run across a gap', () => {
    const line = (verdicts: Parameters<typeof buildSeries>[0]) =>
      /aria-label="line"><path[^>]*stroke="var\(--current\)"[^>]*d="([^"]*)"|stroke="var\(--current\)"[^>]*><path[^>]*d="([^"]*)"/.exec(
        draw(verdicts).text,
      );
    const closed = line([0, 1, 2].map((index) => verdictOf({ window: day(index) })));
    const gap = line([0, 1, 3, 4].map((index) => verdictOf({ window: day(index) })));
    const moves = (match: RegExpExecArray | null) => (match?.[1] ?? match?.[2] ?? '').split('M').length - 1;
    expect(moves(closed)).toBe(1);
    expect(moves(gap)).toBe(2);
  });
});

describe('distribution', () => {
  const numeric: Grid = { kind: 'numeric', feature: 'x', cutPoints: [1, 2, 3], quantum: 1 };

  test('draws both sides on the same axes', () => {
    const distribution = rebin(
      numeric,
      profileOf(numeric, rowsOf([1, 2, 3])),
      profileOf(numeric, rowsOf([3, 3, 3.5])),
    );
    const text = expectGood(distributionChart(distribution, 'now'), 2);
    expect(text).toContain('var(--reference)');
    expect(text).toContain('var(--current)');
  });

  test('stripes what lies beyond the reference, and says so', () => {
    const grid: Grid = { ...numeric, cutPoints: Array.from({ length: 50 }, (_, i) => i) };
    const inside = profileOf(grid, rowsOf(Array.from({ length: 50 }, (_, i) => i)));
    const above = profileOf(grid, rowsOf(Array.from({ length: 50 }, (_, i) => 60 + i)));
    const text = expectGood(distributionChart(rebin(grid, inside, above), 'now'), 2);
    expect(text).toContain('url(#beyond-current)');
    expect(text).not.toContain('url(#beyond-reference)');
    expect(text).toContain('striped: outside the reference’s range');
    expect(distributionChart(rebin(grid, inside, inside), 'now').text).not.toMatch(/beyond-|striped/);
  });

  test('a few values stand on the axis themselves', () => {
    const grid: Grid = { ...numeric, cutPoints: [0, 1] };
    const zeros = profileOf(grid, rowsOf([0, 1, 1]));
    const text = expectGood(distributionChart(rebin(grid, zeros, zeros), 'now'), 2);
    const labels = [...text.matchAll(/<text[^>]*>([^<%]+)<\/text>/g)].map(([, label]) => label);
    expect(labels).toEqual(['0', '1', '0', '1']);
  });

  test('constant, one-sided, empty', () => {
    const constant: Grid = { ...numeric, cutPoints: [0] };
    const zeros = profileOf(constant, rowsOf([0, 0]));
    expectGood(distributionChart(rebin(constant, zeros, zeros), 'now'), 2);
    expect(expectGood(distributionChart(rebin(constant, null, zeros), 'now'), 1)).toContain(
      'No reference is registered',
    );
    expect(expectGood(distributionChart(rebin(constant, zeros, null), 'now'), 1)).toContain(
      'No rows in this window',
    );
    expect(distributionChart(rebin(constant, null, null), 'now').text).toContain('No values of this feature');
    expect(distributionChart(null, 'now').text).toContain('No values of this feature');
  });

  test('all values missing draws nothing but says how many are', () => {
    const none = profileOf(numeric, rowsOf([null, null]));
    const text = distributionChart(rebin(numeric, profileOf(numeric, rowsOf([1])), none), 'now').text;
    expect(text).toContain('100\u00a0% missing');
    expect(text).not.toContain('NaN');
  });

  test('one category, and 100,000', () => {
    const one: Grid = { kind: 'categorical', feature: 'x', categories: ['only'], headSize: 1 };
    const only = profileOf(one, rowsOf(['only']));
    expectGood(distributionChart(rebin(one, only, only), 'now'), 2);
    const categories = Array.from({ length: 100_000 }, (_, index) => `c${index}`);
    const many: Grid = { kind: 'categorical', feature: 'x', categories, headSize: 1_000 };
    const text = expectGood(
      distributionChart(
        rebin(many, profileOf(many, rowsOf(categories.slice(0, 3_000))), profileOf(many, rowsOf(['new']))),
        'now',
      ),
      2,
    );
    expect(text.length).toBeLessThan(60_000);
    expect(text).toContain('99,988 others');
  });

  test('markup in categories stays text', () => {
    const grid: Grid = {
      kind: 'categorical',
      feature: 'x',
      categories: ['<img src=x onerror=alert(1)>'],
      headSize: 1,
    };
    const profile = profileOf(grid, rowsOf(['<img src=x onerror=alert(1)>']));
    const text = distributionChart(rebin(grid, profile, profile), 'now').text;
    expect(text).not.toContain('<img');
    const { document } = parseHTML(`<!doctype html><html><body>${text}</body></html>`);
    expect(document.querySelectorAll('img')).toHaveLength(0);
  });
});

describe('sparkline', () => {
  test('is small, named and finite', () => {
    const grid: Grid = { kind: 'numeric', feature: 'x', cutPoints: [1, 2], quantum: 1 };
    const { text } = sparkline(rebin(grid, profileOf(grid, rowsOf([1, 2])), profileOf(grid, rowsOf([2]))));
    expect(text).toContain('<title>');
    expect(text).not.toContain('NaN');
    expect(sparkline(null).text).not.toContain('<svg');
    expect(sparkline(rebin(grid, null, profileOf(grid, rowsOf([null, 1])))).text).not.toContain('NaN');
  });
});
