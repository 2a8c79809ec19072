import type { Verdict } from '../domain/verdict.js';

/** The statistic at which this window's effect would have been the minimum, where the two differ in more than a factor. */
const MATERIAL_STATISTIC = new Map<
  string,
  (statistic: number, effect: number, minimum: number, expectation: number) => number
>([
  // At given sizes X² and Q exceed their expectation by the square of Cramér's V and, about, of D.
  ['chiSquare', quadratic],
  ['neyman', quadratic],
  // The statistic is the share, or the AUC; the effect its distance from the reference's, or the usual one.
  ['isolationForest', aboveUsual],
  ['domainClassifier', aboveUsual],
  // The statistic is the loss, the effect the change: one is minus the other, or both are equal.
  ['rocAuc', lossOf],
  ['accuracy', lossOf],
  ['meanAbsoluteError', lossOf],
]);

function aboveUsual(statistic: number, effect: number, minimum: number): number {
  return statistic - effect + minimum;
}

function lossOf(_statistic: number, _effect: number, minimum: number): number {
  return minimum;
}

function quadratic(statistic: number, effect: number, minimum: number, expectation: number): number {
  return expectation + (statistic - expectation) * (minimum / effect) ** 2;
}

/** Most statistics are the size of their effect: then the minimum is exact, not rounded on the way. */
function proportional(statistic: number, effect: number, minimum: number): number {
  const size = Math.abs(effect);
  return statistic === size ? minimum : statistic * (minimum / size);
}

/**
 * The statistic from which this test would alarm at this window: significant, and material. A minimum effect in another
 * unit than the statistic is carried over by what this window shows of the two.
 */
export function alarmThreshold(verdict: Verdict): number | null {
  const { threshold, statistic, effect, minimumEffect, detector } = verdict;
  if (threshold === null || statistic === null || effect === null) return threshold;
  const scale = MATERIAL_STATISTIC.get(detector) ?? proportional;
  const expectation = Number(verdict.parameters.expectation ?? verdict.parameters.scores ?? 0);
  const material = scale(statistic, effect.value, minimumEffect, expectation);
  // Without any effect there is no ratio: the test's own threshold is all that is known.
  return Number.isFinite(material) ? Math.max(threshold, material) : threshold;
}
