import { describe, expect, it } from '@jest/globals';
import { judgeVolume, volumeHistory } from '../../../src/detectors/volume.js';
import { DAY_MS, HOUR_MS, type Window } from '../../../src/domain/window.js';
import { judge, modelOf, referenceOf } from '../../support/judge-fixture.js';

const model = modelOf({ x: 'numeric' });
const monday = Date.UTC(2026, 0, 5);
const hourly = { startMs: monday + 28 * DAY_MS + 9 * HOUR_MS, endMs: monday + 28 * DAY_MS + 10 * HOUR_MS };

/** Busy by day, quiet by night, half on weekends, and a little uneven. */
function usual({ startMs }: Window): number {
  const hour = (startMs % DAY_MS) / HOUR_MS;
  const weekend = [5, 6].includes((((startMs - monday) / DAY_MS) % 7) | 0);
  const uneven = 1 + 0.1 * Math.sin(startMs / 7.7e6);
  return Math.round((hour >= 8 && hour < 20 ? 1_000 : 40) * (weekend ? 0.5 : 1) * uneven);
}

const verdictOf = (rows: number, window: Window = hourly, rowsOf: (window: Window) => number = usual) =>
  judgeVolume({
    model,
    reference: referenceOf(10),
    window,
    rows,
    history: volumeHistory(window).map((each) => ({ window: each, rows: rowsOf(each) })),
    level: 0.01,
  });

describe('volume', () => {
  it('looks 28 days back, and twelve windows at least', () => {
    const windows = volumeHistory(hourly);
    expect(windows).toHaveLength(672);
    expect(windows[0]?.startMs).toBe(hourly.startMs - 28 * DAY_MS);
    expect(windows.at(-1)?.endMs).toBe(hourly.startMs);
    expect(volumeHistory({ startMs: monday, endMs: monday + 7 * DAY_MS })).toHaveLength(12);
    expect(volumeHistory({ startMs: 2 * DAY_MS, endMs: 3 * DAY_MS })).toHaveLength(2);
  });

  it('expects of an hour what the same hour of the week brought', () => {
    const nine = verdictOf(usual(hourly));
    expect([nine.status, nine.parameters.sameHour]).toEqual(['stable', 'week']);
    expect(nine.parameters.expectedRows).toBeGreaterThan(850);
    const night = { startMs: hourly.startMs - 7 * HOUR_MS, endMs: hourly.endMs - 7 * HOUR_MS };
    expect(verdictOf(usual(night), night).status).toBe('stable');
    expect(verdictOf(1_000, night)).toMatchObject({ status: 'drifted', material: true });
  });

  it('tells a fall to a third, by its relative size', () => {
    const verdict = verdictOf(300);
    expect([verdict.status, verdict.material, verdict.role, verdict.category]).toEqual([
      'drifted',
      true,
      'descriptive',
      'dataQuality',
    ]);
    expect(verdict.effect?.value).toBeCloseTo(300 / Number(verdict.parameters.expectedRows) - 1, 12);
    expect(verdict.effect?.high).toBeLessThan(-0.4);
    expect(verdict.statistic).toBeGreaterThan(verdict.threshold ?? Infinity);
    expect(verdict.smallestVisibleEffect).toBeGreaterThan(0);
  });

  it('is significant but not material where traffic is steady and falls a little', () => {
    const steady = () => 1_000;
    expect(verdictOf(800, hourly, steady)).toMatchObject({ status: 'drifted', material: false });
    expect(verdictOf(990, hourly, steady)).toMatchObject({ status: 'stable', material: false });
  });

  it('turns drifted exactly at its threshold', () => {
    const steady = () => 1_000;
    const { threshold, parameters } = verdictOf(1_000, hourly, steady);
    const critical = Number(parameters.expectedRows) * Math.exp(threshold ?? 0);
    expect(verdictOf(Math.ceil(critical), hourly, steady).status).toBe('drifted');
    expect(verdictOf(Math.floor(critical) - 1, hourly, steady).status).toBe('stable');
  });

  it('says no data of an outage, and nothing while it knows too little', () => {
    expect(verdictOf(0)).toMatchObject({ status: 'undecided', reason: 'no_data' });
    const young = (window: Window) => (window.startMs >= hourly.startMs - 9 * HOUR_MS ? 100 : 0);
    expect(verdictOf(5, hourly, young)).toMatchObject({ status: 'undecided', reason: 'no_reference' });
    const older = (window: Window) => (window.startMs >= hourly.startMs - 11 * HOUR_MS ? 100 : 0);
    expect(verdictOf(100, hourly, older)).toMatchObject({
      status: 'stable',
      parameters: { windows: 10, sameHour: 'none', expectedRows: 100 },
    });
  });

  it('takes no share of the level from the others', () => {
    const rows = {
      x: Array.from({ length: 400 }, (_, i) => i),
      prediction: Array.from({ length: 400 }, (_, i) => i),
    };
    const alone = judge(model, rows, rows).verdicts;
    const volume = verdictOf(300);
    const together = judge(model, rows, rows, { extra: [volume] });
    expect(together.verdicts.slice(0, -1)).toEqual(alone);
    const judged = together.verdicts.at(-1);
    const size = Number(alone[0]?.parameters.familySize);
    expect(judged?.adjustedPValue).toBeCloseTo((volume.pValue ?? 1) * size, 12);
    expect(together.outcomes.find((outcome) => outcome.category === 'dataQuality')?.state).toBe('clean');
  });
});
