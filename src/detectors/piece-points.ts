import type { Profile } from '../domain/profile.js';
import { binCounts, quantileBinEnds, total } from '../stats/cells.js';
import type { PieceSeries } from '../stats/piece-series.js';
import type { Measurement } from './detector.js';

/** A column's successive pieces as points, and the size of a change from one to another in the unit of the effects. */
export interface PiecePoints extends PieceSeries {
  readonly changeOf: (from: readonly number[], to: readonly number[]) => number;
}

/** Deciles say where a numeric column lies; so many categories carry nearly all of a categorical one. */
const BINS = 10;
const CATEGORIES = 30;

/**
 * Pieces as the values of their distribution function at the reference's deciles (change: D), or as the shares of its most frequent
 * categories and the rest, each over the root of the reference's share, so that their squared distance is that of X² (change:
 * Cramér's V at equal sizes).
 */
export function distributionPoints(
  kind: Profile['kind'],
  whole: Profile,
  pieces: readonly Profile[],
): PiecePoints {
  // Pieces without a value have no shape: what is tested there (missing, text among numbers) lies elsewhere.
  if (total(whole.counts) === 0) return { points: pieces.map(() => []), noise: 0, changeOf: () => 0 };
  return kind === 'numeric' ? numericPoints(whole, pieces) : categoricalPoints(whole, pieces);
}

/** For tests of a share: each piece's share, as its measurement tells it; null for other tests. */
export function sharePoints(measured: readonly Measurement[]): PiecePoints | null {
  const shares = measured.flatMap(({ parameters, currentRows }) =>
    typeof parameters.currentShare === 'number' ? [{ share: parameters.currentShare, currentRows }] : [],
  );
  if (shares.length < measured.length) return null;
  const rows = shares.reduce((sum, { currentRows }) => sum + currentRows, 0);
  const mean = shares.reduce((sum, { share, currentRows }) => sum + share * currentRows, 0) / rows;
  return {
    points: shares.map(({ share }) => [share]),
    noise: mean * (1 - mean) * meanInverse(shares.map(({ currentRows }) => currentRows)),
    changeOf: ([from = 0], [to = 0]) => Math.abs(to - from),
  };
}

function numericPoints(whole: Profile, pieces: readonly Profile[]): PiecePoints {
  const ends = quantileBinEnds(whole.counts, BINS);
  const all = binCounts(whole.counts, ends);
  const below = (bins: readonly number[]) => {
    const rows = Math.max(1, total(bins));
    let sum = 0;
    return bins.slice(0, -1).map((count) => {
      sum += count;
      return sum / rows;
    });
  };
  const bernoulli = below(all).reduce((sum, share) => sum + share * (1 - share), 0);
  return {
    points: pieces.map(({ counts }) => below(binCounts(counts, ends))),
    noise: bernoulli * meanInverse(pieces.map(({ counts }) => total(counts))),
    changeOf: (from, to) => Math.max(0, ...to.map((value, i) => Math.abs(value - (from[i] ?? 0)))),
  };
}

function categoricalPoints(whole: Profile, pieces: readonly Profile[]): PiecePoints {
  const rows = Math.max(1, total(whole.counts));
  const largest = [...whole.counts.keys()]
    .filter((cell) => (whole.counts[cell] ?? 0) > 0)
    .sort((a, b) => (whole.counts[b] ?? 0) - (whole.counts[a] ?? 0))
    .slice(0, CATEGORIES);
  const sharesOf = ({ counts }: Profile): number[] => {
    const all = Math.max(1, total(counts));
    const shares = largest.map((cell) => (counts[cell] ?? 0) / all);
    return [...shares, Math.max(0, 1 - shares.reduce((sum, share) => sum + share, 0))];
  };
  const weights = sharesOf(whole).map((share) => (share > 0.5 / rows ? 1 / Math.sqrt(share) : 0));
  const cells = weights.filter((weight) => weight > 0).length;
  return {
    points: pieces.map((piece) => sharesOf(piece).map((share, cell) => share * (weights[cell] ?? 0))),
    noise: Math.max(0, cells - 1) * meanInverse(pieces.map(({ counts }) => total(counts))),
    changeOf: (from, to) => {
      let sum = 0;
      for (const [cell, weight] of weights.entries()) {
        if (weight === 0) continue;
        // A line may leave the range of shares at its ends.
        const p = Math.max(0, (from[cell] ?? 0) / weight);
        const q = Math.max(0, (to[cell] ?? 0) / weight);
        if (p + q > 0) sum += (p - q) ** 2 / (p + q);
      }
      return Math.min(1, Math.sqrt(sum / 2));
    },
  };
}

function meanInverse(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + 1 / Math.max(1, size), 0) / Math.max(1, sizes.length);
}
