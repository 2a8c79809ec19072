import { leastPermutationPValue } from './hypergeometric.js';
import { type SmoothNull, smoothPValue } from './smooth-rank.js';
import { cumulantFactors, singleCumulants } from './smooth-scores.js';

/** One number per row of a sample, as counts of equal ones. */
export interface Scores {
  readonly values: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
}

export interface ScoreDifference {
  /** Permutation z of the two means: √((N − 1)·R²), R the correlation of scores and samples. 0 when all scores are one. */
  readonly z: number;
  readonly currentMean: number;
  readonly referenceMean: number;
  /** Variances over n, not n − 1. */
  readonly currentVariance: number;
  readonly referenceVariance: number;
  readonly pooledVariance: number;
  readonly pValueOf: (z: number) => number;
}

/**
 * Compares the means of two samples of numbers. The null is that of a permutation of the pooled rows: skewness and kurtosis of the
 * pooled scores enter the p-value as they do in `smoothRank`, of which this is the case of one given score.
 */
export function scoreDifference(current: Scores, reference: Scores): ScoreDifference {
  const a = momentsOf(current);
  const b = momentsOf(reference);
  if (!(a.rows > 0 && b.rows > 0))
    throw new RangeError(`sample sizes are ${a.rows} and ${b.rows}: both need a value`);
  const all = a.rows + b.rows;
  const mean = (a.mean * a.rows + b.mean * b.rows) / all;
  const within = (a.variance * a.rows + b.variance * b.rows) / all;
  const pooledVariance = within + (a.rows * b.rows * (a.mean - b.mean) ** 2) / all ** 2;
  const known = {
    currentMean: a.mean,
    referenceMean: b.mean,
    currentVariance: a.variance,
    referenceVariance: b.variance,
    pooledVariance,
  };
  if (!(pooledVariance > 0)) return { ...known, z: 0, pValueOf: () => 1 };
  const deviation = Math.sqrt(pooledVariance);
  const information = (a.rows * b.rows) / all;
  let smoothNull: SmoothNull | null = null;
  return {
    ...known,
    z: (Math.abs(a.mean - b.mean) / deviation) * Math.sqrt((information * (all - 1)) / all),
    pValueOf: (z) => {
      if (z <= 0) return 1;
      // Some ask for the moments only.
      smoothNull ??= nullOf(current, reference, { mean, deviation, n: a.rows, m: b.rows });
      return smoothPValue(z * z, smoothNull);
    },
  };
}

function nullOf(
  current: Scores,
  reference: Scores,
  { mean, deviation, n, m }: { mean: number; deviation: number; n: number; m: number },
): SmoothNull {
  let third = 0;
  let fourth = 0;
  for (const { values, counts } of [current, reference])
    for (let i = 0; i < values.length; i++) {
      const share = (counts[i] as number) / (n + m);
      const score = ((values[i] as number) - mean) / deviation;
      const square = score * score;
      third += score * (score * share) * score;
      fourth += square * square * share;
    }
  return {
    scores: 1,
    byCount: null,
    leastPValue: leastPermutationPValue(n, m),
    ...singleCumulants(third, fourth, cumulantFactors(n, m)),
  };
}

interface Moments {
  readonly rows: number;
  readonly mean: number;
  readonly variance: number;
}

const known = new WeakMap<Scores, Moments>();

/** Scores do not change, and those of a reference are asked for with every window. */
function momentsOf(scores: Scores): Moments {
  let moments = known.get(scores);
  if (moments === undefined) {
    moments = computeMoments(scores);
    known.set(scores, moments);
  }
  return moments;
}

function computeMoments({ values, counts }: Scores): Moments {
  let rows = 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    rows += counts[i] as number;
    sum += (counts[i] as number) * (values[i] as number);
  }
  const mean = sum / rows;
  let squares = 0;
  for (let i = 0; i < values.length; i++)
    squares += (counts[i] as number) * square((values[i] as number) - mean);
  return { rows, mean, variance: squares / rows };
}

const square = (x: number) => x * x;
