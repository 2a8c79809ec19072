import { createVerdictGauges } from '../../src/alerts/prometheus.js';
import type { Episode } from '../../src/domain/episode.js';
import type { EpisodeCategory, Verdict } from '../../src/domain/verdict.js';
import { createMetrics } from '../../src/metrics.js';
import { hourWindow } from './outcomes.js';
import { createSilentLogger } from './silent-logger.js';

export const KEY = { model: 'churn', modelVersion: '3' };

/** The gauges of verdicts and episodes, and what a scrape shows of them. */
export function createGaugeRig(seriesBudget?: number) {
  const metrics = createMetrics();
  const routes: Partial<Record<EpisodeCategory, string>> = {};
  const gauges = createVerdictGauges({
    metrics,
    logger: createSilentLogger(),
    routeOf: (_model, category) => routes[category] ?? category,
    ...(seriesBudget === undefined ? {} : { seriesBudget }),
  });
  /** Sample lines of the exposition that begin with this name, without the common labels. */
  async function lines(name: string): Promise<string[]> {
    const text = await metrics.registry.metrics();
    return text
      .split('\n')
      .filter((line) => line.startsWith(`plumbline_${name}`))
      .map((line) => line.replace('model="churn",model_version="3"', '').replace('plumbline_', ''));
  }
  return { metrics, gauges, lines, routes };
}

/** An open episode of the model. */
export function episodeOf(overrides: Partial<Episode> = {}): Episode {
  return {
    ...KEY,
    id: 'e1',
    category: 'drift',
    severity: 'warning',
    state: 'open',
    firstWindow: hourWindow(0),
    openedBy: hourWindow(1),
    closedBy: null,
    lastWindow: hourWindow(1),
    drivers: [],
    openedAtMs: 0,
    closedAtMs: null,
    ...overrides,
  };
}

/** What an undecided verdict lacks. */
export const UNDECIDED: Partial<Verdict> = {
  status: 'undecided',
  reason: 'too_few_rows',
  material: false,
  statistic: null,
  effect: null,
  threshold: null,
};
