import { effectivePiecesOfSpread, persistence, persistenceInflation } from './piece-series.js';

/** Below so many pieces their spread says too little. */
const LEAST_PIECES = 10;
/** Nearer to 0 or 1 an AUC of some hundred rows is not known. */
const MOST_CERTAIN = 1e-6;

/** What the AUCs of ordinary windows are like, as log-odds: where every window is told well, AUCs crowd below 1 and log-odds do not. */
export interface AucSpread {
  /** Pieces that it was learned from. */
  readonly pieces: number;
  /** Independent pieces that these are worth for their spread, as neighbours are alike. */
  readonly effectivePieces: number;
  readonly autocorrelation: number;
  /** Their mean: above 0 where every window differs from the whole. */
  readonly usual: number;
  /** Variance of a new window's log-odds about the mean: of the pieces, chance of rows included, and of the mean. */
  readonly variance: number;
  /** What chance of rows alone gives a piece. */
  readonly rowVariance: number;
}

/** ln(auc/(1 − auc)); of 0 and 1 as of one in a million. */
export function logOdds(auc: number): number {
  const inside = Math.min(1 - MOST_CERTAIN, Math.max(MOST_CERTAIN, auc));
  return Math.log(inside / (1 - inside));
}

/** The AUC that has these log-odds. */
export function aucOf(odds: number): number {
  return 1 / (1 + Math.exp(-odds));
}

/** Variance of the log-odds of an AUC of ½ that has this variance. */
export function oddsVariance(nullVariance: number): number {
  return 16 * nullVariance;
}

/** From window-long pieces in order of time; null with fewer than ten. */
export function fitAucSpread(
  pieces: readonly { readonly auc: number; readonly nullVariance: number }[],
): AucSpread | null {
  const count = pieces.length;
  if (count < LEAST_PIECES) return null;
  const odds = pieces.map(({ auc }) => logOdds(auc));
  const usual = odds.reduce((sum, value) => sum + value, 0) / count;
  const rowVariance = pieces.reduce((sum, { nullVariance }) => sum + oddsVariance(nullVariance), 0) / count;
  const squares = odds.reduce((sum, value) => sum + (value - usual) ** 2, 0) / count;
  const lasting = persistence({ points: odds.map((value) => [value]), noise: rowVariance });
  return {
    pieces: count,
    effectivePieces: effectivePiecesOfSpread(count, lasting),
    autocorrelation: lasting.autocorrelation,
    usual,
    // Of independent pieces: s²·(1 + 1/pieces).
    variance: ((squares * (count + 1)) / (count - 1)) * persistenceInflation(count, lasting.autocorrelation),
    rowVariance,
  };
}
