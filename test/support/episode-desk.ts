import {
  decideEpisode,
  type EpisodePolicy,
  outcomesNeeded,
  pendingEpisode,
} from '../../src/alerts/policy.js';
import type { PerformanceMove } from '../../src/domain/episode.js';
import type { MaintenanceWindow } from '../../src/domain/maintenance.js';
import type { ModelVersion } from '../../src/domain/model.js';
import type { WindowOutcome } from '../../src/domain/verdict.js';
import { HOUR_MS } from '../../src/domain/window.js';
import { createEpisodeDesk } from '../../src/jobs/episode-desk.js';
import { createMemoryAlertStore } from './memory-alert-store.js';

const POLICY: EpisodePolicy = {
  openCount: 2,
  openWindows: 2,
  closeCount: 2,
  cooldownMs: 0,
  stepMs: HOUR_MS,
};
const NOT_MOVED: PerformanceMove = {
  moved: 'not_moved',
  kind: 'estimated',
  figure: 'rocAuc',
  value: 0.681,
  low: 0.67,
  high: 0.69,
  reference: 0.684,
};

/** The desk as the service wires it, over tables in memory. */
export function createMemoryDesk(models: readonly ModelVersion[]) {
  const memory = createMemoryAlertStore();
  const maintenance: MaintenanceWindow[] = [];
  let nowMs = 10 * HOUR_MS;
  const store = { ...memory.store, listModels: async () => [...models] };
  const desk = createEpisodeDesk({
    store,
    maintenanceOf: () => maintenance,
    outcomesNeeded: () => outcomesNeeded(POLICY),
    pending: (outcomes, latest) => pendingEpisode({ outcomes, latest, policy: POLICY }),
    performanceMoved: async () => NOT_MOVED,
    clock: { now: () => nowMs },
  });
  return {
    ...memory,
    desk,
    maintenance,
    at: (ms: number) => {
      nowMs = ms;
    },
    /** Stores the windows and what the policy makes of them. */
    async judge(outcomes: readonly WindowOutcome[]): Promise<void> {
      for (const outcome of outcomes) {
        await store.saveOutcomes([outcome]);
        const { model, modelVersion, category, window } = outcome;
        const key = { model, modelVersion, category };
        const recent = await store.recentOutcomes({ ...key, untilMs: window.endMs, limit: 2 });
        const latest = await store.latestEpisode(key);
        const decided = decideEpisode({ outcomes: recent, latest, policy: POLICY, nowMs: window.endMs });
        if (decided !== null) await store.saveEpisode(decided.episode);
      }
    },
  };
}
