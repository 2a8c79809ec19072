import { describe, expect, it } from '@jest/globals';
import { AWAKE } from '../../../src/domain/silence.js';
import { createGaugeRig, episodeOf, KEY, UNDECIDED } from '../../support/gauge-rig.js';
import { hourWindow, verdictOf } from '../../support/outcomes.js';

describe('verdict gauges', () => {
  it('keep to the series budget, alarms first, and count what they leave out', async () => {
    const { gauges, lines } = createGaugeRig(6);
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
    const { gauges, lines } = createGaugeRig(6);
    gauges.windowJudged(KEY, [
      verdictOf(),
      verdictOf({ detector: 'psi', role: 'descriptive' }),
      verdictOf({ feature: 'x', ...UNDECIDED }),
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
    const { gauges, lines } = createGaugeRig(6);
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

  it.each(['a,b', 'line\nbreak', '', 'x'.repeat(121)])(
    'do not make a label of the model %j',
    async (model) => {
      const { gauges, lines } = createGaugeRig();
      gauges.windowJudged({ ...KEY, model }, [verdictOf({ model })]);
      gauges.episodeChanged(episodeOf({ model }), AWAKE);
      expect(await lines('drift_status{')).toEqual([]);
      expect(await lines('episode_open{')).toEqual([]);
      expect(await lines('series_dropped')).toEqual(['series_dropped_total{reason="label"} 2']);
    },
  );

  it('do not make a label of a feature with a comma, and keep its siblings', async () => {
    const { gauges, lines } = createGaugeRig();
    gauges.windowJudged(KEY, [verdictOf({ feature: 'a,b' }), verdictOf({ feature: '__proto__' })]);
    expect(await lines('drift_status')).toEqual(['drift_status{,feature="__proto__",detector="ks"} 1']);
    expect(await lines('series_dropped')).toEqual(['series_dropped_total{reason="label"} 3']);
  });
});
