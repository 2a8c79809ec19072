import { describe, expect, test } from '@jest/globals';
import type { RunRecord } from '../../../src/domain/ports.js';
import type { Reference } from '../../../src/domain/reference.js';
import { DAY_MS, HOUR_MS, type Window } from '../../../src/domain/window.js';
import { type AlarmSettings, createLevelChooser, pieceRows } from '../../../src/jobs/false-alarm-level.js';
import { createEpisodeBudget } from '../../../src/stats/episode-budget.js';
import { gridsOf, modelOf, profilesOf, referenceOf } from '../../support/judge-fixture.js';

const model = modelOf({ age: 'numeric', plan: 'categorical' });
const columns = {
  age: Array.from({ length: 500 }, (_, i) => (i % 50 === 0 ? null : i)),
  plan: Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? 'pro' : 'free')),
  prediction: Array.from({ length: 500 }, (_, i) => i / 7),
};
const grids = gridsOf(model, columns);
const WEEK_MS = 7 * DAY_MS;
const HOURLY: AlarmSettings = {
  window: { lengthMs: HOUR_MS, stepMs: HOUR_MS, latenessMs: 0 },
  policy: { openCount: 1, openWindows: 1, closeCount: 2, cooldownMs: 0 },
  falseEpisodesPer30Days: 1,
};
const windowEnding = (endMs: number): Window => ({ startMs: endMs - HOUR_MS, endMs });
const runOf = (endMs: number, rows: number): RunRecord => ({
  model: 'm',
  modelVersion: '1',
  window: windowEnding(endMs),
  referenceHash: 'abc',
  status: 'judged',
  rows,
  atMs: 0,
});
const budget = createEpisodeBudget();

function chooser(settings: AlarmSettings, runs: readonly RunRecord[] = []) {
  const asked: [number, number][] = [];
  const levels = createLevelChooser({
    store: {
      listGrids: async () => grids,
      mergedProfiles: async () => profilesOf(grids, columns),
      listRuns: async (_key, afterMs, untilMs) => {
        asked.push([afterMs, untilMs]);
        return runs.filter(({ window }) => window.endMs > afterMs && window.endMs <= untilMs);
      },
    },
    settings: () => settings,
    budget,
  });
  return { levels, asked };
}

const reference: Reference = { ...referenceOf(500), period: { startMs: 0, endMs: 100 * HOUR_MS } };

describe('levelFor', () => {
  test('is what the budget comes to, and falls with it', async () => {
    const at = (falseEpisodesPer30Days: number) =>
      chooser({ ...HOURLY, falseEpisodesPer30Days }).levels.levelFor(model, reference, windowEnding(WEEK_MS));
    const [tight, usual] = [await at(0.1), await at(1)];
    // one window of 720 may open an episode: the level is near 1/720, lower where windows share much of the reference
    expect(usual).toBeGreaterThan(0.5 / 720);
    expect(usual).toBeLessThan(1.5 / 720);
    expect(tight).toBeLessThan(usual / 5);
  });

  test('is the level of the policy where that is set, whatever the data', async () => {
    const { levels, asked } = chooser({ ...HOURLY, falseEpisodesPer30Days: undefined, level: 0.2 });
    expect(await levels.levelFor(model, reference, windowEnding(WEEK_MS))).toBe(0.2);
    expect(asked).toEqual([]);
  });

  test('never exceeds 0.05', async () => {
    const { levels } = chooser({ ...HOURLY, falseEpisodesPer30Days: 100 });
    expect(await levels.levelFor(model, reference, windowEnding(WEEK_MS))).toBe(0.05);
  });

  test("belongs to the window's week: what is judged in it, in any order, does not change it", async () => {
    const runs = [
      runOf(5 * WEEK_MS, 10),
      runOf(5 * WEEK_MS - HOUR_MS, 10),
      runOf(5 * WEEK_MS + HOUR_MS, 400),
    ];
    const { levels, asked } = chooser(HOURLY, runs);
    const level = await levels.levelFor(model, reference, windowEnding(5 * WEEK_MS + 2 * HOUR_MS));
    expect(asked).toEqual([[WEEK_MS, 5 * WEEK_MS]]);
    expect(await levels.levelFor(model, reference, windowEnding(6 * WEEK_MS))).toBe(level);
    expect(asked).toHaveLength(1);
    const restarted = chooser(HOURLY, runs).levels;
    expect(await restarted.levelFor(model, reference, windowEnding(6 * WEEK_MS))).toBe(level);
  });

  test('windows as large as the reference share its error: the level falls', async () => {
    const later = windowEnding(WEEK_MS + HOUR_MS);
    const twoOfTwo = { ...HOURLY, policy: { ...HOURLY.policy, openCount: 2, openWindows: 2 } };
    const pairSmall = await chooser(twoOfTwo, [runOf(WEEK_MS, 5)]).levels.levelFor(model, reference, later);
    const pairLarge = await chooser(twoOfTwo, [runOf(WEEK_MS, 500)]).levels.levelFor(model, reference, later);
    expect(pairLarge).toBeLessThan(pairSmall);
  });

  test('a new reference is looked at anew', async () => {
    const { levels, asked } = chooser(HOURLY);
    await levels.levelFor(model, reference, windowEnding(WEEK_MS));
    await levels.levelFor(model, { ...reference, hash: 'def' }, windowEnding(WEEK_MS));
    expect(asked).toHaveLength(2);
  });
});

test.each([
  [{ startMs: 0, endMs: 100 * HOUR_MS }, 5],
  [{ startMs: 0, endMs: 1 }, 500],
  [null, 25],
])('before any window, the rows of a piece of the reference: %j', (period, expected) => {
  expect(pieceRows({ ...reference, period }, HOUR_MS)).toBe(expected);
});
