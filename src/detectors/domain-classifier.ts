import type { ModelVersion } from '../domain/model.js';
import type { MultivariateBaseline, PairChange, PairPart } from '../domain/multivariate.js';
import type { Reference } from '../domain/reference.js';
import type { UndecidedReason, Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import type { PairComparison } from '../stats/pair-classifier.js';
import { type AucSpread, aucOf, logOdds, oddsVariance } from '../stats/pair-spread.js';
import { normalHalfWidth } from '../stats/special.js';
import { studentQuantile, studentSf } from '../stats/student.js';
import { nullParameters } from './column-baseline.js';
import { numberWords, percentWords } from './words.js';

export const DOMAIN_CLASSIFIER = 'domainClassifier';
/** An AUC of 0.55: the distance of two normal samples whose means are 0.18 standard deviations apart. */
const MINIMUM_EFFECT = 0.05;
const CHANCE = 0.5;
const Z_95 = normalHalfWidth(0.95);

export interface DomainClassifierInput {
  readonly model: ModelVersion;
  readonly window: Window;
  readonly reference: Reference;
  readonly baseline: MultivariateBaseline;
  /** What was found, or why nothing was. */
  readonly comparison: PairComparison | UndecidedReason;
  /** Rows of the window that were compared. */
  readonly currentRows: number;
  /** What ordinary windows are like; null for independent rows. */
  readonly spread: AucSpread | null;
  /** Level of this one test, for status and threshold; a family's correction decides again. */
  readonly level: number;
}

/**
 * Judges whether a window's rows can be told from the reference's by how the features go together: to one side, by the permutation law
 * of the held-out AUC, and where ordinary windows are known also by Student's t of its log-odds' distance from theirs, whichever p-value
 * is larger.
 * See docs/detectors-domain-classifier.md.
 */
export function judgeDomainClassifier(input: DomainClassifierInput): Verdict {
  const { comparison, spread, level, reference } = input;
  const verdict = frame(input);
  if (typeof comparison === 'string') return { ...verdict, reason: comparison };
  const { auc, nullVariance, variance } = comparison;
  const rowError = Math.sqrt(nullVariance);
  const usual = spread === null ? CHANCE : aucOf(spread.usual);
  // As log-odds. A window with fewer rows than the pieces had has more chance in it, and none has less than its own.
  const byChance = oddsVariance(nullVariance);
  const error =
    spread === null
      ? 0
      : Math.sqrt(Math.max(byChance, spread.variance + Math.max(0, byChance - spread.rowVariance)));
  const around = (steps: number) =>
    spread === null ? auc + steps * Math.sqrt(variance) : aucOf(logOdds(auc) + steps * error);
  const designEffect = spread === null || byChance === 0 ? 1 : error ** 2 / byChance;
  const seen: Verdict = {
    ...verdict,
    statistic: auc,
    effect: { value: auc - usual, low: around(-Z_95) - usual, high: around(Z_95) - usual },
    designEffect,
    effectiveReferenceRows: input.baseline.rows / designEffect,
    effectiveCurrentRows: input.currentRows / designEffect,
    parameters: {
      ...verdict.parameters,
      rowVariance: nullVariance,
      chosenPairs: comparison.chosen,
      pairs: comparison.candidates,
      ...(comparison.leftOut === 0 ? {} : { signalsLeftOut: comparison.leftOut }),
      ...(spread === null
        ? {}
        : {
            usual,
            pieces: spread.pieces,
            effectivePieces: spread.effectivePieces,
            autocorrelation: spread.autocorrelation,
          }),
    },
    pairs: comparison.pairs,
  };
  // No score varies: nothing could ever be told.
  if (rowError === 0) return { ...seen, reason: 'constant_column' };
  // Taking windows as alike where nobody knows whether they are would page from the first one.
  if (spread === null && reference.nullModel.kind === 'temporal') return { ...seen, reason: 'no_reference' };
  const chance = CHANCE + studentQuantile(level, Number.POSITIVE_INFINITY) * rowError;
  if (chance > 1) return { ...seen, reason: 'not_visible_at_window_length' };
  const byRows = studentSf((auc - CHANCE) / rowError, Number.POSITIVE_INFINITY);
  const degrees = spread === null ? 0 : Math.max(1, spread.effectivePieces - 1);
  const pValue =
    spread === null ? byRows : Math.max(byRows, studentSf((logOdds(auc) - spread.usual) / error, degrees));
  const threshold =
    spread === null
      ? chance
      : Math.max(chance, aucOf(spread.usual + studentQuantile(level, degrees) * error));
  return {
    ...seen,
    status: pValue <= level ? 'drifted' : 'stable',
    material: pValue <= level && auc - usual >= MINIMUM_EFFECT,
    pValue,
    threshold,
    smallestVisibleEffect: threshold - usual,
  };
}

function frame(input: DomainClassifierInput): Verdict {
  const { model, window, reference, baseline, currentRows, spread } = input;
  return {
    model: model.model,
    modelVersion: model.modelVersion,
    feature: '',
    detector: DOMAIN_CLASSIFIER,
    category: 'drift',
    role: 'primary',
    window,
    status: 'undecided',
    reason: null,
    material: false,
    statistic: null,
    effect: null,
    pValue: null,
    adjustedPValue: null,
    threshold: null,
    minimumEffect: MINIMUM_EFFECT,
    referenceRows: baseline.rows,
    currentRows,
    effectiveReferenceRows: baseline.rows,
    effectiveCurrentRows: currentRows,
    null: spread === null ? 'iid' : 'temporal',
    designEffect: 1,
    resolution: null,
    smallestVisibleEffect: null,
    referenceHash: reference.hash,
    parameters: {
      features: baseline.features,
      ...nullParameters(reference.nullModel),
    },
    seed: null,
  };
}

/** What a verdict says, in one sentence for people: which features no longer go together as they did. `rows` names those compared. */
export function togetherWords(
  { statistic, pairs = [] }: Pick<Verdict, 'statistic' | 'pairs'>,
  rows = 'rows of the window',
): string {
  const told = `${rows} are told from the reference's with an AUC of ${numberWords(statistic)}`;
  if (pairs.length === 0) return `features go together otherwise than in the reference: ${told}.`;
  return `features go together otherwise than in the reference: ${pairs.map(pairWords).join('; ')}; ${told}.`;
}

function pairWords({ parts: [first, second], reference, current, share }: PairChange): string {
  return `${partWords(first)} and ${partWords(second)} (correlation ${reference.toFixed(2)} → ${current.toFixed(2)}, ${percentWords(share)} of the difference)`;
}

function partWords({ feature, category, missing }: PairPart): string {
  if (missing === true) return `missing ${feature}`;
  return category === undefined ? feature : `${feature} = ${JSON.stringify(category)}`;
}
