import type { Clock } from '../domain/clock.js';
import type { ModelStore, VerdictStore, VersionKey } from '../domain/ports.js';
import type { Verdict } from '../domain/verdict.js';
import { DAY_MS } from '../domain/window.js';

export interface GaugeFollowerOptions {
  readonly store: Pick<ModelStore, 'listModels'> & Pick<VerdictStore, 'recentOutcomes' | 'listVerdicts'>;
  readonly gauges: {
    /** End of the window that a version shows, ms. */
    shownEndMs(key: VersionKey): number;
    windowShown(key: VersionKey, verdicts: readonly Verdict[]): void;
    retain(keys: readonly VersionKey[]): void;
  };
  /** The service's clock. */
  readonly clock: Clock;
}

/**
 * Shows the newest window of each version from the store, as whoever judged it shows it: after a restart, or while another process
 * judges. Without it a restart, or a change of the process that judges, would resolve what is still open.
 */
export function createGaugeFollower({ store, gauges, clock }: GaugeFollowerOptions) {
  async function show(key: VersionKey): Promise<void> {
    // Windows cannot end later than accepted events, and those at most a little after now.
    const untilMs = clock.now() + 366 * DAY_MS;
    const [last] = await store.recentOutcomes({ ...key, category: 'drift', untilMs, limit: 1 });
    if (last === undefined || last.window.endMs <= gauges.shownEndMs(key)) return;
    const { window } = last;
    const whole = await store.listVerdicts({ ...key, window });
    const parts = await store.listVerdicts({ ...key, window, segment: 'every' });
    gauges.windowShown(key, [...whole, ...parts]);
  }

  return {
    async follow(): Promise<void> {
      const models = await store.listModels();
      gauges.retain(models);
      // In one turn, so that the store answers many in one statement.
      await Promise.all(models.map(({ model, modelVersion }) => show({ model, modelVersion })));
    },
  };
}

export type GaugeFollower = ReturnType<typeof createGaugeFollower>;
