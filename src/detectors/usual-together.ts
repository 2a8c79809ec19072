import type { ModelVersion } from '../domain/model.js';
import type { Reference } from '../domain/reference.js';
import type { Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import { aucOf, fitAucSpread } from '../stats/pair-spread.js';
import { judgeDomainClassifier } from './domain-classifier.js';

/**
 * The domain classifier's verdict on a window that is as well told from the reference as its own pieces are; none where it is not judged,
 * or where only production can say what is usual.
 */
export function usualTogether(
  about: {
    readonly model: ModelVersion;
    readonly window: Window;
    readonly reference: Reference;
    readonly level: number;
  },
  windowRows: number,
): Verdict[] {
  const { multivariate: baseline, nullModel } = about.reference;
  if (baseline === undefined || nullModel.learned !== undefined) return [];
  const spread = nullModel.kind === 'temporal' ? fitAucSpread(baseline.pieces) : null;
  const currentRows = Math.min(windowRows, baseline.windowRows);
  const heldOut = { reference: baseline.rows >> 1, current: Math.max(2, currentRows >> 1) };
  const variance =
    (heldOut.reference + heldOut.current + 1) / (12 * Math.max(2, heldOut.reference) * heldOut.current);
  const comparison = {
    auc: spread === null ? 0.5 : aucOf(spread.usual),
    nullVariance: variance,
    variance,
    heldOut,
    chosen: 0,
    candidates: 0,
    leftOut: 0,
    pairs: [],
  };
  return [judgeDomainClassifier({ ...about, baseline, comparison, currentRows, spread })];
}
