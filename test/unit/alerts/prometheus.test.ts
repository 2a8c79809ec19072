import { describe, expect, it } from '@jest/globals';
import { createGaugeFollower } from '../../../src/alerts/gauge-follower.js';
import { AWAKE } from '../../../src/domain/silence.js';
import { createGaugeRig, episodeOf, KEY, UNDECIDED } from '../../support/gauge-rig.js';
import { hourWindow, outcomeOf, verdictOf } from '../../support/outcomes.js';

describe('verdict gauges', () => {
  it('show the last window: statistic, threshold, status, columns, outliers', async () => {
    const { gauges, lines } = createGaugeRig();
    gauges.windowJudged(KEY, [
      verdictOf(),
      verdictOf({ detector: 'psi', role: 'descriptive' }),
      verdictOf({ feature: 'plan', detector: 'chiSquare', material: false, statistic: 40, threshold: 30 }),
      verdictOf({ feature: 'x', ...UNDECIDED }),
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
    const { gauges, lines } = createGaugeRig();
    gauges.windowJudged(KEY, [verdictOf(), verdictOf({ feature: 'old' })]);
    gauges.windowJudged(KEY, [verdictOf({ window: hourWindow(1), ...UNDECIDED })]);
    expect(await lines('drift_status')).toEqual(['drift_status{,feature="age",detector="ks"} -1']);
    expect(await lines('drift_statistic')).toEqual([]);
    expect(await lines('windows_judged')).toContain('windows_judged_total{,status="undecided"} 1');
  });

  it('do not go back to an older window that is judged again', async () => {
    const { gauges, lines } = createGaugeRig();
    gauges.windowJudged(KEY, [verdictOf({ window: hourWindow(5), statistic: 0.5 })]);
    gauges.windowJudged(KEY, [verdictOf({ window: hourWindow(2), statistic: 0.2 })]);
    expect(await lines('drift_statistic')).toEqual(['drift_statistic{,feature="age",detector="ks"} 0.5']);
    expect(await lines('windows_judged')).toEqual(['windows_judged_total{,status="drifted"} 2']);
  });

  it('show a verdict that was revised alone, of the window that they show', async () => {
    const { gauges, lines } = createGaugeRig();
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

  it('are one moment in each scrape, whatever is judged while it is written', async () => {
    const { gauges, metrics } = createGaugeRig();
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

  it('vanish with their model', async () => {
    const { gauges, metrics } = createGaugeRig();
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
    const { gauges, lines } = createGaugeRig();
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
