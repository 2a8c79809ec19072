import type { EstimatedPerformance } from '../domain/estimate.js';
import { type ModelVersion, NAME_PATTERN } from '../domain/model.js';
import { PRODUCTION, type Store, type VersionKey } from '../domain/ports.js';
import type { Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import { createEstimator, type EstimateReaderDeps } from './read-estimates.js';

/** The figures that the gauge shows when they are realised. */
const FIGURES: ReadonlySet<string> = new Set(['rocAuc', 'accuracy', 'meanAbsoluteError']);

export interface EstimateGaugeDeps {
  readonly store: Pick<Store, 'listModels' | 'currentReference' | 'listGrids' | 'mergedProfiles'>;
  readonly setting: EstimateReaderDeps['setting'];
  /** `plumbline_performance`. */
  readonly gauge: {
    set(labels: Record<string, string>, value: number): void;
    remove(labels: Record<string, string>): void;
  };
}

interface Shown {
  readonly key: VersionKey;
  readonly figures: Set<string>;
  /** The newest judged window, until it is estimated. */
  due: Window | null;
}

/** Keeps the gauge of estimated performance at the newest judged window of each version. */
export function createEstimateGauges({ store, setting, gauge }: EstimateGaugeDeps) {
  const estimate = createEstimator({ store, setting });
  const versions = new Map<string, Shown>();
  const nameOf = ({ model, modelVersion }: VersionKey) => JSON.stringify([model, modelVersion]);
  const labelsOf = ({ model, modelVersion }: VersionKey, metric: string) => ({
    model,
    model_version: modelVersion,
    metric,
    kind: 'estimated',
  });

  function clear({ key, figures }: Shown): void {
    for (const metric of figures) gauge.remove(labelsOf(key, metric));
    figures.clear();
  }

  async function show(model: ModelVersion, shown: Shown, window: Window): Promise<void> {
    const reference = await store.currentReference(model);
    // Without anything learned there is nothing to compute, or to show.
    const figures: EstimatedPerformance['figures'] =
      reference?.estimator == null
        ? {}
        : (
            await estimate(model, reference, {
              window,
              scope: PRODUCTION,
              grids: await store.listGrids(model.model),
            })
          ).figures;
    clear(shown);
    for (const [metric, { value }] of Object.entries(figures)) {
      if (!FIGURES.has(metric)) continue;
      gauge.set(labelsOf(shown.key, metric), value);
      shown.figures.add(metric);
    }
  }

  return {
    /** Notes a newest window, for `publish`. */
    windowJudged({ model, modelVersion }: VersionKey, verdicts: readonly Verdict[]): void {
      const window = verdicts[0]?.window;
      // Such a name cannot be a label: the gauges of verdicts count and log that.
      if (window === undefined || !NAME_PATTERN.test(model) || !NAME_PATTERN.test(modelVersion)) return;
      const key = { model, modelVersion };
      const shown = versions.get(nameOf(key)) ?? { key, figures: new Set<string>(), due: null };
      shown.due = window;
      versions.set(nameOf(key), shown);
    },

    /** Removes the series of every version that is not among these. */
    retain(keys: readonly VersionKey[]): void {
      const kept = new Set(keys.map(nameOf));
      for (const [name, shown] of [...versions]) {
        if (kept.has(name)) continue;
        clear(shown);
        versions.delete(name);
      }
    },

    /** Estimates the windows that were noted since. */
    async publish(): Promise<void> {
      const due = [...versions.values()].filter((shown) => shown.due !== null);
      if (due.length === 0) return;
      const models = await store.listModels();
      for (const shown of due) {
        const model = models.find((each) => nameOf(each) === nameOf(shown.key));
        if (model !== undefined && shown.due !== null) await show(model, shown, shown.due);
        shown.due = null;
      }
    },
  };
}

export type EstimateGauges = ReturnType<typeof createEstimateGauges>;
