import type { Task } from '../domain/model.js';
import type { PerformanceBaseline, PerformanceCounts, PerformanceSample } from '../domain/performance.js';
import { pauleMandelExcess } from '../stats/paule-mandel.js';
import { effectivePiecesOfSpread, persistence } from '../stats/piece-series.js';
import { performanceSamples } from './samples.js';

/** Below so many usable pieces their spread says too little. */
const MIN_PIECES = 10;

/**
 * What windows are compared with: the figures of a whole, and how much window-long pieces of it, in order of time, differ beyond chance of
 * their rows. Pieces with less than half the median rows are left out; with fewer than ten the spread is unknown (null).
 */
export function fitBaselines(
  task: Task,
  whole: PerformanceCounts,
  pieces: readonly PerformanceCounts[],
): PerformanceBaseline[] {
  const ofPieces = pieces.flatMap((piece) => performanceSamples(task, piece));
  return performanceSamples(task, whole).map((sample) => ({
    ...sample,
    spread: fitSpread(
      sample,
      ofPieces.filter(({ figure }) => figure === sample.figure),
    ),
  }));
}

/**
 * Between-piece variance (Paule & Mandel 1982): that at which the pieces' squared distances from the whole, over their variances, have
 * mean 1. A piece is part of the whole, which takes a share of 1/pieces off its distance. Beside it how alike neighbours are: pieces that
 * last say less about how windows differ.
 */
function fitSpread(
  whole: PerformanceSample,
  pieces: readonly PerformanceSample[],
): PerformanceBaseline['spread'] {
  const sizes = pieces.map(({ rows }) => rows).sort((a, b) => a - b);
  const median = sizes[Math.floor(sizes.length / 2)] ?? 0;
  const usable = pieces.filter(({ rows, variance }) => rows >= median / 2 && variance > 0);
  if (usable.length < MIN_PIECES) return null;
  const share = usable.length / (usable.length - 1);
  const lasting = persistence({
    points: usable.map(({ value }) => [value]),
    noise: usable.reduce((sum, { variance }) => sum + variance, 0) / usable.length,
  });
  return {
    pieces: usable.length,
    effectivePieces: effectivePiecesOfSpread(usable.length, lasting),
    autocorrelation: lasting.autocorrelation,
    variance: pauleMandelExcess(
      usable.map(({ value, variance }) => ({
        ratio: (share * (value - whole.value) ** 2) / variance,
        information: 1 / variance,
      })),
    ),
  };
}
