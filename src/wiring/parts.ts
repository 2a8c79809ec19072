import { hasPaths } from '../collectors/formats/map-fields.js';
import { createMessageReader, type MessageReader } from '../collectors/formats/read-message.js';
import type { Privacy } from '../collectors/privacy.js';
import { type Config, modelConfig } from '../config.js';
import type { Clock } from '../domain/clock.js';
import type { ModelMapping } from '../domain/mapping.js';
import type { Logger, Store } from '../domain/ports.js';
import type { ModelRegistry } from '../jobs/model-registry.js';
import type { Metrics } from '../metrics.js';
import type { TaskRunner } from '../workers/tasks.js';
import type { KnownErasures } from './erasures.js';
import type { KnownPolicies } from './policy.js';

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
  /** For arithmetic that takes more than some ms: worker threads. */
  readonly tasks: TaskRunner;
  /** What becomes of personal values; null where every model's are kept. */
  readonly privacy: Privacy | null;
  readonly erasures: KnownErasures;
  readonly policies: KnownPolicies;
}

export const earliestMs = (config: Config) => (model: string) =>
  Date.parse(modelConfig(config, model).earliest);

/** How models' messages are read: the `mapping` sections, and the names that serving systems have for models. */
export function mappings({ config, registry }: Pick<Parts, 'config' | 'registry'>) {
  const served = new Map<string, string>();
  for (const [model, { mapping }] of Object.entries(config.models))
    for (const name of mapping?.serves ?? []) served.set(name, model);
  const mappingOf = (model: string): ModelMapping | null => modelConfig(config, model).mapping ?? null;
  return {
    mappingOf,
    modelNamed: (names: readonly string[]): string | undefined => {
      const known = names.find((name) => served.has(name) || registry.has(name));
      return known === undefined ? undefined : (served.get(known) ?? known);
    },
    /** For the quick reader, which knows the usual names only: no kinds where these are not to be trusted. */
    plainFeatureKinds: (model: string, modelVersion: string) => {
      const mapping = mappingOf(model);
      if (served.has(model) || (mapping !== null && hasPaths(mapping))) return undefined;
      return registry.featureKinds(model, modelVersion);
    },
  };
}

/** The reader of all messages that are not read from their bytes. */
export function wireMessageReader(parts: Parts): MessageReader {
  const { mappingOf, modelNamed } = mappings(parts);
  return createMessageReader({
    featureKinds: parts.registry.featureKinds,
    earliestMs: earliestMs(parts.config),
    wallClock: parts.wallClock.now,
    mappingOf,
    modelNamed,
    privacy: parts.privacy ?? undefined,
  });
}

/** Other processes store rows too: a clock that follows the data learns from the stored predictions how far they are. */
export async function followStore({
  config,
  store,
  clock,
}: Pick<Parts, 'config' | 'store' | 'clock'>): Promise<void> {
  if (config.clock !== 'data') return;
  for (const { watermarkMs } of await store.watermarks()) clock.observe(watermarkMs);
}
