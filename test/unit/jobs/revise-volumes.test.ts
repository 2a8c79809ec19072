import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideExtra } from '../../../src/detectors/judge-window.js';
import { judgeVolume, volumeHistory } from '../../../src/detectors/volume.js';
import type { RunRecord } from '../../../src/domain/ports.js';
import type { Verdict } from '../../../src/domain/verdict.js';
import { DAY_MS, HOUR_MS, type Window } from '../../../src/domain/window.js';
import { createVolumeReviser } from '../../../src/jobs/revise-volumes.js';

const key = { model: 'm', modelVersion: '1' };
const DAYS = 45;
const dayWindow = (day: number): Window => ({ startMs: day * DAY_MS, endMs: (day + 1) * DAY_MS });

/** A version with rows per day, and volume verdicts that are judged from what is there at the time. */
function world(windowOf: (index: number) => Window = dayWindow) {
  const rows = new Map<number, number>();
  const verdicts = new Map<number, Verdict>();
  const runs: RunRecord[] = [];
  const saved: number[] = [];
  const rowsIn = ({ startMs, endMs }: Window) => {
    let sum = 0;
    for (const [hourMs, count] of rows) if (hourMs >= startMs && hourMs < endMs) sum += count;
    return sum;
  };
  const judged = (window: Window): Verdict =>
    decideExtra(
      judgeVolume({
        model: key,
        reference: { hash: 'h' },
        window,
        rows: rowsIn(window),
        history: volumeHistory(window).map((each) => ({ window: each, rows: rowsIn(each) })),
        level: 0.05,
      }),
      { level: 0.05, familySize: 7 },
    );
  const reviseVolumes = createVolumeReviser({
    store: {
      listRuns: async (_key, afterMs, untilMs) =>
        runs.filter(({ window }) => window.endMs > afterMs && window.endMs <= untilMs),
      listVerdicts: async ({ window }) =>
        [...verdicts.values()].filter(
          (verdict) => verdict.window.startMs >= window.startMs && verdict.window.endMs <= window.endMs,
        ),
      profiledRows: async (_key, windows) => windows.map(rowsIn),
      reviseVerdicts: async (revised) => {
        for (const verdict of revised) {
          verdicts.set(verdict.window.endMs, verdict);
          saved.push(verdict.window.endMs);
        }
      },
    },
  });
  return {
    rows,
    verdicts,
    saved,
    judged,
    reviseVolumes,
    judge(index: number) {
      const window = windowOf(index);
      verdicts.set(window.endMs, judged(window));
      const others = runs.filter((run) => run.window.endMs !== window.endMs);
      const run: RunRecord = { ...key, window, referenceHash: 'h', status: 'judged', rows: 1, atMs: 0 };
      runs.splice(0, runs.length, ...[...others, run].sort((a, b) => a.window.endMs - b.window.endMs));
    },
  };
}

const usual = (day: number) => 1_000 + 37 * ((day * 7) % 11);

describe('volumes are revised', () => {
  it('to what they are when all rows come in order, in whatever order the rows of a backlog come', async () => {
    const days = Array.from({ length: DAYS }, (_, day) => day);
    const expected = world();
    for (const day of days) expected.rows.set(day * DAY_MS, usual(day));
    const straight = days.map((day) => JSON.stringify(expected.judged(dayWindow(day))));
    expect(straight.filter((text) => text.includes('"stable"')).length).toBeGreaterThan(30);
    const late = fc.uniqueArray(fc.integer({ min: 0, max: DAYS - 1 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(late, fc.integer({ min: 0, max: 900 }), async (lateDays, early) => {
        const w = world();
        for (const day of days) {
          w.rows.set(day * DAY_MS, lateDays.includes(day) ? early : usual(day));
          w.judge(day);
        }
        for (const day of lateDays) {
          w.rows.set(day * DAY_MS, usual(day));
          await w.reviseVolumes(key, [dayWindow(day)]);
          w.judge(day);
        }
        expect(days.map((day) => JSON.stringify(w.verdicts.get((day + 1) * DAY_MS)))).toEqual(straight);
      }),
      { numRuns: 4 },
    );
  });

  it('of windows whose history reaches the change, and no others', async () => {
    const w = world();
    for (let day = 0; day < DAYS; day++) {
      w.rows.set(day * DAY_MS, usual(day));
      w.judge(day);
    }
    w.rows.set(10 * DAY_MS, 5 * usual(10));
    const revised = await w.reviseVolumes(key, [dayWindow(10)]);
    expect(revised.map((verdict) => verdict.window.startMs / DAY_MS)).toEqual(
      // The day that a history begins with counts for nothing: day 38 is as it was.
      Array.from({ length: 27 }, (_, i) => 11 + i),
    );
    expect(await w.reviseVolumes(key, [dayWindow(10)])).toEqual([]);
    expect(w.saved).toHaveLength(27);
  });

  it('where windows overlap, by the histories of their own', async () => {
    const sliding = (index: number): Window => ({
      startMs: index * HOUR_MS,
      endMs: index * HOUR_MS + DAY_MS,
    });
    const w = world(sliding);
    for (let hour = 0; hour < 24 * 18; hour++) w.rows.set(hour * HOUR_MS, 50 + (hour % 5));
    for (let hour = 300; hour < 24 * 17; hour += 7) w.judge(hour);
    w.rows.set(100 * HOUR_MS, 5_000);
    const touched = Array.from({ length: 24 }, (_, i) => sliding(77 + i));
    await w.reviseVolumes(key, touched);
    for (let hour = 300; hour < 24 * 17; hour += 7) {
      const window = sliding(hour);
      expect(w.verdicts.get(window.endMs)).toEqual(w.judged(window));
    }
  });

  it('not where nothing changed, nor those of a release that did not tell the level', async () => {
    const w = world();
    for (let day = 0; day < 20; day++) {
      w.rows.set(day * DAY_MS, usual(day));
      w.judge(day);
    }
    expect(await w.reviseVolumes(key, [])).toEqual([]);
    const last = w.verdicts.get(20 * DAY_MS);
    if (last === undefined) throw new RangeError('no verdict');
    w.verdicts.set(20 * DAY_MS, { ...last, parameters: {} });
    w.rows.set(0, 1);
    const revised = await w.reviseVolumes(key, [dayWindow(0)]);
    expect(revised.map((verdict) => verdict.window.endMs)).not.toContain(20 * DAY_MS);
  });
});
