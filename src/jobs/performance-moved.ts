import { judgePerformance, MINIMUM_LOSS } from '../detectors/performance-drop.js';
import type { Episode, PerformanceMove } from '../domain/episode.js';
import type { ModelVersion } from '../domain/model.js';
import type { PerformanceBaseline } from '../domain/performance.js';
import type { FigureSetting } from '../domain/performance-figures.js';
import { PRODUCTION, type Store } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import type { Window } from '../domain/window.js';
import { undecidedReason } from '../performance/figures.js';
import { performanceSamples } from '../performance/samples.js';
import { createEstimator } from './read-estimates.js';

/** That of a single figure, to one side: it is asked once for a whole stretch, not window by window. */
const LEVEL = 0.05;

export interface PerformanceMoverDeps {
  readonly store: Pick<
    Store,
    | 'listModels'
    | 'currentReference'
    | 'listGrids'
    | 'mergedProfiles'
    | 'recentOutcomes'
    | 'performanceCounts'
  >;
  readonly setting: (model: string) => Pick<FigureSetting, 'positiveClass' | 'value' | 'minimumMaturity'>;
}

/** Losses that could go unseen, in losses that count, beyond which nobody can say that there is none. */
const LARGEST_UNSEEN = 2;

/**
 * How much windows differ, for a stretch of several of them: the mean of k windows varies by the k-th part, what is known of the
 * reference's pieces stays as it is.
 */
function ofStretch(baseline: PerformanceBaseline, windows: number): PerformanceBaseline {
  const { spread } = baseline;
  if (spread === null) return baseline;
  const { pieces, variance } = spread;
  return {
    ...baseline,
    spread: { pieces, variance: (variance * (1 / Math.max(1, windows) + 1 / pieces)) / (1 + 1 / pieces) },
  };
}

const UNKNOWN: PerformanceMove = {
  moved: 'cannot_tell',
  kind: null,
  figure: null,
  value: null,
  low: null,
  high: null,
  reference: null,
};

/**
 * Whether performance got worse while a drift lasted, by what counts as a loss: realised, over the windows of the episode up to the
 * last one with enough labels; where those are not there or not enough to tell, as estimated from scores and features over all of
 * them. That it did not is said only where a loss of twice what counts would have been seen.
 */
export function createPerformanceMover({ store, setting }: PerformanceMoverDeps) {
  const estimate = createEstimator({ store, setting });

  async function realised(
    model: ModelVersion,
    reference: Reference,
    { startMs, endMs }: Window,
  ): Promise<PerformanceMove | null> {
    const key = { model: model.model, modelVersion: model.modelVersion };
    const [last] = await store.recentOutcomes({
      ...key,
      category: 'performance',
      untilMs: endMs,
      limit: 1,
      decided: true,
    });
    if (last === undefined || last.window.endMs <= startMs) return null;
    const { task } = model.schema;
    const window = { startMs, endMs: last.window.endMs };
    const windows = Math.floor((window.endMs - window.startMs) / (last.window.endMs - last.window.startMs));
    const [counts] = await store.performanceCounts({ ...key, task, scope: PRODUCTION, window }, 'all');
    if (counts === undefined) return null;
    const verdicts = judgePerformance({
      model,
      window,
      reference,
      baselines: (reference.performance ?? []).map((baseline) => ofStretch(baseline, windows)),
      samples: performanceSamples(task, counts),
      reason: undecidedReason(counts, setting(model.model)),
      level: LEVEL,
      counts,
    }).filter(({ status }) => status !== 'undecided');
    const [worst] = verdicts.toSorted(
      (a, b) => Number(b.material) - Number(a.material) || (b.statistic ?? 0) - (a.statistic ?? 0),
    );
    if (worst === undefined) return null;
    const { value, referenceValue } = worst.parameters;
    if (typeof value !== 'number' || typeof referenceValue !== 'number') return null;
    const isError = worst.detector === 'meanAbsoluteError';
    const { effect } = worst;
    const unseen = effect === null ? Number.POSITIVE_INFINITY : isError ? effect.high : -effect.low;
    const isSure =
      (worst.statistic ?? 0) < worst.minimumEffect && unseen < LARGEST_UNSEEN * worst.minimumEffect;
    const unit = isError ? referenceValue : 1;
    const at = (change: number | undefined) =>
      change === undefined || !Number.isFinite(change) ? null : referenceValue + change * unit;
    return {
      moved: worst.status === 'drifted' && worst.material ? 'moved' : isSure ? 'not_moved' : 'cannot_tell',
      kind: 'realised',
      figure: worst.detector,
      value,
      low: at(effect?.low),
      high: at(effect?.high),
      reference: referenceValue,
    };
  }

  async function estimated(
    model: ModelVersion,
    reference: Reference,
    window: Window,
  ): Promise<PerformanceMove | null> {
    if (reference.estimator == null) return null;
    const grids = await store.listGrids(model.model);
    const { figures } = await estimate(model, reference, { window, scope: PRODUCTION, grids });
    const compared = (reference.performance ?? []).flatMap(({ figure, value: before }) => {
      const expected = figures[figure];
      if (expected === undefined || !(before > 0)) return [];
      const isError = figure === 'meanAbsoluteError';
      const loss = isError ? (expected.value - before) / before : before - expected.value;
      const isBeyond = isError ? expected.low > before : expected.high < before;
      return [{ figure, before, expected, excess: loss / MINIMUM_LOSS[figure], isBeyond }];
    });
    const [worst] = compared.toSorted((a, b) => b.excess - a.excess);
    if (worst === undefined) return null;
    const { value, low, high } = worst.expected;
    return {
      moved: worst.excess < 1 ? 'not_moved' : worst.isBeyond ? 'moved' : 'cannot_tell',
      kind: 'estimated',
      figure: worst.figure,
      value,
      low,
      high,
      reference: worst.before,
    };
  }

  return async function performanceMoved(
    episode: Pick<Episode, 'model' | 'modelVersion' | 'firstWindow' | 'lastWindow' | 'closedBy'>,
  ): Promise<PerformanceMove> {
    const { firstWindow, lastWindow, closedBy } = episode;
    const model = (await store.listModels()).find(
      (known) => known.model === episode.model && known.modelVersion === episode.modelVersion,
    );
    const reference = model === undefined ? null : await store.currentReference(model);
    if (model === undefined || reference === null) return UNKNOWN;
    const window = { startMs: firstWindow.startMs, endMs: (closedBy ?? lastWindow).endMs };
    const labelled = await realised(model, reference, window);
    if (labelled !== null && labelled.moved !== 'cannot_tell') return labelled;
    const expected = await estimated(model, reference, window);
    // What few labels leave open, scores may tell.
    return expected === null || expected.moved === 'cannot_tell'
      ? (labelled ?? expected ?? UNKNOWN)
      : expected;
  };
}

export type PerformanceMover = ReturnType<typeof createPerformanceMover>;
