import type { FeatureKind, ModelVersion } from '../domain/model.js';
import type { ModelStore } from '../domain/ports.js';
import type { AppliedRule } from '../domain/privacy.js';

interface Known {
  readonly versions: Map<string, ReadonlyMap<string, FeatureKind>>;
  readonly rules: Map<string, AppliedRule>;
}

/** The registered versions as the collectors need them: in memory, read again on a tick and after a registration. */
export function createModelRegistry(store: Pick<ModelStore, 'listModels'>) {
  let byModel = new Map<string, Known>();

  return {
    async refresh(): Promise<void> {
      const next: typeof byModel = new Map();
      for (const model of await store.listModels()) {
        const known: Known = next.get(model.model) ?? { versions: new Map(), rules: new Map() };
        known.versions.set(model.modelVersion, kindsOf(model));
        for (const { name, privacy } of model.schema.features)
          if (privacy !== undefined) known.rules.set(name, privacy);
        next.set(model.model, known);
      }
      byModel = next;
    },
    featureKinds: (model: string, modelVersion: string) => byModel.get(model)?.versions.get(modelVersion),
    /** How its features were treated when it was registered: in all versions alike. */
    appliedRules: (model: string): ReadonlyMap<string, AppliedRule> | undefined => byModel.get(model)?.rules,
    /** Whether any version of it is registered. */
    has: (model: string) => byModel.has(model),
  };
}

function kindsOf(model: ModelVersion): ReadonlyMap<string, FeatureKind> {
  return new Map(model.schema.features.map((feature) => [feature.name, feature.kind]));
}

export type ModelRegistry = ReturnType<typeof createModelRegistry>;
