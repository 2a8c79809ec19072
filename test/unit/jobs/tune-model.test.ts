import { describe, expect, test } from '@jest/globals';
import { judgeWindow } from '../../../src/detectors/judge-window.js';
import type { TunedTest } from '../../../src/domain/tuning.js';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { type AlarmSettings, createLevelChooser } from '../../../src/jobs/false-alarm-level.js';
import type { SegmentBaselines } from '../../../src/jobs/segments.js';
import { createTuner } from '../../../src/jobs/tune-model.js';
import { createEpisodeBudget } from '../../../src/stats/episode-budget.js';
import { gridsOf, modelOf, profilesOf, referenceOf } from '../../support/judge-fixture.js';

const model = modelOf({ age: 'numeric', plan: 'categorical', flat: 'numeric' });
const rows = 2_000;
const columns = {
  age: Array.from({ length: rows }, (_, i) => (i % 50 === 0 ? null : i)),
  plan: Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? 'pro' : 'free')),
  flat: new Array<number>(rows).fill(1),
  prediction: Array.from({ length: rows }, (_, i) => i / 7),
};
const grids = gridsOf(model, columns);
const referenceProfiles = profilesOf(grids, columns);
const reference = { ...referenceOf(rows), period: { startMs: 0, endMs: 20 * HOUR_MS } };
const HOURLY: AlarmSettings = {
  window: { lengthMs: HOUR_MS, stepMs: HOUR_MS, latenessMs: 0 },
  policy: { openCount: 1, openWindows: 1, closeCount: 2, cooldownMs: 0 },
  falseEpisodesPer30Days: 1,
};
const budget = createEpisodeBudget();

function tuner(settings: AlarmSettings, known = true, segments?: SegmentBaselines) {
  const store = {
    currentReference: async () => (known ? reference : null),
    listGrids: async () => grids,
    mergedProfiles: async () => referenceProfiles,
    listRuns: async () => [],
  };
  return createTuner({
    store,
    settings: () => settings,
    levels: createLevelChooser({ store, settings: () => settings, budget, segments }),
    segments,
    budget,
    clock: { now: () => 100 * DAY_MS, observe: () => undefined },
  });
}

function testOf(tests: readonly TunedTest[], feature: string, detector: string): TunedTest {
  const found = tests.find((known) => known.feature === feature && known.detector === detector);
  if (found === undefined) throw new RangeError(`no ${detector} on ${feature}`);
  return found;
}

describe('tuning', () => {
  test('says level and expected false episodes of each budget, the policy in force among them', async () => {
    const { budgets, windowRows, tests } = await tuner(HOURLY)(model, [4, 0.1]);
    expect(windowRows).toBe(100);
    expect(tests).toEqual({ drift: 3, dataQuality: 1 });
    expect(budgets.map((known) => [known.falseEpisodesPer30Days, known.configured])).toEqual([
      [0.1, false],
      [1, true],
      [4, false],
    ]);
    for (const { falseEpisodesPer30Days, expected, byCategory } of budgets) {
      expect(expected).toBeLessThanOrEqual(falseEpisodesPer30Days ?? 0);
      expect(expected).toBeGreaterThan(0.8 * (falseEpisodesPer30Days ?? 0));
      expect((byCategory.drift ?? 0) + (byCategory.dataQuality ?? 0)).toBeCloseTo(expected, 12);
    }
  });

  test('a level set by hand stands beside the budgets, with what it costs', async () => {
    const { budgets } = await tuner({ ...HOURLY, falseEpisodesPer30Days: undefined, level: 0.2 })(model, [1]);
    expect(budgets).toMatchObject([
      { falseEpisodesPer30Days: 1, configured: false },
      { falseEpisodesPer30Days: null, configured: true, level: 0.2 },
    ]);
    expect(budgets[1]?.expected).toBeGreaterThan(50);
  });

  test('segments join the family: each test sees less, and their own are told', async () => {
    const segment = { column: 'plan', value: 'pro' };
    const part = { segment, reference: { ...reference, rows: rows / 2 }, referenceProfiles };
    const plain = await tuner(HOURLY)(model, [1]);
    const parted = await tuner(HOURLY, true, async () => [part])(model, [1]);
    expect([plain.tests, parted.tests]).toEqual([
      { drift: 3, dataQuality: 1 },
      { drift: 5, dataQuality: 2 },
    ]);
    const smallest = (tuning: typeof plain, ofSegment: boolean) =>
      tuning.columns.find(
        (known) =>
          known.feature === 'age' &&
          known.detector === 'neyman' &&
          (known.segment !== undefined) === ofSegment,
      )?.budgets[0]?.smallestVisibleEffect ?? 0;
    expect(smallest(parted, false)).toBeGreaterThan(smallest(plain, false));
    expect(smallest(parted, true)).toBeGreaterThan(smallest(parted, false));
    expect(parted.columns.some((known) => known.feature === 'plan' && known.segment !== undefined)).toBe(
      false,
    );
    expect(parted.budgets[0]?.expected).toBeLessThanOrEqual(1);
  });

  test('a larger budget sees smaller drifts', async () => {
    const { columns: tests } = await tuner(HOURLY)(model, [0.1, 4]);
    const [tight, usual, loose] = testOf(tests, 'age', 'missing').budgets.map(
      (known) => known.smallestVisibleEffect ?? 0,
    );
    expect(tight).toBeGreaterThan(usual ?? 0);
    expect(usual).toBeGreaterThan(loose ?? 0);
    expect(testOf(tests, 'flat', 'missing').undecided).toBeNull();
  });

  test('its thresholds are those that a window of that size is judged by', async () => {
    const { columns: tests, budgets } = await tuner(HOURLY)(model, [1]);
    const current = Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [name, values.filter((_, i) => (i * 7) % rows < 100)]),
    );
    const { verdicts } = judgeWindow({
      model,
      window: { startMs: 0, endMs: HOUR_MS },
      reference,
      grids,
      referenceProfiles,
      currentProfiles: profilesOf(grids, current),
      level: budgets[0]?.level ?? 0,
    });
    const judged = verdicts.find((v) => v.feature === 'prediction' && v.detector === 'ks');
    // Thresholds are found to 1e-9 of themselves, from another starting point each time.
    expect(testOf(tests, 'prediction', 'ks').budgets[0]?.threshold).toBeCloseTo(
      judged?.threshold ?? Number.NaN,
      8,
    );
  });

  test('wants a reference', async () => {
    await expect(tuner(HOURLY, false)(model, [1])).rejects.toMatchObject({ code: 'not_found' });
  });
});
