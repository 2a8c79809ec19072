import type { ModelVersion } from '../domain/model.js';
import type { Reference, TemporalSpread } from '../domain/reference.js';
import type { Effect, UndecidedReason, Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import type { ForestModel } from '../stats/forest-model.js';
import {
  criticalFlagged,
  designEffect,
  type FlaggedCount,
  fitShareSpread,
  outlierSharePValue,
  shareDifferenceInterval,
} from '../stats/outlier-share.js';
import { nullParameters } from './column-baseline.js';

export const ISOLATION_FOREST = 'isolationForest';
/** One more row in a hundred beyond the reference's threshold: a doubling with the default quantile of 0.99. */
const DEFAULT_MINIMUM_EFFECT = 0.01;

export interface OutlierShareInput {
  readonly model: ModelVersion;
  readonly window: Window;
  readonly reference: Reference;
  readonly forest: ForestModel;
  /** Scored rows of the window. */
  readonly scored: number;
  /** Those above the forest's threshold. */
  readonly flagged: number;
  /** The temporal null; the forest's own when left out, null for independent rows. */
  readonly spread?: TemporalSpread | null;
  /** Level of this one test, for status and threshold; a family's correction decides again. 0.05 by default. */
  readonly level?: number;
  /** Share difference from which an excess is material; 0.01 by default. */
  readonly minimumEffect?: number;
}

/**
 * How much the outlier share varies between window-long pieces of the reference, on the arcsine scale; null with fewer
 * than ten usable pieces. Days share their weather, so outliers come in clusters: without this every stormy day would alarm.
 */
export function fitOutlierSpread(forest: ForestModel): TemporalSpread | null {
  const spread = fitShareSpread(forest.pieces, forest);
  return spread === null ? null : { feature: '', detector: ISOLATION_FOREST, ...spread };
}

/**
 * Judges whether a window has a larger share of outliers than the reference: one-sided, exact for the sizes of both,
 * and widened by the temporal null. Fewer outliers than in the reference never alarm. See docs/detectors-isolation-forest.md.
 */
export function judgeOutlierShare(input: OutlierShareInput): Verdict {
  const { forest, scored, flagged } = input;
  const spread = input.spread === undefined ? fitOutlierSpread(forest) : input.spread;
  const level = input.level ?? 0.05;
  const current = { rows: scored, flagged };
  const reference = { rows: forest.rows, flagged: forest.flagged };
  const { nullModel } = input.reference;
  if (scored === 0) return undecided(input, spread, 'no_data', {});
  const inflation = designEffect(spread, scored, forest.rows);
  const counts = {
    effectiveReferenceRows: forest.rows / inflation,
    effectiveCurrentRows: scored / inflation,
    designEffect: inflation,
  };
  // Without a single split every row has the same score: nothing could ever be flagged.
  if (forest.forest.records.thresholds.length === 0)
    return undecided(input, spread, 'constant_column', counts);
  const share = flagged / scored;
  const effect = shareEffect(current, reference, inflation);
  // Taking windows as alike where nobody knows whether they are would page from the first one.
  if (spread === null && nullModel.kind === 'temporal')
    return undecided(input, spread, 'no_reference', { ...counts, statistic: share, effect });
  const critical = criticalFlagged(scored, reference, spread, level);
  if (critical === null)
    return undecided(input, spread, 'not_visible_at_window_length', { ...counts, statistic: share, effect });
  const pValue = outlierSharePValue(current, reference, spread);
  const verdict = base(input, spread);
  return {
    ...verdict,
    ...counts,
    status: pValue <= level ? 'drifted' : 'stable',
    material: effect.value >= verdict.minimumEffect,
    statistic: share,
    effect,
    pValue,
    threshold: critical / scored,
    smallestVisibleEffect: critical / scored - forest.referenceShare,
  };
}

/** The difference of the shares; the interval counts both samples at their effective sizes. */
function shareEffect(current: FlaggedCount, reference: FlaggedCount, inflation: number): Effect {
  const share = current.flagged / current.rows;
  const referenceShare = reference.flagged / reference.rows;
  const interval = shareDifferenceInterval(
    { rows: current.rows / inflation, share },
    { rows: reference.rows / inflation, share: referenceShare },
  );
  return { value: share - referenceShare, ...interval };
}

function undecided(
  input: OutlierShareInput,
  spread: TemporalSpread | null,
  reason: UndecidedReason,
  known: Partial<Verdict>,
): Verdict {
  return { ...base(input, spread), ...known, status: 'undecided', reason };
}

/** A verdict of this window with nothing decided yet. */
function base(input: OutlierShareInput, spread: TemporalSpread | null): Verdict {
  const { model, forest, scored } = input;
  return {
    model: model.model,
    modelVersion: model.modelVersion,
    feature: '',
    detector: ISOLATION_FOREST,
    category: 'outliers',
    role: 'primary',
    window: input.window,
    status: 'undecided',
    reason: null,
    material: false,
    statistic: null,
    effect: null,
    pValue: null,
    adjustedPValue: null,
    threshold: null,
    minimumEffect: input.minimumEffect ?? DEFAULT_MINIMUM_EFFECT,
    referenceRows: forest.rows,
    currentRows: scored,
    effectiveReferenceRows: forest.rows,
    effectiveCurrentRows: scored,
    null: spread === null ? 'iid' : 'temporal',
    designEffect: 1,
    resolution: null,
    smallestVisibleEffect: null,
    referenceHash: input.reference.hash,
    parameters: {
      quantile: forest.quantile,
      referenceShare: forest.referenceShare,
      scoreThreshold: forest.threshold,
      subsample: forest.forest.subsample,
      trees: forest.forest.trees.length,
      ...(spread === null
        ? {}
        : {
            pieces: spread.pieces,
            effectivePieces: spread.effectivePieces ?? spread.pieces,
            autocorrelation: spread.autocorrelation ?? 0,
          }),
      ...nullParameters(input.reference.nullModel),
    },
    seed: forest.seed,
  };
}
