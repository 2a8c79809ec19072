import { describe, expect, it } from '@jest/globals';
import { createAlertEngine, type HookSettings } from '../../../src/alerts/alert-engine.js';
import { createStandings } from '../../../src/alerts/standings.js';
import { MAX_BODY_BYTES } from '../../../src/alerts/webhook-events.js';
import type { Episode } from '../../../src/domain/episode.js';
import type { EpisodeAction } from '../../../src/domain/episode-action.js';
import type { MaintenanceWindow } from '../../../src/domain/maintenance.js';
import type { WindowOutcome } from '../../../src/domain/verdict.js';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { retrainHook } from '../../support/hooks.js';
import { createMemoryAlertStore } from '../../support/memory-alert-store.js';
import { hourWindow, outcomesOf, verdictOf } from '../../support/outcomes.js';
import { createSilentLogger } from '../../support/silent-logger.js';

const policy = { openCount: 2, openWindows: 2, closeCount: 2, cooldownMs: 0, stepMs: HOUR_MS };

function setUp(hooks: readonly HookSettings[] = [retrainHook()]) {
  const memory = createMemoryAlertStore();
  const seen: Episode[] = [];
  let nowMs = 0;
  const maintenance: MaintenanceWindow[] = [];
  const clock = { now: () => nowMs, observe: () => undefined };
  const standings = createStandings({ store: memory.store, maintenanceOf: () => maintenance, clock });
  const engine = createAlertEngine({
    store: memory.store,
    standings,
    policyFor: () => policy,
    hooksFor: () => hooks,
    gauges: { episodeChanged: (episode) => seen.push(episode), episodesOpen: () => undefined },
    clock,
    logger: createSilentLogger(),
    publicUrl: 'http://plumbline:8080',
  });
  async function judge(outcome: WindowOutcome) {
    nowMs = outcome.window.endMs;
    await memory.store.saveOutcomes([outcome]);
    return engine.windowJudged([outcome]);
  }
  return {
    ...memory,
    maintenance,
    standings,
    at: (ms: number) => {
      nowMs = ms;
    },
    seen,
    engine,
    judge,
    types: () => [...memory.events.values()].map((event) => event.type),
    async judgeAll(outcomes: readonly WindowOutcome[]) {
      const changed: Episode[] = [];
      for (const outcome of outcomes) changed.push(...(await judge(outcome)));
      return changed;
    },
  };
}

describe('alert engine', () => {
  it('opens, asks for retraining, and resolves, with the evidence in the bodies', async () => {
    const { judgeAll, events, types, episodes, seen } = setUp();
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
      const undisturbed = setUp();
      await undisturbed.judgeAll(outcomesOf('cddcc'));
      const { judge, failOnce, events, episodes, engine } = setUp();
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
    const once = setUp();
    await once.judgeAll(outcomesOf('ddcddccdd'));
    const twice = setUp();
    for (const outcome of outcomesOf('ddcddccdd')) {
      await twice.judge(outcome);
      expect(await twice.engine.windowJudged([outcome])).toEqual([]);
    }
    expect([...twice.events]).toEqual([...once.events]);
    expect([...twice.episodes]).toEqual([...once.episodes]);
  });

  it('asks for retraining at most so often in a day, and says so in the event', async () => {
    const { judgeAll, events } = setUp([retrainHook({ maxPerDay: 2 })]);
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
    const { judgeAll, events } = setUp([retrainHook({ maxPerDay: 9, cooldownMs: 5 * HOUR_MS })]);
    await judgeAll(outcomesOf('ddccddccddcc'));
    const detected = [...events.values()].filter((event) => event.type === 'drift.detected');
    expect(detected.map((event) => JSON.parse(event.body).data.retraining)).toEqual([
      'requested',
      'cooldown',
      'requested',
    ]);
  });

  it('tells each hook what it wants to know, under ids of its own', async () => {
    const { judgeAll, events } = setUp([
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
    const { judgeAll, types, episodes } = setUp([retrainHook({ severity: 'critical' })]);
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
    const { judgeAll, events } = setUp([
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
    const { judgeAll, types } = setUp();
    await judgeAll(outcomesOf('ddcc', { category: 'dataQuality' }));
    expect(types()).toEqual(['data_quality.failed', 'data_quality.recovered']);
  });

  it('keeps episodes of models without a webhook, and writes no event', async () => {
    const { judgeAll, types, episodes } = setUp([]);
    expect(await judgeAll(outcomesOf('dd'))).toHaveLength(1);
    expect(types()).toEqual([]);
    expect(episodes.size).toBe(1);
  });

  it('keeps categories and models apart', async () => {
    const { engine, store, episodes } = setUp();
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
    const { store, judgeAll, episodes } = setUp();
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
    const { judgeAll, events } = setUp();
    await judgeAll(outcomesOf('dd', { drivers, model: name }));
    const sizes = [...events.values()].map((event) => Buffer.byteLength(event.body));
    expect(sizes).toHaveLength(2);
    expect(Math.max(...sizes)).toBeLessThan(MAX_BODY_BYTES);
  });
});

describe('two processes that judge the same windows', () => {
  /** Another engine over the same store. */
  function another(
    { store, standings }: Pick<ReturnType<typeof setUp>, 'store' | 'standings'>,
    overrides: Partial<ReturnType<typeof setUp>['store']> = {},
  ) {
    return createAlertEngine({
      store: { ...store, ...overrides },
      standings,
      policyFor: () => policy,
      hooksFor: () => [retrainHook()],
      gauges: { episodeChanged: () => undefined, episodesOpen: () => undefined },
      clock: { now: () => 99 * HOUR_MS, observe: () => undefined },
      logger: createSilentLogger(),
      publicUrl: null,
    });
  }

  it('open one episode and write its events once, also at the same moment', async () => {
    const first = setUp();
    const second = another(first);
    const windows = outcomesOf('cddc');
    for (const outcome of windows) {
      await first.store.saveOutcomes([outcome]);
      await Promise.all([first.engine.windowJudged([outcome]), second.windowJudged([outcome])]);
    }
    expect(first.episodes.size).toBe(1);
    expect(first.types()).toEqual(['retraining.requested', 'drift.detected']);
  });

  it('one that is stopped between its look and its write opens nothing again that the other has closed', async () => {
    const first = setUp();
    const windows = outcomesOf('dddcc');
    await first.judgeAll(windows.slice(0, 2));
    let resume: () => void = () => undefined;
    const stopped = new Promise<void>((resolve) => {
      resume = resolve;
    });
    let looks = 0;
    const second = another(first, {
      latestEpisode: async (key) => {
        const latest = await first.store.latestEpisode(key);
        looks += 1;
        if (looks === 1) await stopped;
        return latest;
      },
    });
    const late = second.windowJudged([windows[2] as WindowOutcome]);
    await first.judgeAll(windows.slice(2));
    expect([...first.episodes.values()].map(({ state }) => state)).toEqual(['closed']);
    resume();
    expect(await late).toEqual([]);
    expect(looks).toBe(2);
    expect([...first.episodes.values()].map(({ state }) => state)).toEqual(['closed']);
    expect(first.types()).toEqual(['retraining.requested', 'drift.detected', 'drift.resolved']);
  });
});

describe('silence', () => {
  const TO_3 = { kind: 'once', name: 'move', fromMs: 0, toMs: 3 * HOUR_MS } as const;
  const everything = () => setUp([retrainHook({ on: ['opened', 'resolved', 'retraining'] })]);
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

it('writes down that an episode got worse, before it does', async () => {
  const { judge, actions, failOnce, episodes } = setUp();
  const mild = [verdictOf({ effect: { value: 0.1, low: 0, high: 1 } })];
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

describe('an acknowledgement', () => {
  const mild = [verdictOf({ effect: { value: 0.1, low: 0, high: 1 } })];
  const windows = [...outcomesOf('dd', { drivers: mild }), ...outcomesOf('dddd').slice(2)];

  /** An episode that opened as a warning; the next window makes it critical. */
  async function warned() {
    const all = setUp();
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

it('tells a hook for critical episodes once one has become that, whatever crashes, and others not again', async () => {
  const hook = (name: string, severity: 'warning' | 'critical') =>
    retrainHook({ name, severity, on: ['opened', 'resolved'] });
  const { judge, failOnce, events } = setUp([hook('chat', 'warning'), hook('pager', 'critical')]);
  const mild = [verdictOf({ effect: { value: 0.1, low: 0, high: 1 } })];
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

it('keeps it from the hook for critical episodes while they are silent', async () => {
  const { judge, events, maintenance, at, engine } = setUp([
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

it('remembers since when an episode was pending', async () => {
  const { judge, runs, episodes } = setUp();
  const [a, b] = outcomesOf('dd') as [WindowOutcome, WindowOutcome];
  await judge(a);
  const { model, modelVersion, window } = a;
  runs.push({ model, modelVersion, window, referenceHash: '', status: 'judged', rows: 1, atMs: HOUR_MS + 5 });
  await judge(b);
  expect([...episodes.values()]).toMatchObject([{ pendingAtMs: HOUR_MS + 5, openedAtMs: 2 * HOUR_MS }]);
});
