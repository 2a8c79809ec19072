import { describe, expect, test } from '@jest/globals';
import { DAY_MS } from '../../../src/domain/window.js';
import { renderFeaturePage } from '../../../src/views/feature-page.js';
import { loadModel, loadOverview, stateOf } from '../../../src/views/load.js';
import { loadFeature } from '../../../src/views/load-feature.js';
import { loadReport } from '../../../src/views/load-report.js';
import { createFakeViewStore, createLookFixture } from '../../fakes/look-fixture.js';
import { START_MS } from '../../fakes/look-verdicts.js';

const fixture = createLookFixture(60, 60);
const store = createFakeViewStore(fixture, [{ ...fixture.version, modelVersion: '2' }]);
const key = { model: 'flight-delay', modelVersion: '1' };
const endMs = START_MS + 60 * DAY_MS;
const day = (index: number) => ({
  startMs: START_MS + index * DAY_MS,
  endMs: START_MS + (index + 1) * DAY_MS,
});

const failed = (): never => {
  throw new TypeError('nothing was loaded');
};

describe('overview', () => {
  test('a version without rows has no data, whatever the other does', async () => {
    const { versions, openEpisodes } = await loadOverview(store, endMs);
    expect(versions.map((each) => [each.version.modelVersion, each.state])).toEqual([
      ['1', 'drifting'],
      ['2', 'no_data'],
    ]);
    expect(versions[0]?.openEpisodes).toEqual(openEpisodes);
    expect(versions[1]?.openEpisodes).toEqual([]);
    const looks = versions[0]?.looks;
    expect(looks && looks.stable + looks.minor + looks.material + looks.undecided + looks.no_data).toBe(17);
  });

  test('nothing that is undecided or silent is called ok', () => {
    const none = { stable: 0, minor: 0, material: 0, undecided: 0, no_data: 0 };
    const [run] = fixture.runs;
    if (run === undefined) throw new TypeError('the fixture has no run');
    expect(stateOf(null, none, 0)).toBe('no_data');
    expect(stateOf({ ...run, status: 'no_data' }, none, 0)).toBe('no_data');
    expect(stateOf(run, { ...none, undecided: 3 }, 0)).toBe('undecided');
    expect(stateOf(run, none, 0)).toBe('undecided');
    expect(stateOf(run, { ...none, stable: 1, undecided: 3 }, 0)).toBe('ok');
    expect(stateOf(run, { ...none, stable: 1, material: 1 }, 0)).toBe('drifting');
    expect(stateOf({ ...run, status: 'no_data' }, none, 1)).toBe('drifting');
  });
});

describe('model', () => {
  test('shows the newest windows, ranked by their effect now', async () => {
    const loaded = await loadModel(store, key, null, endMs);
    const data = loaded?.data;
    expect(data?.range).toEqual({ startMs: START_MS, endMs });
    expect(data?.windows).toEqual({ judged: 58, noData: 2, skipped: 0 });
    expect(fixture.verdicts.some((verdict) => verdict.role === 'descriptive')).toBe(true);
    expect(new Set(loaded?.verdicts.map((verdict) => verdict.role))).toEqual(new Set(['primary']));
    expect(data?.ranked).toHaveLength(17);
    const looks = data?.ranked.map((item) => item.look) ?? [];
    expect(looks.lastIndexOf('material')).toBeLessThan(looks.indexOf('stable'));
    expect(data?.ranked.find((item) => item.feature === 'weekday')).toMatchObject({
      look: 'undecided',
      windowsDecided: 0,
    });
    expect(data?.episodes.map((episode) => episode.state)).toEqual(['open', 'closed']);
    expect(data?.outlierShare?.detector).toBe('isolationForest');
    expect(data?.truncated).toBe(false);
  });

  test('a chosen range holds only windows that lie in it', async () => {
    const loaded = await loadModel(store, key, { startMs: day(2).startMs, endMs: day(4).endMs }, endMs);
    expect(loaded?.runs.map((run) => run.window)).toEqual([day(2), day(3), day(4)]);
    expect(new Set(loaded?.verdicts.map((verdict) => verdict.window.startMs))).toEqual(
      new Set([day(2).startMs, day(3).startMs, day(4).startMs]),
    );
  });

  test('a version that never ran has an empty page, an unknown one none', async () => {
    const idle = await loadModel(store, { ...key, modelVersion: '2' }, null, endMs);
    expect(idle?.data).toMatchObject({ lastRun: null, judged: null, reference: null, rows: 0 });
    expect(idle?.data.heatmap.cells).toEqual([]);
    expect(await loadModel(store, { ...key, modelVersion: '3' }, null, endMs)).toBeNull();
  });
});

describe('feature', () => {
  test('has both sides, its verdicts and its neighbours in time', async () => {
    const data = await loadFeature(store, key, 'temp', day(10), endMs);
    expect(data?.verdicts.map((verdict) => verdict.detector)).toEqual(['ks', 'missing', 'psi']);
    expect([data?.previousWindow, data?.nextWindow]).toEqual([day(9), day(11)]);
    expect(data?.distribution?.currentRows).toBe(60);
    expect(data?.distribution?.referenceRows).toBe(28 * 60);
    expect(data?.medians.current).toBeGreaterThan(data?.medians.reference ?? Number.POSITIVE_INFINITY);
  });

  test('a time is shown by its age in days', async () => {
    const schema = fixture.version.schema;
    const timed = createFakeViewStore({
      ...fixture,
      version: {
        ...fixture.version,
        schema: {
          ...schema,
          features: schema.features.map((each) =>
            each.name === 'temp' ? { ...each, time: true as const } : each,
          ),
        },
      },
    });
    const [plain, aged] = await Promise.all([
      loadFeature(store, key, 'temp', day(10), endMs),
      loadFeature(timed, key, 'temp', day(10), endMs),
    ]);
    expect(aged?.medians.current).toBeCloseTo((plain?.medians.current ?? Number.NaN) / 86_400, 12);
    expect(aged?.distribution?.bars.at(-1)?.high).toBeCloseTo(
      (plain?.distribution?.bars.at(-1)?.high ?? Number.NaN) / 86_400,
      12,
    );
    const page = renderFeaturePage(aged ?? failed());
    expect(page).toContain('time, by its age');
    expect(page).toMatch(/Median [\d.e−-]+ → [\d.e−-]+ days of age/);
    expect(page).toContain('Times are shown in days of age at the event.');
  });

  test('without a window it is the newest judged one; a far one brings its own range', async () => {
    expect((await loadFeature(store, key, 'temp', null, endMs))?.window).toEqual(day(59));
    const far = await loadFeature(store, key, 'temp', day(-400), endMs);
    expect(far?.range.startMs).toBeLessThanOrEqual(day(-400).startMs);
    expect(far?.verdicts).toEqual([]);
    expect(far?.distribution?.currentRows).toBe(0);
  });

  test('an undeclared column has no page, even if rows carried it', async () => {
    expect(await loadFeature(store, key, 'secret', null, endMs)).toBeNull();
    expect(await loadFeature(store, key, '__proto__', null, endMs)).toBeNull();
  });
});

describe('report', () => {
  test('counts the whole period and says what it holds', async () => {
    const data = await loadReport(store, key, { startMs: START_MS, endMs }, endMs);
    expect(data?.rowsInPeriod).toBe(58 * 60);
    expect(data?.months.map((month) => [month.windowsJudged, month.windowsNoData])).toEqual([
      [31, 0],
      [27, 2],
    ]);
    expect(data?.top[0]?.ranked.feature).toBe('temp');
    expect(data?.top.length).toBeLessThanOrEqual(6);
    const pressure = data?.quality.find((row) => row.feature === 'pressure');
    expect(pressure?.missing.current).toBeGreaterThan(0.02);
    expect(pressure?.windowsMaterial).toBe(6);
  });
});
