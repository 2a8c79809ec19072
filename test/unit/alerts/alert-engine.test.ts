import { describe, expect, it } from '@jest/globals';
import { MAX_BODY_BYTES } from '../../../src/alerts/webhook-events.js';
import type { WindowOutcome } from '../../../src/domain/verdict.js';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { createAlertRig } from '../../support/alert-rig.js';
import { retrainHook } from '../../support/hooks.js';
import { hourWindow, outcomesOf, verdictOf } from '../../support/outcomes.js';

describe('alert engine', () => {
  it('opens, asks for retraining, and resolves, with the evidence in the bodies', async () => {
    const { judgeAll, events, types, episodes, seen } = createAlertRig();
    const changed = await judgeAll(outcomesOf('ddddcc'));
    expect(changed.map((episode) => episode.state)).toEqual(['open', 'closed']);
    expect(seen.map((episode) => episode.state)).toEqual(['open', 'open', 'open', 'open', 'closed']);
    expect(types()).toEqual(['retraining.requested', 'drift.detected', 'drift.resolved']);
    const [requested, , resolved] = [...events.values()];
    const id = [...episodes.keys()][0];
    expect(JSON.parse(requested?.body ?? '')).toEqual({
      type: 'retraining.requested',
      timestamp: '1970-01-01T02:00:00.000Z',
      data: {
        model: 'churn',
        model_version: '3',
        category: 'drift',
        episode: {
          id,
          state: 'open',
          severity: 'critical',
          first_window: { start: '1970-01-01T00:00:00.000Z', end: '1970-01-01T01:00:00.000Z' },
          opened_by: { start: '1970-01-01T01:00:00.000Z', end: '1970-01-01T02:00:00.000Z' },
          closed_by: null,
          last_window: { start: '1970-01-01T01:00:00.000Z', end: '1970-01-01T02:00:00.000Z' },
        },
        summary: 'Drift in churn version 3 (critical) since 1970-01-01 00:00 UTC: age.',
        drivers: [{ feature: 'age', detector: 'ks', statistic: 0.3, threshold: 0.08, effect: 0.3 }],
        reference_hash: 'a'.repeat(64),
        retraining: 'requested',
        links: {
          page: 'http://plumbline:8080/models/churn/versions/3',
          episode: `http://plumbline:8080/models/churn/versions/3/episodes/${id}`,
          reports: 'http://plumbline:8080/reports',
        },
      },
    });
    expect(JSON.parse(resolved?.body ?? '').data.episode).toMatchObject({ state: 'closed' });
  });

  it.each(['saveEpisode', 'retraining.requested', 'drift.detected', 'drift.resolved'])(
    'loses and doubles nothing when it crashes at %s and the window is judged again',
    async (write) => {
      const undisturbed = createAlertRig();
      await undisturbed.judgeAll(outcomesOf('cddcc'));
      const { judge, failOnce, events, episodes, engine } = createAlertRig();
      failOnce(write);
      let crashes = 0;
      for (const outcome of outcomesOf('cddcc')) {
        await judge(outcome).catch(async (error: unknown) => {
          expect(String(error)).toContain(write);
          crashes += 1;
          await engine.windowJudged([outcome]);
        });
      }
      expect(crashes).toBe(1);
      expect([...events]).toEqual([...undisturbed.events]);
      expect([...episodes]).toEqual([...undisturbed.episodes]);
    },
  );

  it('changes nothing when every window is handed in twice', async () => {
    const once = createAlertRig();
    await once.judgeAll(outcomesOf('ddcddccdd'));
    const twice = createAlertRig();
    for (const outcome of outcomesOf('ddcddccdd')) {
      await twice.judge(outcome);
      expect(await twice.engine.windowJudged([outcome])).toEqual([]);
    }
    expect([...twice.events]).toEqual([...once.events]);
    expect([...twice.episodes]).toEqual([...once.episodes]);
  });

  it('asks for retraining at most so often in a day, and says so in the event', async () => {
    const { judgeAll, events } = createAlertRig([retrainHook({ maxPerDay: 2 })]);
    await judgeAll(outcomesOf('ddccddccddcc'));
    const late = outcomesOf('ddcc').map((outcome, n) => ({ ...outcome, window: hourWindow(40 + n) }));
    await judgeAll(late);
    const requested = [...events.values()].filter((event) => event.type === 'retraining.requested');
    expect(requested.map((event) => event.createdAtMs / HOUR_MS)).toEqual([2, 6, 42]);
    expect(requested.every((event) => event.createdAtMs < 2 * DAY_MS)).toBe(true);
    const detected = [...events.values()].filter((event) => event.type === 'drift.detected');
    expect(detected.map((event) => JSON.parse(event.body).data.retraining)).toEqual([
      'requested',
      'requested',
      'daily_limit',
      'requested',
    ]);
  });

  it('asks for no retraining while a hook cools down', async () => {
    const { judgeAll, events } = createAlertRig([retrainHook({ maxPerDay: 9, cooldownMs: 5 * HOUR_MS })]);
    await judgeAll(outcomesOf('ddccddccddcc'));
    const detected = [...events.values()].filter((event) => event.type === 'drift.detected');
    expect(detected.map((event) => JSON.parse(event.body).data.retraining)).toEqual([
      'requested',
      'cooldown',
      'requested',
    ]);
  });

  it('tells each hook what it wants to know, under ids of its own', async () => {
    const { judgeAll, events } = createAlertRig([
      retrainHook(),
      retrainHook({ name: 'pipeline', on: ['retraining'], startsRuns: true }),
      retrainHook({ name: 'fallback', on: ['opened', 'resolved'], severity: 'critical' }),
      retrainHook({ name: 'quality', categories: ['dataQuality'] }),
    ]);
    await judgeAll(outcomesOf('ddcc'));
    expect([...events.values()].map(({ hook, type }) => `${hook} ${type}`)).toEqual([
      'retrain retraining.requested',
      'retrain drift.detected',
      'pipeline retraining.requested',
      'fallback drift.detected',
      'retrain drift.resolved',
      'fallback drift.resolved',
    ]);
    expect(events.size).toBe(6);
  });

  it('tells a hook for critical episodes nothing of a lesser one', async () => {
    const { judgeAll, types, episodes } = createAlertRig([retrainHook({ severity: 'critical' })]);
    const mild = outcomesOf('ddcc').map((outcome) => ({
      ...outcome,
      drivers: outcome.drivers.map((driver) => ({
        ...driver,
        effect: { value: 0.11, low: 0.1, high: 0.12 },
      })),
    }));
    await judgeAll(mild);
    expect([...episodes.values()].map(({ severity }) => severity)).toEqual(['warning']);
    expect(types()).toEqual([]);
  });

  it('counts openings against the limit where each starts a run, and always says when they are over', async () => {
    const { judgeAll, events } = createAlertRig([
      retrainHook({ name: 'fallback', on: ['opened', 'resolved'], startsRuns: true }),
    ]);
    await judgeAll(outcomesOf('ddccddcc'));
    expect([...events.values()].map(({ type }) => type)).toEqual([
      'drift.detected',
      'drift.resolved',
      'drift.resolved',
    ]);
  });

  it('does not ask to retrain on broken data', async () => {
    const { judgeAll, types } = createAlertRig();
    await judgeAll(outcomesOf('ddcc', { category: 'dataQuality' }));
    expect(types()).toEqual(['data_quality.failed', 'data_quality.recovered']);
  });

  it('keeps episodes of models without a webhook, and writes no event', async () => {
    const { judgeAll, types, episodes } = createAlertRig([]);
    expect(await judgeAll(outcomesOf('dd'))).toHaveLength(1);
    expect(types()).toEqual([]);
    expect(episodes.size).toBe(1);
  });

  it('keeps categories and models apart', async () => {
    const { engine, store, episodes } = createAlertRig();
    const drift = outcomesOf('dd');
    const quality = outcomesOf('cd', { category: 'dataQuality' });
    for (const n of [0, 1]) {
      const both = [drift[n], quality[n]] as WindowOutcome[];
      await store.saveOutcomes(both);
      await engine.windowJudged(both);
    }
    expect([...episodes.values()].map((episode) => episode.category)).toEqual(['drift']);
  });

  it('starts a new look back when the window length changes', async () => {
    const { store, judgeAll, episodes } = createAlertRig();
    const longer = outcomesOf('dd').map(({ window, ...rest }) => ({
      ...rest,
      window: { startMs: window.startMs - 23 * HOUR_MS, endMs: window.endMs },
    }));
    await store.saveOutcomes(longer);
    expect(await judgeAll(outcomesOf('--d'))).toEqual([]);
    expect(await judgeAll(outcomesOf('---d'))).toHaveLength(1);
    expect([...episodes.values()][0]?.firstWindow).toEqual(hourWindow(2));
  });

  it('stays below the size that receivers accept, with the longest names', async () => {
    const name = 'x'.repeat(120);
    const drivers = Array.from({ length: 500 }, (_, i) =>
      verdictOf({ feature: name.slice(3) + String(i).padStart(3, '0'), detector: name, statistic: 1 / 3 }),
    );
    const { judgeAll, events } = createAlertRig();
    await judgeAll(outcomesOf('dd', { drivers, model: name }));
    const sizes = [...events.values()].map((event) => Buffer.byteLength(event.body));
    expect(sizes).toHaveLength(2);
    expect(Math.max(...sizes)).toBeLessThan(MAX_BODY_BYTES);
  });
});

it('remembers since when an episode was pending', async () => {
  const { judge, runs, episodes } = createAlertRig();
  const [a, b] = outcomesOf('dd') as [WindowOutcome, WindowOutcome];
  await judge(a);
  const { model, modelVersion, window } = a;
  runs.push({ model, modelVersion, window, referenceHash: '', status: 'judged', rows: 1, atMs: HOUR_MS + 5 });
  await judge(b);
  expect([...episodes.values()]).toMatchObject([{ pendingAtMs: HOUR_MS + 5, openedAtMs: 2 * HOUR_MS }]);
});
