import { NAME_PATTERN } from '../domain/model.js';
import type { ModelStore, VerdictStore, VersionKey } from '../domain/ports.js';
import type { Verdict } from '../domain/verdict.js';
import { END_OF_TIME_MS } from '../domain/window.js';
import type { Metrics } from '../metrics.js';

const REALIZED = 'realized';

interface Shown {
  readonly key: VersionKey;
  endMs: number;
  readonly figures: Set<string>;
}

/** Keeps the gauges of realised performance at the newest window whose performance is decided. */
export function createPerformanceGauges({
  metrics,
}: {
  readonly metrics: Pick<Metrics, 'performance' | 'labelMaturity'>;
}) {
  const versions = new Map<string, Shown>();
  const labelsOf = ({ model, modelVersion }: VersionKey) => ({ model, model_version: modelVersion });

  /** Null when a name cannot be a label: the gauges of verdicts count and log that. */
  function shownOf(key: VersionKey): Shown | null {
    if (!NAME_PATTERN.test(key.model) || !NAME_PATTERN.test(key.modelVersion)) return null;
    const id = JSON.stringify([key.model, key.modelVersion]);
    const shown = versions.get(id) ?? { key, endMs: 0, figures: new Set<string>() };
    versions.set(id, shown);
    return shown;
  }

  function clear({ key, figures }: Shown): void {
    for (const metric of figures) metrics.performance.remove({ ...labelsOf(key), metric, kind: REALIZED });
    figures.clear();
  }

  function show(key: VersionKey, verdicts: readonly Verdict[]): void {
    const decided = verdicts.filter(
      ({ category, segment, status }) =>
        category === 'performance' && segment === undefined && status !== 'undecided',
    );
    const endMs = decided[0]?.window.endMs;
    const shown = shownOf(key);
    if (shown === null || endMs === undefined || endMs < shown.endMs) return;
    clear(shown);
    shown.endMs = endMs;
    for (const { detector, parameters } of decided) {
      metrics.performance.set(
        { ...labelsOf(key), metric: detector, kind: REALIZED },
        Number(parameters.value),
      );
      shown.figures.add(detector);
    }
  }

  return {
    /** Shows a window whose performance is decided, unless a newer one is shown already. */
    performanceJudged: show,

    /** Shows how many labels the newest window has. */
    windowJudged(key: VersionKey, verdicts: readonly Verdict[]): void {
      const verdict = verdicts.find(
        ({ category, segment }) => category === 'performance' && segment === undefined,
      );
      const predictions = Number(verdict?.parameters.predictions ?? 0);
      if (verdict === undefined || predictions === 0 || shownOf(key) === null)
        metrics.labelMaturity.remove(labelsOf(key));
      else metrics.labelMaturity.set(labelsOf(key), Number(verdict.parameters.labelled) / predictions);
    },

    /** Removes the series of every version that is not among these. */
    retain(keys: readonly VersionKey[]): void {
      const kept = new Set(keys.map((key) => JSON.stringify([key.model, key.modelVersion])));
      for (const [id, shown] of [...versions]) {
        if (kept.has(id)) continue;
        clear(shown);
        metrics.labelMaturity.remove(labelsOf(shown.key));
        versions.delete(id);
      }
    },

    /** Shows the last decided window of each version: at boot, or while another process judges. */
    async follow(
      store: Pick<ModelStore, 'listModels'> & Pick<VerdictStore, 'recentOutcomes' | 'listVerdicts'>,
    ): Promise<void> {
      const follow = async (key: VersionKey) => {
        const query = { ...key, category: 'performance', untilMs: END_OF_TIME_MS, limit: 1 };
        const [last] = await store.recentOutcomes({ ...query, decided: true });
        if (last !== undefined && last.window.endMs > (shownOf(key)?.endMs ?? 0))
          show(key, await store.listVerdicts({ ...key, window: last.window }));
      };
      const models = await store.listModels();
      await Promise.all(models.map(({ model, modelVersion }) => follow({ model, modelVersion })));
    },
  };
}

export type PerformanceGauges = ReturnType<typeof createPerformanceGauges>;
