import { describe, expect, it } from '@jest/globals';
import { createAlertEngine } from '../../../src/alerts/alert-engine.js';
import type { WindowOutcome } from '../../../src/domain/verdict.js';
import { HOUR_MS } from '../../../src/domain/window.js';
import { ALERT_POLICY, createAlertRig } from '../../support/alert-rig.js';
import { retrainHook } from '../../support/hooks.js';
import { outcomesOf } from '../../support/outcomes.js';
import { createSilentLogger } from '../../support/silent-logger.js';

describe('two processes that judge the same windows', () => {
  /** Another engine over the same store. */
  function another(
    { store, standings }: Pick<ReturnType<typeof createAlertRig>, 'store' | 'standings'>,
    overrides: Partial<ReturnType<typeof createAlertRig>['store']> = {},
  ) {
    return createAlertEngine({
      store: { ...store, ...overrides },
      standings,
      policyFor: () => ALERT_POLICY,
      hooksFor: () => [retrainHook()],
      gauges: { episodeChanged: () => undefined, episodesOpen: () => undefined },
      clock: { now: () => 99 * HOUR_MS, observe: () => undefined },
      logger: createSilentLogger(),
      publicUrl: null,
    });
  }

  it('open one episode and write its events once, also at the same moment', async () => {
    const first = createAlertRig();
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
    const first = createAlertRig();
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
