import { judgePerformance } from '../detectors/performance-drop.js';
import type { ModelVersion } from '../domain/model.js';
import type { PerformanceBaseline } from '../domain/performance.js';
import type { FigureSetting } from '../domain/performance-figures.js';
import { PRODUCTION, type Store } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import { type Segment, segmentId, segmentScope } from '../domain/segment.js';
import type { Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import { fitBaselines } from '../performance/baseline.js';
import { undecidedReason } from '../performance/figures.js';
import { maturityOf } from '../performance/maturity.js';
import { performanceSamples } from '../performance/samples.js';
import { partOf } from './segments.js';

export interface PerformanceJudgeDeps {
  readonly store: Pick<Store, 'performanceCounts'>;
  readonly setting: (model: string) => Pick<FigureSetting, 'minimumMaturity'>;
}

/** Judges realised performance of windows against the reference's own. */
export function createPerformanceJudge({ store, setting }: PerformanceJudgeDeps) {
  const learned = new Map<string, { basis: string; baselines: readonly PerformanceBaseline[] }>();

  const queryOf = (model: ModelVersion, window: Window, segment: Segment | undefined) => ({
    model: model.model,
    modelVersion: model.modelVersion,
    task: model.schema.task,
    scope: segmentScope(PRODUCTION, segment),
    window,
  });

  /** A reference without times cannot say how much windows differ: the production that its null was learned from can. */
  async function baselinesOf(
    model: ModelVersion,
    { hash, performance = [], nullModel }: Reference,
    window: Window,
    segment: Segment | undefined,
  ): Promise<readonly PerformanceBaseline[]> {
    const { learned: from } = nullModel;
    if (from === undefined || performance.every(({ spread }) => spread !== null)) return performance;
    const part = segment === undefined ? '' : segmentId(segment);
    const name = JSON.stringify([model.model, model.modelVersion, part]);
    const basis = JSON.stringify([hash, from, window.endMs - window.startMs]);
    const known = learned.get(name);
    if (known?.basis === basis) return known.baselines;
    const query = queryOf(model, from, segment);
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

  async function countsOf(model: ModelVersion, window: Window, segment?: Segment) {
    const [found] = await store.performanceCounts(queryOf(model, window, segment), 'all');
    return { counts: found ?? { predictions: 0, labelled: 0 }, found };
  }

  /** One verdict for each figure that the reference has, and that its part of a segment has; none where they have none. */
  return async function judge(
    model: ModelVersion,
    reference: Reference,
    window: Window,
    level: number,
    segments: readonly Segment[] = [],
  ): Promise<Verdict[]> {
    const { task } = model.schema;
    const ours = setting(model.model);
    const whole = await countsOf(model, window);
    const verdicts: Verdict[] = [];
    for (const segment of [undefined, ...segments]) {
      const part = segment === undefined ? reference : partOf(reference, segment);
      if (part === null || (part.performance ?? []).length === 0) continue;
      const { counts, found } = segment === undefined ? whole : await countsOf(model, window, segment);
      verdicts.push(
        ...judgePerformance({
          model,
          window,
          reference: part,
          baselines: await baselinesOf(model, part, window, segment),
          samples: found === undefined ? [] : performanceSamples(task, found),
          // A segment whose labels come first does not speak for a window that waits for the others.
          reason: undecidedReason(whole.counts, ours) ?? undecidedReason(counts, ours),
          level,
          counts,
          ...(segment === undefined ? {} : { segment }),
        }),
      );
    }
    return verdicts;
  };
}

export type PerformanceJudge = ReturnType<typeof createPerformanceJudge>;
