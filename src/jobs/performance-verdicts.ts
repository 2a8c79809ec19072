import { judgePerformance } from '../detectors/performance-drop.js';
import type { ModelVersion } from '../domain/model.js';
import type { PerformanceBaseline } from '../domain/performance.js';
import type { FigureSetting } from '../domain/performance-figures.js';
import { PRODUCTION, type Store } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import type { Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import { fitBaselines } from '../performance/baseline.js';
import { undecidedReason } from '../performance/figures.js';
import { maturityOf } from '../performance/maturity.js';
import { performanceSamples } from '../performance/samples.js';

export interface PerformanceJudgeDeps {
  readonly store: Pick<Store, 'performanceCounts'>;
  readonly setting: (model: string) => Pick<FigureSetting, 'minimumMaturity'>;
}

/** Judges realised performance of windows against the reference's own. */
export function createPerformanceJudge({ store, setting }: PerformanceJudgeDeps) {
  const learned = new Map<string, { basis: string; baselines: readonly PerformanceBaseline[] }>();

  const queryOf = (model: ModelVersion, window: Window) => ({
    model: model.model,
    modelVersion: model.modelVersion,
    task: model.schema.task,
    scope: PRODUCTION,
    window,
  });

  /** A reference without times cannot say how much windows differ: the production that its null was learned from can. */
  async function baselinesOf(
    model: ModelVersion,
    { hash, performance = [], nullModel }: Reference,
    window: Window,
  ): Promise<readonly PerformanceBaseline[]> {
    const { learned: from } = nullModel;
    if (from === undefined || performance.every(({ spread }) => spread !== null)) return performance;
    const name = JSON.stringify([model.model, model.modelVersion]);
    const basis = JSON.stringify([hash, from, window.endMs - window.startMs]);
    const known = learned.get(name);
    if (known?.basis === basis) return known.baselines;
    const query = queryOf(model, from);
    const { minimumMaturity } = setting(model.model);
    const isMature = (counts: { predictions: number; labelled: number }) =>
      maturityOf(counts) >= minimumMaturity;
    const [whole] = await store.performanceCounts(query, 'all');
    const pieces = await store.performanceCounts(query, { ms: window.endMs - window.startMs });
    const fitted = whole === undefined ? [] : fitBaselines(model.schema.task, whole, pieces.filter(isMature));
    const baselines = performance.map((baseline) => ({
      ...baseline,
      spread: fitted.find(({ figure }) => figure === baseline.figure)?.spread ?? null,
    }));
    // Labels of that time may still come: what is known is kept once every figure has a spread.
    if (baselines.every(({ spread }) => spread !== null)) learned.set(name, { basis, baselines });
    return baselines;
  }

  /** One verdict for each figure that the reference has; none where it has none. */
  return async function judge(
    model: ModelVersion,
    reference: Reference,
    window: Window,
    level: number,
  ): Promise<Verdict[]> {
    if ((reference.performance ?? []).length === 0) return [];
    const baselines = await baselinesOf(model, reference, window);
    const [found] = await store.performanceCounts(queryOf(model, window), 'all');
    const counts = found ?? { predictions: 0, labelled: 0 };
    return judgePerformance({
      model,
      window,
      reference,
      baselines,
      samples: found === undefined ? [] : performanceSamples(model.schema.task, found),
      reason: undecidedReason(counts, setting(model.model)),
      level,
      counts,
    });
  };
}

export type PerformanceJudge = ReturnType<typeof createPerformanceJudge>;
