import type { FeatureKind, ModelVersion } from '../domain/model.js';
import type { ModelStore } from '../domain/ports.js';

/** The registered versions as the collectors need them: in memory, read again on a tick and after a registration. */
export function createModelRegistry(store: Pick<ModelStore, 'listModels'>) {
  let byModel = new Map<string, Map<string, ReadonlyMap<string, FeatureKind>>>();

  return {
    async refresh(): Promise<void> {
      const next: typeof byModel = new Map();
      for (const model of await store.listModels()) {
        const versions = next.get(model.model) ?? new Map();
        versions.set(model.modelVersion, kindsOf(model));
        next.set(model.model, versions);
      }
      byModel = next;
    },
    featureKinds: (model: string, modelVersion: string) => byModel.get(model)?.get(modelVersion),
    /** Whether any version of it is registered. */
    has: (model: string) => byModel.has(model),
  };
}

function kindsOf(model: ModelVersion): ReadonlyMap<string, FeatureKind> {
  return new Map(model.schema.features.map((feature) => [feature.name, feature.kind]));
}

export type ModelRegistry = ReturnType<typeof createModelRegistry>;
