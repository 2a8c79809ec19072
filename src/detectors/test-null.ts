import type { NullModel, TemporalSpread } from '../domain/reference.js';
import { criticalStatistic } from '../stats/invert.js';
import { fSf } from '../stats/special.js';
import { informationOf, type Measurement, type Scale } from './detector.js';

/** The maps that a p-value needs. */
type Tails = Pick<Scale, 'ratioOf' | 'iidPValueOf'>;

/** The null that one measurement is judged by. */
export interface TestNull {
  readonly kind: NullModel['kind'];
  /** E[ratio] at this window's size: the variance inflation against independent rows. */
  readonly designEffect: number;
  /** The p-value is the largest of these; the one that mostly decides comes first. */
  readonly tails: readonly ((statistic: number, scale: Tails) => number)[];
  /** Its settings, for the verdict. */
  readonly parameters: Readonly<Record<string, number>>;
}

export const IID_NULL: TestNull = {
  kind: 'iid',
  designEffect: 1,
  tails: [(statistic, scale) => scale.iidPValueOf(statistic)],
  parameters: {},
};

export function pValueOf(testNull: TestNull, statistic: number, scale: Tails): number {
  let pValue = Number.NEGATIVE_INFINITY;
  for (const tailOf of testNull.tails) pValue = Math.max(pValue, tailOf(statistic, scale));
  return pValue;
}

/**
 * The larger of two p-values: that of independent rows, and that of a new window among the reference's pieces,
 * F(ν, ν·pieces) of the ratio over its expectation; the second degrees of freedom pay for the expectation being an
 * average over few pieces, counted as the independent ones they are worth.
 */
export function temporalNull(
  sizes: Pick<Measurement, 'referenceRows' | 'currentRows'>,
  spread: TemporalSpread,
): TestNull {
  const designEffect = 1 + spread.excess * informationOf(sizes);
  const effectivePieces = spread.effectivePieces ?? spread.pieces;
  const denominator = spread.shape * effectivePieces;
  return {
    kind: 'temporal',
    designEffect,
    tails: [
      (statistic, scale) =>
        fSf(scale.ratioOf(statistic, spread.pieces) / designEffect, spread.shape, denominator),
      ...IID_NULL.tails,
    ],
    parameters: {
      pieces: spread.pieces,
      effectivePieces,
      shape: spread.shape,
      excess: spread.excess,
      autocorrelation: spread.autocorrelation ?? 0,
      ...(spread.trend === undefined
        ? {}
        : { referenceTrend: spread.trend.change, referenceTrendPValue: spread.trend.pValue }),
    },
  };
}

/** The least p-value that this window could have given, in either direction. */
export function leastPValue(measurement: Measurement, testNull: TestNull): number {
  const own = pValueOf(testNull, measurement.largest, measurement);
  const { opposite } = measurement;
  return opposite === null ? own : Math.min(own, pValueOf(testNull, opposite.largest, opposite));
}

/**
 * The least statistic of a direction whose p-value is at most `level`, null when none is; what was `seen` in this direction, if
 * any, reaches the answer exactly when its own p-value does. Tails are inverted one by one: they may differ much in cost.
 */
export function criticalOf(
  testNull: TestNull,
  scale: Scale,
  level: number,
  seen: number | null,
): number | null {
  let critical = 0;
  for (const tailOf of testNull.tails) {
    const tail = (statistic: number) => tailOf(statistic, scale);
    if (critical > 0 && tail(critical) <= level) continue;
    const known = seen === null ? null : { statistic: seen, pValue: tail(seen) };
    const own = criticalStatistic(tail, scale.largest, level, known);
    if (own === null) return null;
    critical = Math.max(critical, own);
  }
  return critical;
}
