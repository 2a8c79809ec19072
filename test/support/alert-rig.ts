import { createAlertEngine, type HookSettings } from '../../src/alerts/alert-engine.js';
import { createStandings } from '../../src/alerts/standings.js';
import type { Episode } from '../../src/domain/episode.js';
import type { MaintenanceWindow } from '../../src/domain/maintenance.js';
import type { WindowOutcome } from '../../src/domain/verdict.js';
import { HOUR_MS } from '../../src/domain/window.js';
import { retrainHook } from './hooks.js';
import { createMemoryAlertStore } from './memory-alert-store.js';
import { createSilentLogger } from './silent-logger.js';

export const ALERT_POLICY = { openCount: 2, openWindows: 2, closeCount: 2, cooldownMs: 0, stepMs: HOUR_MS };

/** An alert engine over tables in memory, whose clock stands at the end of the window that it judges. */
export function createAlertRig(hooks: readonly HookSettings[] = [retrainHook()]) {
  const memory = createMemoryAlertStore();
  const seen: Episode[] = [];
  let nowMs = 0;
  const maintenance: MaintenanceWindow[] = [];
  const clock = { now: () => nowMs, observe: () => undefined };
  const standings = createStandings({ store: memory.store, maintenanceOf: () => maintenance, clock });
  const engine = createAlertEngine({
    store: memory.store,
    standings,
    policyFor: () => ALERT_POLICY,
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
