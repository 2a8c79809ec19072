import { describe, expect, test } from '@jest/globals';
import { DAY_MS, HOUR_MS, type Window } from '../../../src/domain/window.js';
import { buildHeatmap, buildMonths, buildSeries, leadVerdict } from '../../../src/views/summarise.js';
import { START_MS, verdictOf } from '../../fakes/look-verdicts.js';

const hours = (start: number, length: number): Window => ({
  startMs: START_MS + start * HOUR_MS,
  endMs: START_MS + (start + length) * HOUR_MS,
});
const drifted = {
  status: 'drifted',
  material: true,
  statistic: 0.6,
  effect: { value: 0.6, low: 0.5, high: 0.7 },
} as const;
const undecided = {
  status: 'undecided',
  reason: 'too_few_rows',
  statistic: null,
  effect: null,
  threshold: null,
} as const;
const runOf = (window: Window, status: 'judged' | 'no_data') =>
  ({ model: 'm', modelVersion: '1', window, referenceHash: '', status, rows: 0, atMs: 0 }) as const;

describe('heatmap', () => {
  test('rows run from the most to the least drifted, features without verdicts last', () => {
    const verdicts = [
      verdictOf({ feature: 'calm', window: hours(0, 24) }),
      verdictOf({ feature: 'loud', window: hours(0, 24), ...drifted }),
      verdictOf({ feature: 'loud', window: hours(24, 24), ...drifted }),
      verdictOf({ feature: 'once', window: hours(24, 24), ...drifted }),
    ];
    const heatmap = buildHeatmap(['silent', 'calm', 'once', 'loud'], verdicts, [], hours(0, 48));
    expect(heatmap.features).toEqual(['loud', 'once', 'calm', 'silent']);
    expect(heatmap.cells.map((cell) => [cell.row, cell.look])).toEqual([
      [0, 'material'],
      [0, 'material'],
      [1, 'material'],
      [2, 'stable'],
    ]);
  });

  test('overlapping windows stand where they end, a step wide', () => {
    const verdicts = [0, 1, 2].map((step) => verdictOf({ window: hours(step, 24) }));
    const heatmap = buildHeatmap(['temp'], verdicts, [], hours(0, 26));
    expect(heatmap.columnMs).toBe(HOUR_MS);
    expect(heatmap.cells.map((cell) => cell.column)).toEqual([hours(23, 1), hours(24, 1), hours(25, 1)]);
  });

  test('too many windows share columns, and a column shows its worst', () => {
    const verdicts = Array.from({ length: 24 * 40 }, (_, hour) =>
      verdictOf({ window: hours(hour, 1), ...(hour === 30 ? drifted : {}) }),
    );
    const heatmap = buildHeatmap(['temp'], verdicts, [], hours(0, 24 * 40));
    expect(heatmap.columnMs).toBe(DAY_MS);
    expect(heatmap.cells).toHaveLength(40);
    expect(heatmap.cells[1]).toMatchObject({ look: 'material', windows: 24, window: hours(30, 1) });
    expect(heatmap.cells[0]?.look).toBe('stable');
  });

  test('an outage marks windows without verdicts, and never covers one with', () => {
    const runs = [runOf(hours(0, 24), 'no_data'), runOf(hours(24, 24), 'no_data')];
    const heatmap = buildHeatmap(['temp'], [verdictOf({ window: hours(24, 24) })], runs, hours(0, 48));
    expect(new Map(heatmap.cells.map((cell) => [cell.column.startMs, cell.look]))).toEqual(
      new Map([
        [hours(0, 24).startMs, 'no_data'],
        [hours(24, 24).startMs, 'stable'],
      ]),
    );
  });

  test('ten years of days stay a few hundred columns', () => {
    const verdicts = [0, 24, 24 * 3_649].map((start) => verdictOf({ window: hours(start, 24) }));
    const heatmap = buildHeatmap(['temp'], verdicts, [], hours(0, 24 * 3_650));
    expect((heatmap.range.endMs - heatmap.range.startMs) / heatmap.columnMs).toBeLessThanOrEqual(400);
  });
});

describe('series', () => {
  test('primary shape tests first, companions next, descriptive last; in time order', () => {
    const series = buildSeries([
      verdictOf({ detector: 'psi', role: 'descriptive' }),
      verdictOf({ detector: 'constant', category: 'dataQuality', role: 'descriptive' }),
      verdictOf({ detector: 'missing', category: 'dataQuality' }),
      verdictOf({ window: hours(24, 24) }),
      verdictOf({ window: hours(0, 24) }),
    ]);
    expect(series.map((each) => each.detector)).toEqual(['ks', 'missing', 'psi', 'constant']);
    expect(series[0]?.points.map((point) => point.window)).toEqual([hours(0, 24), hours(24, 24)]);
  });

  test('the material line is drawn only where statistic and effect are one', () => {
    const chi = verdictOf({
      detector: 'chiSquare',
      statistic: 40,
      threshold: 30,
      effect: { value: 0.08, low: 0, high: 1 },
    });
    expect(buildSeries([chi])[0]?.minimumEffect).toBeNull();
    expect(buildSeries([verdictOf({})])[0]?.minimumEffect).toBe(0.1);
    const fewer = verdictOf({
      detector: 'missing',
      statistic: 0.05,
      effect: { value: -0.05, low: -0.08, high: -0.02 },
    });
    expect(buildSeries([fewer])[0]?.minimumEffect).toBe(0.1);
  });
});

describe('months', () => {
  test('count windows and rank what drifted', () => {
    const april = (Date.UTC(2013, 3, 1) - START_MS) / HOUR_MS;
    const verdicts = [
      verdictOf({ window: hours(0, 24) }),
      verdictOf({ window: hours(24, 24), ...drifted }),
      verdictOf({ window: hours(48, 24), ...undecided }),
      verdictOf({ feature: 'humid', window: hours(24, 24) }),
      verdictOf({
        window: hours(april, 24),
        ...drifted,
        statistic: 0.3,
        effect: { value: 0.3, low: 0, high: 1 },
      }),
    ];
    const period = { startMs: START_MS, endMs: Date.UTC(2013, 3, 3) };
    const [march, second, ...rest] = buildMonths(verdicts, [runOf(hours(72, 24), 'no_data')], period);
    expect(rest).toEqual([]);
    expect(march).toMatchObject({
      windowsJudged: 3,
      windowsDrifted: 1,
      windowsUndecided: 1,
      windowsNoData: 1,
    });
    expect(march?.features).toEqual([
      {
        feature: 'temp',
        detector: 'ks',
        windowsMaterial: 1,
        windowsSignificant: 1,
        windowsDecided: 2,
        medianEffect: expect.closeTo(0.325, 12),
        maxEffect: 0.6,
        maxRatio: 0.6 / 0.2,
        worstWindow: hours(24, 24),
      },
    ]);
    expect(second).toMatchObject({ windowsJudged: 1, windowsDrifted: 1, window: { endMs: period.endMs } });
  });

  test('features whose names share a separator are not mixed up', () => {
    const months = buildMonths(
      [
        verdictOf({ feature: 'a b', detector: 'ks', ...drifted }),
        verdictOf({ feature: 'b', detector: 'ks a', ...drifted }),
      ],
      [],
      hours(0, 24),
    );
    expect(months[0]?.features).toHaveLength(2);
  });
});

test('the lead verdict is the material one, else the shape test', () => {
  const missing = verdictOf({ detector: 'missing', category: 'dataQuality' });
  const material = { ...missing, ...drifted };
  expect(leadVerdict([missing, verdictOf({})])?.detector).toBe('ks');
  expect(leadVerdict([material, verdictOf({})])?.detector).toBe('missing');
  expect(leadVerdict([])).toBeNull();
});
