import { assertFinite, type StreamDetector } from './stream-detector.js';

export interface PageHinkleyOptions {
  /** Changes of the mean up to this size pass unseen. Units: those of the stream. */
  readonly delta: number;
  /** λ: the cumulated deviation from which on a change is detected. Units: those of the stream, times updates. */
  readonly threshold: number;
  /** Share of the cumulated deviation that is kept with each update. */
  readonly alpha: number;
  /** Nothing is detected before so many updates. */
  readonly minInstances: number;
  /** `up` looks for a rising mean only. */
  readonly mode: 'up' | 'down' | 'both';
}

/** river's defaults, but for the direction: an error that falls is no reason to look at a model. */
export const PAGE_HINKLEY: PageHinkleyOptions = {
  delta: 0.005,
  threshold: 50,
  alpha: 1 - 0.0001,
  minInstances: 30,
  mode: 'up',
};

export interface PageHinkleyState {
  readonly n: number;
  readonly mean: number;
  readonly sumIncrease: number;
  readonly sumDecrease: number;
  /** Least and greatest of the sums so far; null before the first update. */
  readonly minIncrease: number | null;
  readonly maxDecrease: number;
  readonly detected: boolean;
}

const START: PageHinkleyState = {
  n: 0,
  mean: 0,
  sumIncrease: 0,
  sumDecrease: 0,
  minIncrease: null,
  maxDecrease: -1,
  detected: false,
};

/**
 * The Page–Hinkley test (Page 1954, "Continuous inspection schemes", Biometrika 41), with forgetting, as river computes it: with
 * dᵢ = xᵢ − x̄ᵢ and Sᵢ = α·Sᵢ₋₁ + dᵢ − δ, a rise is detected where Sᵢ − min S > λ; a fall likewise, mirrored.
 */
export function createPageHinkley(
  options: PageHinkleyOptions = PAGE_HINKLEY,
  from: PageHinkleyState = START,
): StreamDetector<PageHinkleyState> {
  let { n, mean, sumIncrease, sumDecrease, minIncrease, maxDecrease, detected } = from;
  const { delta, threshold, alpha, minInstances, mode } = options;
  return {
    update(x) {
      assertFinite(x);
      if (detected) ({ n, mean, sumIncrease, sumDecrease, minIncrease, maxDecrease, detected } = START);
      n += 1;
      mean += (x - mean) / n;
      const deviation = x - mean;
      sumIncrease = alpha * sumIncrease + deviation - delta;
      sumDecrease = alpha * sumDecrease + deviation + delta;
      minIncrease = Math.min(minIncrease ?? Infinity, sumIncrease);
      maxDecrease = Math.max(maxDecrease, sumDecrease);
      detected =
        n >= minInstances &&
        ((mode !== 'down' && sumIncrease - minIncrease > threshold) ||
          (mode !== 'up' && maxDecrease - sumDecrease > threshold));
      return detected;
    },
    state: () => ({ n, mean, sumIncrease, sumDecrease, minIncrease, maxDecrease, detected }),
  };
}
