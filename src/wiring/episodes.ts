import { outcomesNeeded, pendingEpisode } from '../alerts/policy.js';
import { createEpisodeDesk } from '../jobs/episode-desk.js';
import { createPerformanceMover } from '../jobs/performance-moved.js';
import { episodePolicy } from './alarm-settings.js';
import type { Parts } from './parts.js';

/** Episodes as people see them, and what they do about them. */
export function wireEpisodeDesk({ policies: { settings }, store, clock }: Parts) {
  const policyOf = (model: string) => episodePolicy(settings(model));
  return createEpisodeDesk({
    store,
    maintenanceOf: (model) => settings(model).policy.maintenance,
    outcomesNeeded: (model) => outcomesNeeded(policyOf(model)),
    pending: (outcomes, latest) =>
      pendingEpisode({ outcomes, latest, policy: policyOf(outcomes[0]?.model ?? '') }),
    performanceMoved: createPerformanceMover({ store, setting: (model) => settings(model).performance }),
    clock,
  });
}
