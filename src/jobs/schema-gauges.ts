import { NAME_PATTERN } from '../domain/model.js';
import type { Store, VersionKey } from '../domain/ports.js';
import type { Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';

export interface SchemaGaugeDeps {
  readonly store: Pick<Store, 'listModels' | 'undeclaredFeatures'>;
  /** `plumbline_undeclared_features`. */
  readonly gauge: {
    set(labels: Record<string, string>, value: number): void;
    remove(labels: Record<string, string>): void;
  };
}

/** Keeps the gauge of undeclared features at the newest judged window of each version. Names are the senders': only their number is told. */
export function createSchemaGauges({ store, gauge }: SchemaGaugeDeps) {
  const shown = new Map<string, VersionKey>();
  const due = new Map<string, Window>();
  const nameOf = ({ model, modelVersion }: VersionKey) => JSON.stringify([model, modelVersion]);
  const labelsOf = ({ model, modelVersion }: VersionKey) => ({ model, model_version: modelVersion });

  return {
    /** Notes a newest window, for `publish`. */
    windowJudged({ model, modelVersion }: VersionKey, verdicts: readonly Verdict[]): void {
      const window = verdicts[0]?.window;
      // Such a name cannot be a label: the gauges of verdicts count and log that.
      if (window === undefined || !NAME_PATTERN.test(model) || !NAME_PATTERN.test(modelVersion)) return;
      due.set(nameOf({ model, modelVersion }), window);
    },

    /** Removes the series of every version that is not among these. */
    retain(keys: readonly VersionKey[]): void {
      const kept = new Set(keys.map(nameOf));
      for (const [name, key] of [...shown]) {
        if (kept.has(name)) continue;
        gauge.remove(labelsOf(key));
        shown.delete(name);
        due.delete(name);
      }
    },

    /** Counts in the windows that were noted since. */
    async publish(): Promise<void> {
      if (due.size === 0) return;
      await Promise.all(
        (await store.listModels()).map(async (model) => {
          const window = due.get(nameOf(model));
          if (window === undefined) return;
          gauge.set(labelsOf(model), (await store.undeclaredFeatures(model, window)).length);
          shown.set(nameOf(model), { model: model.model, modelVersion: model.modelVersion });
        }),
      );
      due.clear();
    },
  };
}
