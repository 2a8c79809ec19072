import { fSf } from './special.js';

/** What successive pieces of a reference are like: a point each (shares, or values of a distribution function), in order of time. */
export interface PieceSeries {
  /** One per piece, all of one length. */
  readonly points: readonly (readonly number[])[];
  /** Squared distance from its own expectation that chance of rows alone gives a piece, on average. */
  readonly noise: number;
}

export interface Persistence {
  /** Lag-1 autocorrelation of the pieces' own states, chance of rows taken off; 0 where it is not positive. */
  readonly autocorrelation: number;
  /** Lag-1 autocorrelation of the pieces as they are seen, in [0, autocorrelation]. */
  readonly seen: number;
}

export interface Trend {
  /** The fitted line at the first and the last piece. */
  readonly start: readonly number[];
  readonly end: readonly number[];
  /** P-value of no trend. */
  readonly pValue: number;
}

/** Nearer to 1 a series is a random walk, whose own pieces cannot say how far it goes. */
const MOST_AUTOCORRELATION = 0.95;
/** A spread needs more than one independent piece. */
const LEAST_EFFECTIVE = 1.5;

/**
 * Lag-1 autocorrelation about the mean, with the small-sample bias of −(1 + 3ρ)/pieces put back (Marriott & Pope 1954, Biometrika
 * 41:390).
 */
export function persistence({ points, noise }: PieceSeries): Persistence {
  return persistenceOf(centred(points), noise, { constant: 1, slope: 3 });
}

function persistenceOf(
  residuals: readonly (readonly number[])[],
  noise: number,
  bias: { readonly constant: number; readonly slope: number },
): Persistence {
  const pieces = residuals.length;
  if (pieces < 3) return { autocorrelation: 0, seen: 0 };
  const variance = meanOf(residuals.map((point) => dot(point, point)));
  const covariance =
    residuals.slice(1).reduce((sum, point, i) => sum + dot(point, residuals[i] ?? []), 0) / pieces;
  const unbiased = (raw: number) =>
    Math.min(
      MOST_AUTOCORRELATION,
      Math.max(0, (raw + bias.constant / pieces) / Math.max(0.1, 1 - bias.slope / pieces)),
    );
  const states = variance - noise;
  // Where pieces differ by chance of rows alone there is no state that could last.
  if (!(states > 0)) return { autocorrelation: 0, seen: 0 };
  // Where states are the smaller part, their share is too uncertain to divide by.
  const divisor = Math.max(states, variance / 2);
  return { autocorrelation: unbiased(covariance / divisor), seen: unbiased(covariance / variance) };
}

/** Independent pieces that so many successive ones are worth for their mean: pieces/(1 + 2·Σ(1 − k/pieces)·ρᵏ). */
export function effectivePieces(pieces: number, autocorrelation: number): number {
  let sum = 1;
  for (let lag = 1; lag < pieces; lag++) sum += 2 * (1 - lag / pieces) * autocorrelation ** lag;
  return Math.max(Math.min(pieces, LEAST_EFFECTIVE), pieces / sum);
}

/** The same for their variance: squares correlate by ρ². */
export function effectivePiecesOfSpread(pieces: number, { autocorrelation, seen }: Persistence): number {
  let sum = 1;
  for (let lag = 1; lag < pieces; lag++)
    sum += 2 * (1 - lag / pieces) * (seen * autocorrelation ** (lag - 1)) ** 2;
  return Math.max(Math.min(pieces, LEAST_EFFECTIVE), pieces / sum);
}

/**
 * By how much the variance of a new piece about the pieces' mean exceeds what each piece about the mean of the others shows. Both are
 * s²·(1 ± 1/p) with p effective pieces; of independent pieces they agree to 1/p².
 */
export function persistenceInflation(pieces: number, autocorrelation: number): number {
  const oddsOf = (effective: number) => (effective + 1) / (effective - 1);
  return Math.max(1, oddsOf(effectivePieces(pieces, autocorrelation)) / oddsOf(pieces));
}

/**
 * A straight line through the points, and whether it is more than chance: the slope's squared length over what residuals that last
 * as these do give it, on F(d, d·(effective pieces − 2)), d = tr(C)²/tr(C²) of the residuals' covariance C (Box 1954, Ann. Math.
 * Stat. 25:290). Pieces are taken as equally spaced. Null with fewer than four.
 */
export function linearTrend({ points, noise }: PieceSeries): Trend | null {
  const pieces = points.length;
  if (pieces < 4) return null;
  const middle = (pieces - 1) / 2;
  const spread = (pieces * (pieces * pieces - 1)) / 12;
  const mean = meanPoint(points);
  const slope = mean.map(
    (_, j) => points.reduce((sum, point, i) => sum + (i - middle) * (point[j] ?? 0), 0) / spread,
  );
  const residuals = points.map((point, i) =>
    point.map((value, j) => value - (mean[j] ?? 0) - (i - middle) * (slope[j] ?? 0)),
  );
  const line = (at: number) => mean.map((value, j) => value + at * (slope[j] ?? 0));
  const result = { start: line(-middle), end: line(middle) };
  const sumOfSquares = residuals.reduce((sum, point) => sum + dot(point, point), 0);
  const explained = dot(slope, slope) * spread;
  // Rounding errors are no residuals.
  if (sumOfSquares <= 1e-12 * explained) return { ...result, pValue: explained > 0 ? 0 : 1 };
  // A line takes more of a lasting series along than a mean does: the bias is −(2 + 4ρ)/pieces.
  const lasting = persistenceOf(residuals, noise, { constant: 2, slope: 4 });
  const effective = effectivePieces(pieces, lasting.autocorrelation);
  const dimensions = effectiveDimensions(residuals, sumOfSquares);
  const ratio = (explained * (pieces - 2) * effective) / (sumOfSquares * pieces);
  return { ...result, pValue: fSf(ratio, dimensions, dimensions * Math.max(1, effective - 2)) };
}

/** tr(C)²/tr(C²): 1 when all residuals lie on a line, as many as components when they go all ways alike. */
function effectiveDimensions(residuals: readonly (readonly number[])[], trace: number): number {
  const components = [...(residuals[0] ?? []).keys()];
  let squares = 0;
  // Component by component: there may be hundreds of pieces, but some thirty components at most.
  for (const i of components)
    for (const j of components) {
      let sum = 0;
      for (const point of residuals) sum += (point[i] ?? 0) * (point[j] ?? 0);
      squares += sum * sum;
    }
  return (trace * trace) / squares;
}

function centred(points: readonly (readonly number[])[]): number[][] {
  const mean = meanPoint(points);
  return points.map((point) => point.map((value, j) => value - (mean[j] ?? 0)));
}

function meanPoint(points: readonly (readonly number[])[]): number[] {
  return (points[0] ?? []).map((_, j) => meanOf(points.map((point) => point[j] ?? 0)));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
