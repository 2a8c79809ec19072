import betainc from '@stdlib/math/base/special/betainc/lib/index.js';
import { hypergeometricLogProbability } from './hypergeometric.js';
import { effectivePiecesOfSpread, persistence, persistenceInflation } from './piece-series.js';

/** Flagged rows among all rows of one sample. */
export interface FlaggedCount {
  readonly rows: number;
  readonly flagged: number;
}

/** Between-piece variance and shape of the share's ratio: see TemporalSpread in the domain. */
export interface ShareSpread {
  readonly pieces: number;
  readonly excess: number;
  readonly shape: number;
  readonly effectivePieces?: number;
  readonly autocorrelation?: number;
}

/** Below so many usable pieces their spread says too little: the rows then count as independent. */
const MIN_PIECES = 10;
const Z_95 = 1.959963984540054;

/**
 * P(at least `current.flagged` of the current rows lie above the threshold) when they come from the reference's
 * distribution: the upper hypergeometric tail, Fisher's exact test to one side. With the threshold at an order statistic
 * of the reference this is the exact law of the count above it (precedence test), whatever the scores' distribution,
 * so the uncertainty of the threshold itself is accounted for.
 */
export function shareExcessPValue(current: FlaggedCount, reference: FlaggedCount): number {
  checkCount(current);
  checkCount(reference);
  if (current.flagged === 0) return 1;
  const { rows: n, flagged: k } = current;
  const { rows: m, flagged: r } = reference;
  const draws = k + r;
  const most = Math.min(n, draws);
  const logFirst = hypergeometricLogProbability(k, n + m, n, draws);
  // Terms relative to the first one: they rise to the mode and then fall, so a small one past the mode ends the sum.
  let term = 1;
  let sum = 1;
  for (let i = k; i < most; i++) {
    const factor = ((n - i) * (draws - i)) / ((i + 1) * (m - draws + i + 1));
    term *= factor;
    sum += term;
    if (factor < 1 && term < sum * 1e-17) break;
  }
  // Below the mode the first term may underflow against the sum: by then the tail is 1 to double precision.
  return Math.min(1, sum === Infinity ? 1 : Math.exp(logFirst + Math.log(sum)));
}

/**
 * The squared difference of two shares on the arcsine scale, 4·nm/(n+m)·(φ₁−φ₂)², φ = asin √((k+⅜)/(n+¾)): about χ²(1)
 * with mean 1 under independent rows (Anscombe 1948). On this scale a few days of many outliers do not make the spread
 * of all days so heavy-tailed that nothing could ever be seen.
 */
export function shareRatio(current: FlaggedCount, reference: FlaggedCount): number {
  return 4 * harmonicRows(current.rows, reference.rows) * (arcsine(current) - arcsine(reference)) ** 2;
}

/** nm/(n+m). */
export function harmonicRows(n: number, m: number): number {
  return n + m === 0 ? 0 : (n * m) / (n + m);
}

/**
 * How much the share of window-long pieces, in order of time, differs from the reference's beyond what independent rows would show; each
 * piece is compared with the whole reference, as a new window will be, so its flags must come from scores held out in
 * time. Pieces with less than half the median rows are left out; null when fewer than ten remain.
 */
export function fitShareSpread(pieces: readonly FlaggedCount[], reference: FlaggedCount): ShareSpread | null {
  for (const piece of [...pieces, reference]) checkCount(piece);
  const sizes = pieces.map((piece) => piece.rows).sort((a, b) => a - b);
  const median = sizes[Math.floor(sizes.length / 2)] ?? 0;
  const usable = pieces.filter((piece) => piece.rows > 0 && piece.rows >= median / 2);
  if (usable.length < MIN_PIECES) return null;
  const compared = usable.map((piece) => ({
    ratio: shareRatio(piece, reference),
    weight: harmonicRows(piece.rows, reference.rows),
  }));
  const excess = Math.max(0, sum(compared, (c) => c.ratio - 1) / sum(compared, (c) => c.weight));
  const scaled = compared.map((c) => c.ratio / (1 + excess * c.weight));
  const mean = sum(scaled, (u) => u) / scaled.length;
  const variance = sum(scaled, (u) => (u - mean) ** 2) / (scaled.length - 1);
  // One degree of freedom is what a single normal difference has; a lighter tail would claim more than was seen.
  const shape = variance > 0 && mean > 0 ? Math.min(1, (2 * mean ** 2) / variance) : 1;
  const lasting = persistence({
    points: usable.map((piece) => [arcsine(piece)]),
    noise: sum(usable, ({ rows }) => 1 / (4 * rows)) / usable.length,
  });
  return {
    pieces: usable.length,
    excess,
    shape,
    effectivePieces: effectivePiecesOfSpread(usable.length, lasting),
    autocorrelation: lasting.autocorrelation,
  };
}

/** E[ratio] at these sizes: the design effect. */
export function designEffect(spread: ShareSpread | null, n: number, m: number): number {
  if (spread === null) return 1;
  const { pieces, excess, autocorrelation = 0 } = spread;
  return 1 + excess * persistenceInflation(pieces, autocorrelation) * harmonicRows(n, m);
}

/**
 * p-value of a share above the reference's: the exact one, or the temporal one where that is larger,
 * F.sf(ratio/E[ratio]; shape, shape·effective pieces). The latter counts both sides, so it errs towards silence.
 */
export function outlierSharePValue(
  current: FlaggedCount,
  reference: FlaggedCount,
  spread: ShareSpread | null,
): number {
  const exact = shareExcessPValue(current, reference);
  if (spread === null) return exact;
  if (arcsine(current) <= arcsine(reference)) return 1;
  const ratio = shareRatio(current, reference) / designEffect(spread, current.rows, reference.rows);
  const { pieces, shape, effectivePieces = pieces } = spread;
  return Math.max(exact, fUpperTail(ratio, shape, shape * effectivePieces));
}

/** Fewest flagged rows whose p-value is at most `level`; null when even all rows would not do. */
export function criticalFlagged(
  rows: number,
  reference: FlaggedCount,
  spread: ShareSpread | null,
  level: number,
): number | null {
  const significant = (flagged: number) => outlierSharePValue({ rows, flagged }, reference, spread) <= level;
  if (!significant(rows)) return null;
  let below = -1;
  let from = rows;
  while (from - below > 1) {
    const middle = Math.floor((from + below) / 2);
    if (significant(middle)) from = middle;
    else below = middle;
  }
  return from;
}

/** 95 % interval of share₁ − share₂ (Newcombe 1998, method 10, from Wilson's intervals); rows may be fractional. */
export function shareDifferenceInterval(
  current: { readonly rows: number; readonly share: number },
  reference: { readonly rows: number; readonly share: number },
): { low: number; high: number } {
  const a = wilson(current.rows, current.share);
  const b = wilson(reference.rows, reference.share);
  const difference = current.share - reference.share;
  return {
    low: Math.max(-1, difference - Math.hypot(current.share - a.low, b.high - reference.share)),
    high: Math.min(1, difference + Math.hypot(a.high - current.share, reference.share - b.low)),
  };
}

function wilson(n: number, p: number): { low: number; high: number } {
  const z2 = Z_95 ** 2;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z_95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return { low: p === 0 ? 0 : centre - half, high: p === 1 ? 1 : centre + half };
}

function fUpperTail(x: number, df1: number, df2: number): number {
  return x <= 0 ? 1 : betainc(df2 / (df2 + df1 * x), df2 / 2, df1 / 2, true, false);
}

function arcsine({ rows, flagged }: FlaggedCount): number {
  return Math.asin(Math.sqrt((flagged + 3 / 8) / (rows + 3 / 4)));
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function checkCount({ rows, flagged }: FlaggedCount): void {
  if (!Number.isInteger(rows) || !Number.isInteger(flagged) || flagged < 0 || flagged > rows)
    throw new RangeError(
      `${flagged} flagged of ${rows} rows is impossible: give whole numbers, flagged ≤ rows`,
    );
}
