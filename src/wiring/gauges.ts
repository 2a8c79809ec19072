import { createGaugeFollower } from '../alerts/gauge-follower.js';
import { createPerformanceGauges } from '../alerts/performance-gauges.js';
import { createVerdictGauges } from '../alerts/prometheus.js';
import type { VersionKey } from '../domain/ports.js';
import type { Verdict } from '../domain/verdict.js';
import { createEstimateGauges } from '../jobs/estimate-gauges.js';
import { createSchemaGauges } from '../jobs/schema-gauges.js';
import type { Parts } from './parts.js';

/** All gauges of judged windows and of episodes, in step with each other. */
export function wireGauges({ store, metrics, logger, clock, policies }: Parts) {
  const { settings } = policies;
  const verdicts = createVerdictGauges({
    metrics,
    logger,
    routeOf: (model, category) => settings(model).policy.routes[category] ?? category,
  });
  const performance = createPerformanceGauges({ metrics });
  const schema = createSchemaGauges({ store, gauge: metrics.undeclaredFeatures });
  const estimates = createEstimateGauges({
    store,
    setting: (model) => settings(model).performance,
    gauge: metrics.performance,
  });
  const besides = (key: VersionKey, judged: readonly Verdict[]) => {
    performance.windowJudged(key, judged);
    estimates.windowJudged(key, judged);
    schema.windowJudged(key, judged);
  };
  const retain = (keys: readonly VersionKey[]) => {
    for (const gauges of [verdicts, performance, estimates, schema]) gauges.retain(keys);
  };
  const follower = createGaugeFollower({
    store,
    clock,
    gauges: {
      shownEndMs: verdicts.shownEndMs,
      windowShown: (key, judged) => {
        verdicts.windowShown(key, judged);
        besides(key, judged);
      },
      retain,
    },
  });

  return {
    windowJudged(key: VersionKey, judged: readonly Verdict[]): void {
      verdicts.windowJudged(key, judged);
      besides(key, judged);
    },
    verdictsRevised: verdicts.verdictsRevised,
    performanceJudged: performance.performanceJudged,
    episodeChanged: verdicts.episodeChanged,
    episodesOpen: verdicts.episodesOpen,
    retain,
    /** Shows what is stored: at the start, and while another process judges. */
    async follow(): Promise<void> {
      await follower.follow();
      await performance.follow(store);
    },
    /** Computes what is not in the verdicts, of the windows that are shown since. */
    async publish(): Promise<void> {
      await estimates.publish();
      await schema.publish();
    },
  };
}
