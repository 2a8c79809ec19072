import { describe, expect, test } from '@jest/globals';
import { decideEpisode } from '../../../src/alerts/policy.js';
import { PRODUCTION } from '../../../src/domain/ports.js';
import type { Profile } from '../../../src/domain/profile.js';
import { HOUR_MS } from '../../../src/domain/window.js';
import { type BacktestRequest, createBacktester } from '../../../src/jobs/backtest.js';
import type { SegmentBaselines } from '../../../src/jobs/segments.js';
import { createEpisodeBudget } from '../../../src/stats/episode-budget.js';
import { createRandom } from '../../../src/stats/random.js';
import { gridsOf, modelOf, profilesOf, referenceOf } from '../../support/judge-fixture.js';

const HOURS = 100;
const ROWS = 200;
const model = modelOf({ age: 'numeric', plan: 'categorical' });
const key = { model: 'm', modelVersion: '1' };
const rule = { openCount: 2, openWindows: 2, closeCount: 2, cooldownMs: 0 };

function columnsOf(seed: number, rows: number, shift: number) {
  const random = createRandom(seed);
  const values = <T>(draw: () => T) => Array.from({ length: rows }, draw);
  return {
    age: values(() => random() + shift),
    plan: values(() => (random() < 0.5 ? 'pro' : 'free')),
    prediction: values(() => random() * 10),
  };
}

const columns = columnsOf(1, 5_000, 0);
const grids = gridsOf(model, columns);
const referenceProfiles = profilesOf(grids, columns);
/** Hours 40 to 49 have drifted, hour 70 has no row. */
const HOURLY: Profile[][] = Array.from({ length: HOURS }, (_, hour) =>
  hour === 70 ? [] : profilesOf(grids, columnsOf(100 + hour, ROWS, hour >= 40 && hour < 50 ? 0.4 : 0)),
);

const CLEAN = profilesOf(grids, columnsOf(7, ROWS, 0));

function backtester(segments?: SegmentBaselines) {
  let pauses = 0;
  const backtest = createBacktester({
    store: {
      currentReference: async () => referenceOf(5_000),
      listGrids: async () => grids,
      mergedProfiles: async () => referenceProfiles,
      profileSeries: async function* (query, period, pieceMs) {
        for (const [hour, all] of HOURLY.entries()) {
          // With segments only theirs has drifted.
          const clean = segments !== undefined && query.scope === PRODUCTION && hour !== 70;
          const profiles = clean ? CLEAN : all;
          const window = { startMs: hour * pieceMs, endMs: (hour + 1) * pieceMs };
          if (window.startMs >= period.startMs && window.endMs <= period.endMs && profiles.length > 0)
            yield { window, profiles };
        }
      },
      dirtyBuckets: async () => [
        { model: 'other', modelVersion: '1', hourStartsMs: [0] },
        { ...key, hourStartsMs: [-HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS] },
      ],
      listRuns: async () => [],
      listVerdicts: async () => [],
      watermarks: async () => [{ ...key, firstEventMs: 0, watermarkMs: HOURS * HOUR_MS - 1, rows: 1 }],
    },
    segments,
    settings: () => ({
      window: { lengthMs: HOUR_MS, stepMs: HOUR_MS, latenessMs: 0 },
      policy: rule,
      falseEpisodesPer30Days: 1,
    }),
    budget: createEpisodeBudget(),
    decide: decideEpisode,
    pause: async () => {
      pauses += 1;
    },
  });
  return { backtest, pauses: () => pauses };
}

const request: BacktestRequest = {
  period: null,
  policies: [
    { name: 'two of two', policy: rule, level: 0.01 },
    { name: 'patient', policy: { ...rule, openCount: 9, openWindows: 9 }, level: 0.01 },
    { name: 'budget', policy: rule, falseEpisodesPer30Days: 0.1 },
  ],
  shifts: [
    { feature: 'age', kind: 'value', size: 1.5 },
    { feature: 'plan', kind: 'missing', size: 0.2 },
    { feature: 'prediction', kind: 'value', size: 0.0001 },
  ],
};
const quiet = { onProgress: () => undefined, signal: new AbortController().signal };

describe('a backtest', () => {
  test('opens and closes as the service would have', async () => {
    const { backtest, pauses } = backtester();
    const progress: number[][] = [];
    const result = await backtest(model, request, {
      ...quiet,
      onProgress: (done, total) => progress.push([done, total]),
    });
    expect(result).toMatchObject({
      windows: HOURS,
      emptyWindows: 1,
      hoursNotCounted: 2,
      period: { startMs: 0 },
    });
    const [two, patient, budget] = result.policies;
    expect(two?.level).toEqual({ least: 0.01, greatest: 0.01 });
    expect(two?.driftedWindows).toEqual({ drift: 10 });
    expect(two?.episodes).toMatchObject([
      {
        category: 'drift',
        features: ['age'],
        firstWindow: { startMs: 40 * HOUR_MS },
        openedBy: { endMs: 42 * HOUR_MS },
        closedBy: { endMs: 52 * HOUR_MS },
      },
    ]);
    expect(two?.pagesPerWeek).toBeCloseTo(168 / HOURS, 12);
    expect(patient?.episodes).toMatchObject([{ openedBy: { endMs: 49 * HOUR_MS } }]);
    expect(budget?.level.greatest).toBeLessThan(0.05);
    expect(progress.at(-1)).toEqual([HOURS, HOURS]);
    expect(pauses()).toBeGreaterThanOrEqual(HOURS);
  });

  test('judges segments as the service does: what drifts in one of them alone opens an episode that names it', async () => {
    const segment = { column: 'plan', value: 'pro' };
    const part = { segment, reference: referenceOf(5_000), referenceProfiles };
    const { policies } = await backtester(async () => [part]).backtest(model, request, quiet);
    const [two] = policies;
    expect(two?.driftedWindows).toEqual({ drift: 10 });
    expect(two?.episodes).toMatchObject([
      {
        features: ['age (plan = pro)'],
        openedBy: { endMs: 42 * HOUR_MS },
        closedBy: { endMs: 52 * HOUR_MS },
      },
    ]);
    const [large] = two?.shifts ?? [];
    expect(large).toMatchObject({ medianDelayMs: 2 * HOUR_MS });
    const alone = await backtester(async () => []).backtest(model, request, quiet);
    expect(alone.policies[0]?.driftedWindows).toEqual({});
  });

  test('finds planted shifts as soon as the policy lets it, and not what is too small', async () => {
    const { policies } = await backtester().backtest(model, request, quiet);
    const [two, patient] = policies;
    const [large, missing, tiny] = two?.shifts ?? [];
    expect(large).toMatchObject({ medianDelayMs: 2 * HOUR_MS, p90DelayMs: 2 * HOUR_MS });
    expect(large?.detected).toBe(large?.starts);
    expect(missing?.medianDelayMs).toBe(2 * HOUR_MS);
    expect(tiny).toMatchObject({ detected: 0, medianDelayMs: null });
    expect(patient?.shifts[0]?.medianDelayMs).toBe(9 * HOUR_MS);
  });

  test('closes at N of M, and lets windows below the minimum decide nothing', async () => {
    const { backtest } = backtester();
    const busy = { ...rule, minimumRows: 1_000_000 };
    const late = { ...rule, closeCount: 3, closeWindows: 5 };
    const policies = [
      { name: 'busy', policy: busy, level: 0.01 },
      { name: 'late', policy: late, level: 0.01 },
    ];
    const [none, closed] = (await backtest(model, { ...request, policies }, quiet)).policies;
    expect(none).toMatchObject({ opened: 0, driftedWindows: {}, windowsBelowMinimum: HOURS });
    expect(none?.shifts[0]).toMatchObject({ detected: 0 });
    expect(closed).toMatchObject({
      windowsBelowMinimum: 0,
      episodes: [{ closedBy: { endMs: 53 * HOUR_MS } }],
    });
  });

  test('keeps to the period, and ends when nobody waits', async () => {
    const { backtest } = backtester();
    const period = { startMs: 10 * HOUR_MS, endMs: 30 * HOUR_MS };
    const inside = await backtest(model, { ...request, shifts: [], period }, quiet);
    expect(inside).toMatchObject({ windows: 20, period });
    expect(inside.policies[0]?.opened).toBe(0);
    const gone = new AbortController();
    gone.abort();
    await expect(backtest(model, request, { ...quiet, signal: gone.signal })).rejects.toThrow(/abort/i);
  });

  test.each([
    [{ period: { startMs: 500 * HOUR_MS, endMs: 600 * HOUR_MS } }, /no whole window/],
    [{ shifts: [{ feature: 'nope', kind: 'value', size: 1 } as const] }, /no column nope/],
    [{ shifts: [{ feature: 'plan', kind: 'value', size: 2 } as const] }, /2 of plan is no share/],
    [{ shifts: [{ feature: 'age', kind: 'missing', size: 0 } as const] }, /0 of age is no share/],
  ])('%j is refused', async (wrong, message) => {
    await expect(backtester().backtest(model, { ...request, ...wrong }, quiet)).rejects.toThrow(message);
  });
});
