import { describe, expect, it } from '@jest/globals';
import { alarmThreshold } from '../../../src/alerts/alarm-threshold.js';
import { createGaugeFollower } from '../../../src/alerts/gauge-follower.js';
import { createVerdictGauges } from '../../../src/alerts/prometheus.js';
import type { Episode } from '../../../src/domain/episode.js';
import { AWAKE } from '../../../src/domain/silence.js';
import type { EpisodeCategory, Verdict } from '../../../src/domain/verdict.js';
import { createMetrics } from '../../../src/metrics.js';
import { hourWindow, outcomeOf, verdictOf } from '../../support/outcomes.js';
import { createSilentLogger } from '../../support/silent-logger.js';

const KEY = { model: 'churn', modelVersion: '3' };

function setUp(seriesBudget?: number) {
  const metrics = createMetrics();
  const routes: Partial<Record<EpisodeCategory, string>> = {};
  const gauges = createVerdictGauges({
    metrics,
    logger: createSilentLogger(),
    routeOf: (_model, category) => routes[category] ?? category,
    ...(seriesBudget === undefined ? {} : { seriesBudget }),
  });
  /** Sample lines of the exposition that begin with this name, without the common labels. */
  async function lines(name: string): Promise<string[]> {
    const text = await metrics.registry.metrics();
    return text
      .split('\n')
      .filter((line) => line.startsWith(`plumbline_${name}`))
      .map((line) => line.replace('model="churn",model_version="3"', '').replace('plumbline_', ''));
  }
  return { metrics, gauges, lines, routes };
}

function episodeOf(overrides: Partial<Episode> = {}): Episode {
  return {
    ...KEY,
    id: 'e1',
    category: 'drift',
    severity: 'warning',
    state: 'open',
    firstWindow: hourWindow(0),
    openedBy: hourWindow(1),
    closedBy: null,
    lastWindow: hourWindow(1),
    drivers: [],
    openedAtMs: 0,
    closedAtMs: null,
    ...overrides,
  };
}

const undecided: Partial<Verdict> = {
  status: 'undecided',
  reason: 'too_few_rows',
  material: false,
  statistic: null,
  effect: null,
  threshold: null,
};

describe('alarmThreshold', () => {
  it.each([
    ['the test decides', { threshold: 0.2 }, 0.2],
    ['the minimum effect decides', { threshold: 0.02 }, 0.1],
    ['X² grows with the square of V', { detector: 'chiSquare', statistic: 400, threshold: 30 }, 100],
    [
      'X² grows from its expectation',
      { detector: 'chiSquare', statistic: 400, threshold: 30, parameters: { expectation: 40 } },
      130,
    ],
    [
      'Q grows from the number of its scores',
      { detector: 'neyman', statistic: 400, threshold: 30, parameters: { scores: 4 } },
      103,
    ],
    [
      'a share lower than the reference',
      { detector: 'missing', effect: { value: -0.2, low: -1, high: 0 }, minimumEffect: 0.1 },
      0.1,
    ],
    [
      'the share of outliers counts from the reference',
      {
        detector: 'isolationForest',
        statistic: 0.03,
        effect: { value: 0.02, low: 0, high: 1 },
        minimumEffect: 0.05,
        threshold: 0.02,
      },
      0.06,
    ],
    ['no effect at all', { statistic: 0, effect: { value: 0, low: 0, high: 0 } }, 0.1],
    [
      'nothing to scale by',
      { detector: 'chiSquare', statistic: 0, effect: { value: 0, low: 0, high: 0 } },
      0.08,
    ],
    ['undecided', undecided, null],
  ])('%s', (_name, overrides, expected) => {
    const verdict = verdictOf({
      statistic: 0.2,
      effect: { value: 0.2, low: 0, high: 1 },
      ...overrides,
    } as Partial<Verdict>);
    const threshold = alarmThreshold(verdict);
    if (expected === null) expect(threshold).toBeNull();
    else expect(threshold).toBeCloseTo(expected, 12);
  });
});

it('alarmThreshold is the minimum effect itself where the statistic is its effect', () => {
  const thresholds = [0.4, 0.3, 0.7, 1 / 3].map((value) =>
    alarmThreshold(verdictOf({ statistic: value, effect: { value: -value, low: -1, high: 1 } })),
  );
  expect(thresholds).toEqual([0.1, 0.1, 0.1, 0.1]);
});

describe('verdict gauges', () => {
  it('show the last window: statistic, threshold, status, columns, outliers', async () => {
    const { gauges, lines } = setUp();
    gauges.windowJudged(KEY, [
      verdictOf(),
      verdictOf({ detector: 'psi', role: 'descriptive' }),
      verdictOf({ feature: 'plan', detector: 'chiSquare', material: false, statistic: 40, threshold: 30 }),
      verdictOf({ feature: 'x', ...undecided }),
      verdictOf({ feature: '', detector: 'isolationForest', category: 'outliers', statistic: 0.04 }),
    ]);
    expect((await lines('drift_status')).toSorted()).toEqual([
      'drift_status{,feature="",detector="isolationForest"} 1',
      'drift_status{,feature="age",detector="ks"} 1',
      'drift_status{,feature="plan",detector="chiSquare"} 0',
      'drift_status{,feature="x",detector="ks"} -1',
    ]);
    expect(await lines('drift_statistic')).not.toContainEqual(expect.stringContaining('feature="x"'));
    expect(await lines('drift_statistic')).toContain('drift_statistic{,feature="age",detector="ks"} 0.3');
    expect(await lines('drift_statistic')).toContain('drift_statistic{,feature="age",detector="psi"} 0.3');
    expect(await lines('drift_threshold')).toContain('drift_threshold{,feature="age",detector="ks"} 0.1');
    expect(await lines('drifted_features')).toEqual(['drifted_features{} 1']);
    expect(await lines('outlier_ratio')).toEqual(['outlier_ratio{} 0.04']);
    expect(await lines('windows_judged')).toEqual(['windows_judged_total{,status="drifted"} 1']);
    expect((await lines('episode_open')).toSorted()).toEqual([
      'episode_open{,category="drift",severity="critical",route="drift"} 0',
      'episode_open{,category="drift",severity="warning",route="drift"} 0',
      'episode_open{,category="outliers",severity="critical",route="outliers"} 0',
      'episode_open{,category="outliers",severity="warning",route="outliers"} 0',
    ]);
  });

  it('drop the value of a column that is no longer judged or decided', async () => {
    const { gauges, lines } = setUp();
    gauges.windowJudged(KEY, [verdictOf(), verdictOf({ feature: 'old' })]);
    gauges.windowJudged(KEY, [verdictOf({ window: hourWindow(1), ...undecided })]);
    expect(await lines('drift_status')).toEqual(['drift_status{,feature="age",detector="ks"} -1']);
    expect(await lines('drift_statistic')).toEqual([]);
    expect(await lines('windows_judged')).toContain('windows_judged_total{,status="undecided"} 1');
  });

  it('do not go back to an older window that is judged again', async () => {
    const { gauges, lines } = setUp();
    gauges.windowJudged(KEY, [verdictOf({ window: hourWindow(5), statistic: 0.5 })]);
    gauges.windowJudged(KEY, [verdictOf({ window: hourWindow(2), statistic: 0.2 })]);
    expect(await lines('drift_statistic')).toEqual(['drift_statistic{,feature="age",detector="ks"} 0.5']);
    expect(await lines('windows_judged')).toEqual(['windows_judged_total{,status="drifted"} 2']);
  });

  it('follow an episode through opening, escalation and close', async () => {
    const { gauges, lines } = setUp();
    const shown = async () =>
      (await lines('episode_open')).map((line) => line.replace(/.*severity=|,route="drift"/g, '')).join(' ');
    gauges.episodeChanged(episodeOf(), AWAKE);
    expect(await shown()).toBe('"warning"} 1 "critical"} 0');
    gauges.episodeChanged(episodeOf({ severity: 'critical' }), AWAKE);
    expect(await shown()).toBe('"warning"} 0 "critical"} 1');
    gauges.episodeChanged(episodeOf({ state: 'closed', severity: 'critical' }), AWAKE);
    expect(await shown()).toBe('"warning"} 0 "critical"} 0');
  });

  it('keep to the series budget, alarms first, and count what they leave out', async () => {
    const { gauges, lines } = setUp(6);
    const quiet = verdictOf({ feature: 'quiet', status: 'stable', material: false });
    const loud = [verdictOf({ feature: 'loud' }), verdictOf({ feature: 'loud', detector: 'missing' })];
    gauges.windowJudged(KEY, [quiet, ...loud]);
    expect(await lines('drift_status')).toEqual([
      'drift_status{,feature="loud",detector="ks"} 1',
      'drift_status{,feature="loud",detector="missing"} 1',
    ]);
    expect(await lines('series_dropped')).toEqual(['series_dropped_total{reason="budget"} 3']);
    gauges.windowJudged(KEY, [{ ...quiet, window: hourWindow(1) }]);
    expect(await lines('drift_status')).toEqual(['drift_status{,feature="quiet",detector="ks"} 0']);
  });

  it('count towards the budget what they export: no status of a descriptive verdict, no statistic of an undecided one', async () => {
    const { gauges, lines } = setUp(6);
    gauges.windowJudged(KEY, [
      verdictOf(),
      verdictOf({ detector: 'psi', role: 'descriptive' }),
      verdictOf({ feature: 'x', ...undecided }),
      verdictOf({ feature: 'x', detector: 'psi', role: 'descriptive' }),
    ]);
    const exported = ['drift_statistic{', 'drift_threshold', 'drift_status'].map(lines);
    expect((await Promise.all(exported)).map((each) => each.length)).toEqual([2, 2, 2]);
    expect(await lines('series_dropped')).toEqual(['series_dropped_total{reason="budget"} 2']);
    gauges.retain([]);
    gauges.windowJudged(KEY, [verdictOf(), verdictOf({ detector: 'missing' })]);
    expect(await lines('series_dropped')).toEqual(['series_dropped_total{reason="budget"} 2']);
  });

  it('give the room of descriptive series to primary ones, whichever version came first', async () => {
    const { gauges, lines } = setUp(6);
    const describing = ['psi', 'hellinger', 'jensenShannon'].map((detector) =>
      verdictOf({ model: 'early', detector, role: 'descriptive' }),
    );
    gauges.windowJudged({ ...KEY, model: 'early' }, describing);
    expect(await lines('drift_statistic{')).toHaveLength(3);
    const quiet = verdictOf({ feature: 'quiet', status: 'stable', material: false });
    gauges.windowJudged(KEY, [quiet, verdictOf({ feature: 'loud' })]);
    expect(await lines('drift_status')).toEqual([
      'drift_status{,feature="loud",detector="ks"} 1',
      'drift_status{,feature="quiet",detector="ks"} 0',
    ]);
    expect(await lines('drift_statistic{')).toHaveLength(2);
    expect(await lines('series_dropped')).toEqual(['series_dropped_total{reason="budget"} 6']);
    // A drifted descriptive verdict weighs less than a quiet primary one.
    gauges.windowJudged({ ...KEY, model: 'early' }, describing);
    expect(await lines('drift_status')).toHaveLength(2);
    gauges.retain([]);
    gauges.windowJudged({ ...KEY, model: 'early' }, describing);
    expect(await lines('drift_statistic{')).toHaveLength(3);
  });

  it('show a verdict that was revised alone, of the window that they show', async () => {
    const { gauges, lines } = setUp();
    const volume = verdictOf({ feature: '', detector: 'volume', role: 'descriptive', statistic: 0.5 });
    gauges.windowJudged(KEY, [verdictOf(), volume]);
    gauges.verdictsRevised(KEY, [
      { ...volume, statistic: 0.25 },
      { ...volume, statistic: 9, window: hourWindow(-1) },
    ]);
    expect(await lines('drift_statistic{')).toEqual([
      'drift_statistic{,feature="age",detector="ks"} 0.3',
      'drift_statistic{,feature="",detector="volume"} 0.25',
    ]);
  });

  it.each(['a,b', 'line\nbreak', '', 'x'.repeat(121)])(
    'do not make a label of the model %j',
    async (model) => {
      const { gauges, lines } = setUp();
      gauges.windowJudged({ ...KEY, model }, [verdictOf({ model })]);
      gauges.episodeChanged(episodeOf({ model }), AWAKE);
      expect(await lines('drift_status{')).toEqual([]);
      expect(await lines('episode_open{')).toEqual([]);
      expect(await lines('series_dropped')).toEqual(['series_dropped_total{reason="label"} 2']);
    },
  );

  it('do not make a label of a feature with a comma, and keep its siblings', async () => {
    const { gauges, lines } = setUp();
    gauges.windowJudged(KEY, [verdictOf({ feature: 'a,b' }), verdictOf({ feature: '__proto__' })]);
    expect(await lines('drift_status')).toEqual(['drift_status{,feature="__proto__",detector="ks"} 1']);
    expect(await lines('series_dropped')).toEqual(['series_dropped_total{reason="label"} 3']);
  });

  it('tell why an episode is open, as long as it is, whatever the sentence holds', async () => {
    const { gauges, lines } = setUp();
    const why = ['temp: from "35" to 51, and 31 % moved,why="x"', 'the second is left out'];
    const shown = async () => (await lines('episode_why_info{')).map((line) => line.replace('{,', '{'));
    gauges.episodeChanged(episodeOf({ why }), AWAKE);
    gauges.episodeChanged(episodeOf({ id: 'e2', category: 'service' }), AWAKE);
    expect(await shown()).toEqual([
      'episode_why_info{category="drift",why="temp: from \\"35\\" to 51, and 31 % moved,why=\\"x\\""} 1',
    ]);
    gauges.episodeChanged(episodeOf({ why: ['other'] }), AWAKE);
    expect(await shown()).toEqual(['episode_why_info{category="drift",why="other"} 1']);
    gauges.episodeChanged(episodeOf({ state: 'closed', why: ['other'] }), AWAKE);
    expect(await shown()).toEqual([]);
    gauges.episodeChanged(episodeOf({ id: 'e3', why }), AWAKE);
    gauges.retain([]);
    expect(await shown()).toEqual([]);
  });

  it('say where alarms go, and move with it', async () => {
    const { gauges, lines, routes } = setUp();
    gauges.episodeChanged(episodeOf(), AWAKE);
    routes.drift = 'ml-team';
    gauges.episodeChanged(episodeOf(), AWAKE);
    expect(await lines('episode_open{')).toEqual([
      'episode_open{,category="drift",severity="warning",route="ml-team"} 1',
      'episode_open{,category="drift",severity="critical",route="ml-team"} 0',
    ]);
  });

  it('tell how people stand to an open episode, and whether performance moved with it', async () => {
    const { gauges, lines } = setUp();
    const silence = { reason: 'snoozed', scope: 'model', untilMs: 1, by: 'ada', note: '' } as const;
    const acknowledgement = { by: 'ada', note: '', atMs: 0 };
    const shown = async () =>
      (
        await Promise.all(
          ['silenced{', 'acknowledged{', 'performance_moved{'].map((n) => lines(`episode_${n}`)),
        )
      ).flat();
    const move = { kind: null, figure: null, value: null, low: null, high: null, reference: null } as const;
    gauges.episodeChanged(episodeOf({ performance: { ...move, moved: 'not_moved' } }), {
      silence,
      acknowledgement,
    });
    expect(await shown()).toEqual([
      'episode_silenced{,category="drift",reason="snoozed"} 1',
      'episode_silenced{,category="drift",reason="maintenance"} 0',
      'episode_acknowledged{,category="drift"} 1',
      'episode_performance_moved{,category="drift"} 0',
    ]);
    gauges.episodeChanged(episodeOf({ performance: { ...move, moved: 'cannot_tell' } }), AWAKE);
    expect(await shown()).toEqual([
      'episode_silenced{,category="drift",reason="snoozed"} 0',
      'episode_silenced{,category="drift",reason="maintenance"} 0',
      'episode_acknowledged{,category="drift"} 0',
      'episode_performance_moved{,category="drift"} -1',
    ]);
    gauges.episodeChanged(episodeOf({ state: 'closed' }), AWAKE);
    expect(await shown()).toEqual([]);
  });

  it('are one moment in each scrape, whatever is judged while it is written', async () => {
    const { gauges, metrics } = setUp();
    const columns = Array.from({ length: 50 }, (_, i) => `c${i}`);
    const judge = (n: number) => {
      gauges.windowJudged(
        KEY,
        columns.map((feature) =>
          verdictOf({ feature, window: outcomeOf(n, 'd').window, statistic: 0.1 + n / 100 }),
        ),
      );
      const open = episodeOf();
      gauges.episodeChanged(n % 2 === 0 ? open : { ...open, state: 'closed' }, AWAKE);
    };
    judge(0);
    for (let n = 1; n < 40; n++) {
      // The scrape begins, and its text is put together in later turns of the microtask queue: judge in each of them.
      const scrape = metrics.registry.metrics();
      for (let turn = 0; turn < n % 7; turn++) await Promise.resolve();
      judge(n);
      const text = await scrape;
      const statistics = new Set(
        [...text.matchAll(/^plumbline_drift_statistic\{.*\} (\S+)$/gm)].map(([, value]) => value),
      );
      expect(text.match(/^plumbline_drift_statistic\{/gm)).toHaveLength(columns.length);
      expect(statistics.size).toBe(1);
      const shown = Math.round((Number([...statistics][0]) - 0.1) * 100);
      expect([n - 1, n]).toContain(shown);
      const open = /^plumbline_episode_open\{[^}]*severity="warning"[^}]*\} 1$/m.test(text);
      expect(open).toBe(shown % 2 === 0);
    }
  });

  it('close what is not among the open episodes of the store, and show those that are', async () => {
    const { gauges, lines } = setUp();
    gauges.episodeChanged(episodeOf(), AWAKE);
    const other = { ...episodeOf(), id: 'other', category: 'performance' } as const;
    gauges.episodesOpen([other], () => AWAKE);
    const open = await lines('episode_open');
    expect(open).toContain('episode_open{,category="drift",severity="warning",route="drift"} 0');
    expect(open).toContain('episode_open{,category="performance",severity="warning",route="performance"} 1');
    // A list that is full may lack some.
    gauges.episodesOpen(
      Array.from({ length: 1_000 }, (_, i) => ({ ...episodeOf(), id: `e${i}`, model: 'many' })),
      () => AWAKE,
    );
    expect(await lines('episode_open')).toContain(
      'episode_open{,category="performance",severity="warning",route="performance"} 1',
    );
  });

  it('vanish with their model', async () => {
    const { gauges, metrics } = setUp();
    gauges.windowJudged(KEY, [
      verdictOf(),
      verdictOf({ feature: '', category: 'outliers', detector: 'isolationForest' }),
    ]);
    gauges.windowJudged({ model: 'other', modelVersion: '1' }, [verdictOf({ model: 'other' })]);
    gauges.episodeChanged(episodeOf(), AWAKE);
    gauges.retain([{ model: 'other', modelVersion: '1' }]);
    const text = await metrics.registry.metrics();
    expect(text).not.toContain('churn');
    expect(text).toContain('plumbline_drift_status{model="other"');
  });

  it('come back after a restart from what is stored', async () => {
    const { gauges, lines } = setUp();
    const follower = createGaugeFollower({
      store: {
        listModels: async () => [
          { ...KEY, schema: { task: 'binary', features: [] }, registeredAtMs: 0 },
          { model: 'new', modelVersion: '1', schema: { task: 'binary', features: [] }, registeredAtMs: 0 },
        ],
        recentOutcomes: async ({ model }) => (model === 'churn' ? [outcomeOf(7, 'd')] : []),
        listVerdicts: async ({ window, segment }) => (segment === undefined ? [verdictOf({ window })] : []),
      },
      gauges,
      clock: { now: () => 0, observe: () => undefined },
    });
    await follower.follow();
    gauges.episodesOpen([episodeOf()], () => AWAKE);
    expect(await lines('drift_status')).toEqual(['drift_status{,feature="age",detector="ks"} 1']);
    expect(await lines('episode_open')).toContain(
      'episode_open{,category="drift",severity="warning",route="drift"} 1',
    );
    expect(await lines('windows_judged_total{')).toEqual([]);
  });
});
