/** One piece's statistic on its null scale (mean 1 under independent rows) and the sample size it is worth. */
export interface PieceRatio {
  readonly ratio: number;
  /** n·m/(n + m) of the piece against the rest. */
  readonly information: number;
}

/**
 * Between-piece variance component of ratios whose mean is 1 + excess·information: the excess at which the normalised
 * ratios have mean 1 (Paule & Mandel 1982, J. Res. NBS 87:377), 0 when they are below 1 as they are. Pieces of unequal
 * size count alike, so a few large ones cannot hide that small ones vary more than the model says.
 */
export function pauleMandelExcess(pieces: readonly PieceRatio[]): number {
  if (pieces.length === 0) throw new RangeError('no piece given: at least one is needed');
  const meanAt = (excess: number) =>
    pieces.reduce((sum, piece) => sum + piece.ratio / (1 + excess * piece.information), 0) / pieces.length;
  if (!(meanAt(0) > 1)) return 0;
  let low = 0;
  let high = Math.max(...pieces.map((piece) => (piece.ratio - 1) / piece.information));
  for (let step = 0; step < 200; step++) {
    const middle = low + (high - low) / 2;
    if (middle === low || middle === high) break;
    if (meanAt(middle) > 1) low = middle;
    else high = middle;
  }
  return high;
}

/** Least shape: below it the tail is so heavy that nothing can be told anyway. */
const LEAST_SHAPE = 0.1;

/**
 * Degrees of freedom ν of the χ²(ν)/ν whose variance 2/ν the normalised ratios show, one standard error on the
 * heavy-tailed side, at most `most`. Few pieces seldom hold the tail they come from, so the plain moment estimate
 * is too light; its error is √(2a(a + 1)/pieces) for a = ν/2 (gamma moments).
 */
export function cautiousShape(normalised: readonly number[], most: number): number {
  const count = normalised.length;
  if (count < 2) throw new RangeError(`${count} piece(s) given: a spread needs two`);
  const mean = normalised.reduce((sum, u) => sum + u, 0) / count;
  const variance = normalised.reduce((sum, u) => sum + (u - mean) ** 2, 0) / (count - 1);
  if (variance === 0) return most;
  const half = 1 / variance;
  const cautious = 2 * (half - Math.sqrt((2 * half * (half + 1)) / count));
  return Math.min(most, Math.max(LEAST_SHAPE, cautious));
}
