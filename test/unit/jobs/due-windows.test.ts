import { describe, expect, it } from '@jest/globals';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { outstanding, readyWindows } from '../../../src/jobs/due-windows.js';

const spec = { lengthMs: DAY_MS, stepMs: DAY_MS, latenessMs: 10 * 60_000 };
const base = {
  spec,
  firstEventMs: 10 * 60_000,
  watermarkMs: 2 * DAY_MS + HOUR_MS,
  nowMs: 0,
  graceMs: HOUR_MS,
  maxEmptyWindows: 3,
};
const ends = (windows: readonly { endMs: number }[]) => windows.map((window) => window.endMs / DAY_MS);

describe('ready windows', () => {
  it('wait for the watermark to pass end plus lateness', () => {
    expect(ends(readyWindows(base, 0).windows)).toEqual([1, 2]);
    expect(ends(readyWindows({ ...base, watermarkMs: 2 * DAY_MS + 60_000 }, 0).windows)).toEqual([1]);
  });

  it('begin with the first that is covered from its first hour on', () => {
    expect(ends(readyWindows({ ...base, firstEventMs: 10 * HOUR_MS }, 0).windows)).toEqual([2]);
  });

  it('start after the last judged one', () => {
    expect(ends(readyWindows(base, DAY_MS).windows)).toEqual([2]);
  });

  it('of a silent version are ready by the clock less the grace', () => {
    const nowMs = 3 * DAY_MS + spec.latenessMs + base.graceMs;
    expect(ends(readyWindows({ ...base, nowMs: nowMs - 1 }, 0).windows)).toEqual([1, 2]);
    expect(ends(readyWindows({ ...base, nowMs }, 0).windows)).toEqual([1, 2, 3]);
  });

  it('of a version silent for years are the newest few, and the others are counted', () => {
    const { windows, skipped } = readyWindows({ ...base, nowMs: 1000 * DAY_MS + 2 * HOUR_MS }, 0);
    expect(ends(windows)).toEqual([1, 2, 3, 998, 999, 1000]);
    expect(skipped).toBe(994);
  });

  it('that slide begin with the first whole window', () => {
    const sliding = { lengthMs: 3 * HOUR_MS, stepMs: HOUR_MS, latenessMs: 0 };
    const { windows } = readyWindows(
      { ...base, spec: sliding, firstEventMs: 10.5 * HOUR_MS, watermarkMs: 14 * HOUR_MS },
      0,
    );
    expect(windows.map((window) => window.startMs / HOUR_MS)).toEqual([10, 11]);
  });
});

describe('outstanding windows', () => {
  const window = { startMs: 0, endMs: DAY_MS };
  const run = {
    model: 'm',
    modelVersion: '1',
    window,
    referenceHash: 'h',
    status: 'judged' as const,
    rows: 5,
    atMs: 0,
  };
  it('are those that grew', () => {
    const due = (rows: number, labels = 0) => ({ window, rows, labels });
    expect(outstanding([due(0), due(1)], []).due.size).toBe(0);
    expect(outstanding([due(5)], [run]).due.size).toBe(0);
    expect(outstanding([due(6)], [run]).due).toEqual(new Set([due(6)]));
  });

  it('are those with a tenth more labels, or with the last one; those with a few more wait', () => {
    const found = (rows: number, before: number, labels: number) =>
      outstanding([{ window, rows, labels }], [{ ...run, rows, labels: before }]);
    const of = (...numbers: [number, number, number]) => found(...numbers).due.size;
    expect(found(1_000, 500, 501)).toEqual({
      due: new Set(),
      waiting: [{ window, rows: 1_000, labels: 501 }],
    });
    expect(found(1_000, 500, 500)).toEqual({ due: new Set(), waiting: [] });
    expect(of(1_000, 0, 1)).toBe(1);
    expect(of(1_000, 500, 549)).toBe(0);
    expect(of(1_000, 500, 550)).toBe(1);
    expect(of(1_000, 999, 1_000)).toBe(1);
    expect(of(1_000, 1_000, 1_000)).toBe(0);
    expect(of(1_000, 500, 400)).toBe(0);
  });
});
