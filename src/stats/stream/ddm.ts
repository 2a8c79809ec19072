import type { StreamDetector } from './stream-detector.js';

export interface DdmOptions {
  /** Nothing is detected, and no minimum is taken, up to so many updates. */
  readonly warmStart: number;
  /** A change is detected above the minimum by so many of its standard deviations. */
  readonly driftThreshold: number;
}

/** river's defaults. */
export const DDM: DdmOptions = { warmStart: 30, driftThreshold: 3 };

export interface DdmState {
  readonly n: number;
  /** Share of errors. */
  readonly p: number;
  /** Share and standard deviation where their sum was least; null before the warm start has passed. */
  readonly least: { readonly p: number; readonly s: number } | null;
  readonly detected: boolean;
}

const START: DdmState = { n: 0, p: 0, least: null, detected: false };

/**
 * The drift detection method (Gama, Medas, Castillo, Rodrigues 2004, "Learning with drift detection", SBIA) on errors 0 and 1, as
 * river computes it: with the share of errors pᵢ and sᵢ = √(pᵢ(1−pᵢ)/i), a change is detected where pᵢ + sᵢ > p_min + 3·s_min.
 */
export function createDdm(options: DdmOptions = DDM, from: DdmState = START): StreamDetector<DdmState> {
  let { n, p, least, detected } = from;
  return {
    update(x) {
      if (x !== 0 && x !== 1) throw new RangeError(`DDM takes errors of 0 and 1, got ${x}`);
      if (detected) ({ n, p, least, detected } = START);
      n += 1;
      p += (x - p) / n;
      const s = Math.sqrt((p * (1 - p)) / n);
      if (n <= options.warmStart) return false;
      if (least === null || p + s <= least.p + least.s) least = { p, s };
      detected = p + s > least.p + options.driftThreshold * least.s;
      return detected;
    },
    state: () => ({ n, p, least, detected }),
  };
}
