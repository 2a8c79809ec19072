import { describe, expect, it } from '@jest/globals';
import { backtestText, parseShift } from '../../../src/cli/backtest.js';
import type { Backtest } from '../../../src/domain/backtest.js';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);
const window = (hour: number) => ({
  startMs: START_MS + hour * HOUR_MS,
  endMs: START_MS + (hour + 1) * HOUR_MS,
});

const RESULT: Backtest = {
  model: 'churn',
  modelVersion: '3',
  referenceHash: 'abc',
  period: { startMs: START_MS, endMs: START_MS + 720 * HOUR_MS },
  windowMs: HOUR_MS,
  stepMs: HOUR_MS,
  windows: 720,
  emptyWindows: 4,
  hoursNotCounted: 3,
  policies: [
    {
      name: 'in force',
      level: { least: 0.02, greatest: 0.03 },
      driftedWindows: { drift: 12 },
      windowsBelowMinimum: 0,
      opened: 1,
      episodes: [
        {
          category: 'drift',
          severity: 'warning',
          firstWindow: window(4),
          openedBy: window(5),
          closedBy: null,
          features: ['age', ''],
        },
      ],
      pagesPerWeek: 0.2333,
      shifts: [
        {
          feature: 'age',
          kind: 'value',
          size: 0.5,
          starts: 50,
          detected: 49,
          medianDelayMs: 3 * HOUR_MS,
          p90DelayMs: null,
        },
        {
          feature: 'plan',
          kind: 'missing',
          size: 0.02,
          starts: 50,
          detected: 0,
          medianDelayMs: null,
          p90DelayMs: null,
        },
      ],
    },
    {
      name: 'deaf',
      level: { least: 0.001, greatest: 0.001 },
      driftedWindows: {},
      windowsBelowMinimum: 0,
      opened: 0,
      episodes: [],
      pagesPerWeek: 0,
      shifts: [],
    },
  ],
};

describe('backtest', () => {
  it('shows policies side by side, their episodes, and the planted shifts', () => {
    const text = backtestText(RESULT);
    expect(text).toContain('2026-01-01 to 2026-01-31: 720 windows of 1 h, 4 of them empty');
    expect(text).toContain('NOT COMPLETE: 3 hours');
    expect(text).toMatch(/in force\s+0\.02–0\.03\s+12 drift\s+1\s+0\.23/);
    expect(text).toMatch(/deaf\s+0\.001\s+none\s+0\s+0\.00/);
    expect(text).toMatch(/2026-01-01 06:00\s+still open\s+drift\s+warning\s+age, \(whole rows\)/);
    expect(text).toMatch(/age by 0\.5\s+in force\s+49 of 50\s+3 h\s+more than 30 d/);
    expect(text).toContain('plan 2 % missing');
    expect(text).not.toContain('Episodes that "deaf"');
  });

  it.each([
    ['age:0.5', { feature: 'age', kind: 'value', size: 0.5 }],
    ['a:b:-2', { feature: 'a:b', kind: 'value', size: -2 }],
    ['a:b:missing:0.02', { feature: 'a:b', kind: 'missing', size: 0.02 }],
    ['age', null],
    ['age:much', null],
    [':1', null],
  ])('reads the shift %s', (text, expected) => {
    expect(parseShift(text)).toEqual(expected);
  });
});
