import { describe, expect, it } from '@jest/globals';
import { AWAKE } from '../../../src/domain/silence.js';
import { createGaugeRig, episodeOf } from '../../support/gauge-rig.js';

describe('episode gauges', () => {
  it('follow an episode through opening, escalation and close', async () => {
    const { gauges, lines } = createGaugeRig();
    const shown = async () =>
      (await lines('episode_open')).map((line) => line.replace(/.*severity=|,route="drift"/g, '')).join(' ');
    gauges.episodeChanged(episodeOf(), AWAKE);
    expect(await shown()).toBe('"warning"} 1 "critical"} 0');
    gauges.episodeChanged(episodeOf({ severity: 'critical' }), AWAKE);
    expect(await shown()).toBe('"warning"} 0 "critical"} 1');
    gauges.episodeChanged(episodeOf({ state: 'closed', severity: 'critical' }), AWAKE);
    expect(await shown()).toBe('"warning"} 0 "critical"} 0');
  });

  it('tell why an episode is open, as long as it is, whatever the sentence holds', async () => {
    const { gauges, lines } = createGaugeRig();
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
    const { gauges, lines, routes } = createGaugeRig();
    gauges.episodeChanged(episodeOf(), AWAKE);
    routes.drift = 'ml-team';
    gauges.episodeChanged(episodeOf(), AWAKE);
    expect(await lines('episode_open{')).toEqual([
      'episode_open{,category="drift",severity="warning",route="ml-team"} 1',
      'episode_open{,category="drift",severity="critical",route="ml-team"} 0',
    ]);
  });

  it('tell how people stand to an open episode, and whether performance moved with it', async () => {
    const { gauges, lines } = createGaugeRig();
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

  it('close what is not among the open episodes of the store, and show those that are', async () => {
    const { gauges, lines } = createGaugeRig();
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
});
