import { type Config, modelConfig } from '../config.js';
import type { Clock } from '../domain/clock.js';
import type { Logger, Store } from '../domain/ports.js';
import type { ModelRegistry } from '../jobs/model-registry.js';
import type { Metrics } from '../metrics.js';

/** What every role of the service is made of. */
export interface Parts {
  readonly config: Config;
  readonly store: Store;
  readonly registry: ModelRegistry;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** The service's time: real, or following the data. */
  readonly clock: Clock;
  readonly wallClock: Clock;
}

export const earliestMs = (config: Config) => (model: string) =>
  Date.parse(modelConfig(config, model).earliest);

/** Other processes store rows too: a clock that follows the data learns from the stored predictions how far they are. */
export async function followStore({
  config,
  store,
  clock,
}: Pick<Parts, 'config' | 'store' | 'clock'>): Promise<void> {
  if (config.clock !== 'data') return;
  for (const { watermarkMs } of await store.watermarks()) clock.observe(watermarkMs);
}
