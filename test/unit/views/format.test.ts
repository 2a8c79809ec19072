import { describe, expect, test } from '@jest/globals';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import {
  formatDuration,
  formatNumber,
  formatPercent,
  formatPValue,
  formatRatio,
  formatTime,
  formatWindow,
  parseWindow,
  windowParameter,
} from '../../../src/views/format.js';

const MARCH = Date.UTC(2013, 2, 14);

describe('numbers', () => {
  test.each([
    [0, '0'],
    [0.012345, '0.0123'],
    [45.278, '45.3'],
    [1017.4, '1,017'],
    [12_345.6, '12,346'],
    [-3.1372, '−3.14'],
    [1.5e-7, '1.5e−7'],
    [3e12, '3.0e+12'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '∞'],
    [null, '–'],
  ])('%p reads %s', (value, text) => expect(formatNumber(value)).toBe(text));

  test.each([
    [0, '0 %'],
    [0.00001, '< 0.01 %'],
    [0.1234, '12.3 %'],
    [0.99961, '99.96 %'],
    [1, '100 %'],
    [Number.NaN, '–'],
  ])('share %p reads %s', (value, text) => expect(formatPercent(value).replaceAll('\u00a0', ' ')).toBe(text));

  test('p-values and ratios', () => {
    expect([formatPValue(0.00001), formatPValue(0.0423), formatPValue(null)]).toEqual([
      '< 0.0001',
      '0.042',
      '–',
    ]);
    expect([formatRatio(1.04), formatRatio(12.3), formatRatio(1e6), formatRatio(null)]).toEqual([
      '1.0×',
      '12×',
      '> 100×',
      '–',
    ]);
  });

  test('durations', () => {
    expect([45 * 60_000, 6 * HOUR_MS, 2 * DAY_MS, 76 * HOUR_MS].map(formatDuration)).toEqual([
      '45 min',
      '6 h',
      '2 d',
      '3 d 4 h',
    ]);
  });
});

describe('windows', () => {
  test.each([
    [MARCH, MARCH + DAY_MS, '14 Mar 2013'],
    [MARCH, MARCH + 7 * DAY_MS, '14–20 Mar 2013'],
    [MARCH, MARCH + 30 * DAY_MS, '14 Mar – 12 Apr 2013'],
    [MARCH, MARCH + 365 * DAY_MS, '14 Mar 2013 – 13 Mar 2014'],
    [MARCH + 5 * HOUR_MS, MARCH + 6 * HOUR_MS, '14 Mar 2013 05:00–06:00'],
    [MARCH + 23 * HOUR_MS, MARCH + DAY_MS, '14 Mar 2013 23:00–00:00'],
    [MARCH + 23 * HOUR_MS, MARCH + 47 * HOUR_MS, '14 Mar 2013 23:00 – 15 Mar 2013 23:00'],
  ])('%p to %p reads %s', (startMs, endMs, text) => expect(formatWindow({ startMs, endMs })).toBe(text));

  test('instants beyond the calendar are no dates', () => {
    expect(formatTime(9e15)).toBe('–');
    expect(formatWindow({ startMs: 0, endMs: Number.POSITIVE_INFINITY })).toBe('–');
  });

  test('survive the query string', () => {
    for (const window of [
      { startMs: MARCH, endMs: MARCH + DAY_MS },
      { startMs: MARCH + HOUR_MS, endMs: MARCH + 2 * HOUR_MS },
      { startMs: 0, endMs: HOUR_MS },
    ])
      expect(parseWindow(windowParameter(window))).toEqual(window);
    expect(parseWindow('2013-03-14/2013-03-15')).toEqual({ startMs: MARCH, endMs: MARCH + DAY_MS });
  });

  test.each([
    '',
    'x',
    '2013-03-14',
    '2013-03-15/2013-03-14',
    '2013-13-01/2013-14-01',
    '2013-03-14T00:30Z/2013-03-15',
    '1/2',
  ])('refuses %p', (text) => expect(parseWindow(text)).toBeNull());
});
