import type { NullModel, TemporalSpread } from '../domain/reference.js';
import { fSf } from '../stats/special.js';
import { informationOf, type Measurement, type Scale } from './detector.js';

/** The null that one measurement is judged by. */
export interface TestNull {
  readonly kind: NullModel['kind'];
  /** E[ratio] at this window's size: the variance inflation against independent rows. */
  readonly designEffect: number;
  readonly pValueOf: (statistic: number, scale: Scale) => number;
  /** Its settings, for the verdict. */
  readonly parameters: Readonly<Record<string, number>>;
}

export const IID_NULL: TestNull = {
  kind: 'iid',
  designEffect: 1,
  pValueOf: (statistic, scale) => scale.iidPValueOf(statistic),
  parameters: {},
};

/**
 * The larger of two p-values: that of independent rows, and that of a new window among the reference's pieces,
 * F(ν, ν·pieces) of the ratio over its expectation; the second degrees of freedom pay for the expectation being an
 * average over few pieces.
 */
export function temporalNull(measurement: Measurement, spread: TemporalSpread): TestNull {
  const designEffect = 1 + spread.excess * informationOf(measurement);
  const denominator = spread.shape * spread.pieces;
  return {
    kind: 'temporal',
    designEffect,
    pValueOf: (statistic, scale) => {
      const ratio = scale.ratioOf(statistic, spread.pieces) / designEffect;
      return Math.max(scale.iidPValueOf(statistic), fSf(ratio, spread.shape, denominator));
    },
    parameters: { pieces: spread.pieces, shape: spread.shape, excess: spread.excess },
  };
}

/** The least p-value that this window could have given, in either direction. */
export function leastPValue(measurement: Measurement, testNull: TestNull): number {
  const scales = measurement.opposite === null ? [measurement] : [measurement, measurement.opposite];
  return Math.min(...scales.map((scale) => testNull.pValueOf(scale.largest, scale)));
}
