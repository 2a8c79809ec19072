import { describe, expect, it } from '@jest/globals';
import type { EpisodeAction } from '../../../src/domain/episode-action.js';
import type { WindowOutcome } from '../../../src/domain/verdict.js';
import { createAlertRig } from '../../support/alert-rig.js';
import { retrainHook } from '../../support/hooks.js';
import { outcomesOf, verdictOf } from '../../support/outcomes.js';

const mild = [verdictOf({ effect: { value: 0.1, low: 0, high: 1 } })];

it('writes down that an episode got worse, before it does', async () => {
  const { judge, actions, failOnce, episodes } = createAlertRig();
  const [a, b, c] = [...outcomesOf('dd', { drivers: mild }), ...outcomesOf('ddd').slice(2)] as [
    WindowOutcome,
    WindowOutcome,
    WindowOutcome,
  ];
  await judge(a);
  await judge(b);
  failOnce('saveEpisode');
  await judge(c).catch(() => judge(c));
  expect([...actions.values()]).toMatchObject([{ kind: 'severity_raised', note: 'critical', by: 'service' }]);
  expect([...episodes.values()]).toMatchObject([{ severity: 'critical' }]);
});

it('tells a hook for critical episodes once one has become that, whatever crashes, and others not again', async () => {
  const hook = (name: string, severity: 'warning' | 'critical') =>
    retrainHook({ name, severity, on: ['opened', 'resolved'] });
  const { judge, failOnce, events } = createAlertRig([hook('chat', 'warning'), hook('pager', 'critical')]);
  const states = [...outcomesOf('dd', { drivers: mild }), ...outcomesOf('ddddcc').slice(2)];
  const told = () => [...events.values()].map(({ hook: name, type }) => `${name} ${type}`);
  for (const outcome of states.slice(0, 2)) await judge(outcome);
  expect(told()).toEqual(['chat drift.detected']);
  failOnce('saveEpisode');
  for (const outcome of states.slice(2)) await judge(outcome).catch(() => judge(outcome));
  expect(told()).toEqual([
    'chat drift.detected',
    'pager drift.detected',
    'chat drift.resolved',
    'pager drift.resolved',
  ]);
});

describe('an acknowledgement', () => {
  const windows = [...outcomesOf('dd', { drivers: mild }), ...outcomesOf('dddd').slice(2)];

  /** An episode that opened as a warning; the next window makes it critical. */
  async function warned() {
    const all = createAlertRig();
    const [a, b, worse, after] = windows as [WindowOutcome, WindowOutcome, WindowOutcome, WindowOutcome];
    await all.judge(a);
    const [opened] = await all.judge(b);
    const id = opened?.id ?? '';
    const say = (kind: EpisodeAction['kind'], actionId: string) =>
      all.store.saveAction({
        model: worse.model,
        id: actionId,
        category: 'drift',
        episodeId: id,
        kind,
        by: 'ada',
        via: 'local',
        note: '',
        atMs: 0,
        untilMs: null,
      });
    async function standing() {
      await all.engine.followUp();
      const episode = all.episodes.get(id);
      if (episode === undefined) throw new TypeError('no episode');
      return { by: all.standings.of(episode).acknowledgement?.by ?? null, severity: episode.severity };
    }
    return { ...all, worse, after, say, standing };
  }

  it('of before it got worse ends with that, once', async () => {
    const { say, judge, worse, after, standing } = await warned();
    await say('acknowledged', 'first');
    expect(await standing()).toEqual({ by: 'ada', severity: 'warning' });
    await judge(worse);
    expect(await standing()).toEqual({ by: null, severity: 'critical' });
    await say('acknowledged', 'second');
    await judge(after);
    expect(await standing()).toEqual({ by: 'ada', severity: 'critical' });
  });

  it('between a crash and the repeat of its window stays', async () => {
    const { say, judge, worse, standing, failOnce } = await warned();
    failOnce('saveEpisode');
    await expect(judge(worse)).rejects.toThrow('crash');
    await say('acknowledged', 'meanwhile');
    await judge(worse);
    expect(await standing()).toEqual({ by: 'ada', severity: 'critical' });
  });

  it('stays when it never came to that: the process that wrote it down is gone, another decides otherwise', async () => {
    const { say, judge, worse, standing, failOnce } = await warned();
    await say('acknowledged', 'before');
    failOnce('saveEpisode');
    await expect(judge(worse)).rejects.toThrow('crash');
    expect(await standing()).toEqual({ by: 'ada', severity: 'warning' });
    // Late rows made it milder.
    await judge({ ...worse, drivers: mild });
    expect(await standing()).toEqual({ by: 'ada', severity: 'warning' });
  });

  it('stays when another process, which was stopped in between, judges the same window late', async () => {
    const { say, judge, worse, standing, store, engine } = await warned();
    const { latestEpisode } = store;
    const before = await latestEpisode(worse);
    await judge(worse);
    expect(await standing()).toEqual({ by: null, severity: 'critical' });
    await say('acknowledged', 'after');
    // It read the episode before the other one wrote it, and goes on now.
    let stale = true;
    store.latestEpisode = async (key) => {
      if (!stale) return latestEpisode(key);
      stale = false;
      return before;
    };
    await engine.windowJudged([worse]);
    expect(stale).toBe(false);
    expect(await standing()).toEqual({ by: 'ada', severity: 'critical' });
  });
});
