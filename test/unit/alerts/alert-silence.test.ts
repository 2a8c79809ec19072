import { describe, expect, it } from '@jest/globals';
import type { EpisodeAction } from '../../../src/domain/episode-action.js';
import type { WindowOutcome } from '../../../src/domain/verdict.js';
import { HOUR_MS } from '../../../src/domain/window.js';
import { createAlertRig } from '../../support/alert-rig.js';
import { retrainHook } from '../../support/hooks.js';
import { outcomesOf, verdictOf } from '../../support/outcomes.js';

describe('silence', () => {
  const TO_3 = { kind: 'once', name: 'move', fromMs: 0, toMs: 3 * HOUR_MS } as const;
  const everything = () => createAlertRig([retrainHook({ on: ['opened', 'resolved', 'retraining'] })]);
  const kinds = (actions: ReadonlyMap<string, EpisodeAction>) =>
    [...actions.values()].map(({ kind }) => kind);
  const snooze = (untilMs: number, overrides: Partial<EpisodeAction> = {}): EpisodeAction => ({
    model: 'churn',
    id: 'snooze',
    category: null,
    episodeId: null,
    kind: 'snoozed',
    by: 'ada',
    via: 'local',
    note: '',
    atMs: 0,
    untilMs,
    ...overrides,
  });

  it('holds back the opening in maintenance, and tells of it afterwards if it is still open', async () => {
    const { judgeAll, engine, maintenance, types, events, actions, at, seen } = everything();
    maintenance.push(TO_3);
    const [opened] = await judgeAll(outcomesOf('dd'));
    expect(opened?.state).toBe('open');
    expect(types()).toEqual([]);
    await engine.followUp();
    expect(types()).toEqual([]);
    at(3 * HOUR_MS);
    await engine.followUp();
    expect(types()).toEqual(['retraining.requested', 'drift.detected']);
    const [event] = [...events.values()];
    expect(event?.createdAtMs).toBe(3 * HOUR_MS);
    expect(JSON.parse(event?.body ?? '').data).toMatchObject({
      reference_hash: 'a'.repeat(64),
      episode: { state: 'open', last_window: { end: '1970-01-01T02:00:00.000Z' } },
    });
    expect(kinds(actions)).toEqual(['held', 'released']);
    await engine.followUp();
    expect(events.size).toBe(2);
    expect(seen.at(-1)?.id).toBe(opened?.id);
  });

  it('says nothing of an episode that ended meanwhile', async () => {
    const { judgeAll, engine, actions, types, store } = everything();
    await store.saveAction(snooze(9 * HOUR_MS));
    await engine.followUp();
    const changed = await judgeAll(outcomesOf('ddcc'));
    expect(changed.map(({ state }) => state)).toEqual(['open', 'closed']);
    await engine.followUp();
    expect(types()).toEqual([]);
    expect(kinds(actions)).toEqual(['snoozed', 'held', 'released']);
  });

  it('holds back the end of what was told, until it is over', async () => {
    const { judgeAll, judge, engine, types, store, at } = everything();
    const outcomes = outcomesOf('ddcc');
    const [opened] = await judgeAll(outcomes.slice(0, 2));
    await store.saveAction(snooze(9 * HOUR_MS, { episodeId: opened?.id ?? '' }));
    await engine.followUp();
    for (const outcome of outcomes.slice(2)) await judge(outcome);
    expect(types()).toEqual(['retraining.requested', 'drift.detected']);
    await store.saveAction(snooze(0, { id: 'end', kind: 'unsnoozed', episodeId: opened?.id ?? '' }));
    at(5 * HOUR_MS);
    await engine.followUp();
    expect(types()).toEqual(['retraining.requested', 'drift.detected', 'drift.resolved']);
  });

  it('counts from the moment it was asked for, however long the cycle has been under way', async () => {
    const { judge, types, store } = everything();
    const [first, second] = outcomesOf('dd') as [WindowOutcome, WindowOutcome];
    await judge(first);
    await store.saveAction(snooze(9 * HOUR_MS));
    const [opened] = await judge(second);
    expect(opened?.state).toBe('open');
    expect(types()).toEqual([]);
  });

  it('of one category leaves the others alone', async () => {
    const { judgeAll, engine, types, store } = everything();
    await store.saveAction(snooze(9 * HOUR_MS, { category: 'outliers' }));
    await engine.followUp();
    await judgeAll(outcomesOf('dd'));
    await judgeAll(outcomesOf('dd', { category: 'outliers' }));
    expect(types()).toEqual(['retraining.requested', 'drift.detected']);
  });

  it.each(['held', 'released', 'drift.detected'])(
    'a crash at %s loses nothing and tells nothing twice',
    async (write) => {
      const { judgeAll, judge, engine, maintenance, types, failOnce, at, actions } = everything();
      maintenance.push(TO_3);
      const [first, second] = outcomesOf('dd') as [WindowOutcome, WindowOutcome];
      await judge(first);
      failOnce(write);
      await judge(second).catch(() => judge(second));
      at(4 * HOUR_MS);
      await engine.followUp().catch(() => engine.followUp());
      await engine.followUp();
      expect(types()).toEqual(['retraining.requested', 'drift.detected']);
      expect(kinds(actions)).toEqual(['held', 'released']);
      expect(await judgeAll([])).toEqual([]);
    },
  );
});

it('keeps it from the hook for critical episodes while they are silent', async () => {
  const { judge, events, maintenance, at, engine } = createAlertRig([
    retrainHook({ name: 'pager', severity: 'critical', on: ['opened', 'resolved'] }),
  ]);
  const mild = [verdictOf({ effect: { value: 0.1, low: 0, high: 1 } })];
  const states = [...outcomesOf('dd', { drivers: mild }), ...outcomesOf('dddd').slice(2)];
  for (const outcome of states.slice(0, 2)) await judge(outcome);
  maintenance.push({ kind: 'once', name: 'move', fromMs: 0, toMs: 5 * HOUR_MS });
  for (const outcome of states.slice(2)) await judge(outcome);
  expect([...events.values()]).toEqual([]);
  at(6 * HOUR_MS);
  await engine.followUp();
  expect([...events.values()].map(({ type }) => type)).toEqual(['drift.detected']);
});
