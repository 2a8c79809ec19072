import { z } from 'zod';
import type { Profile } from '../domain/profile.js';
import { distanceOfShift, scoresPerShift, shiftOfDistance, shiftOfScores } from '../stats/shift-distance.js';
import { smoothPValue, smoothRank, smoothStatistic } from '../stats/smooth-rank.js';
import { createSmoothScreen } from '../stats/smooth-screen.js';
import { chiSquareSf } from '../stats/special.js';
import { defineDetector, informationOf, onlyCell } from './detector.js';
import { distanceEffect } from './distance-effect.js';
import { binsOf, distanceBetween, totalOf } from './profile-facts.js';

/** Neyman's smooth test on the ranks of a numeric column's finite values; its effect is D, so that people know its size. */
export const neyman = defineDetector({
  name: 'neyman',
  accepts: ['numeric'],
  category: 'drift',
  role: 'primary',
  minimumEffect: 0.1,
  params: z.strictObject({ degree: z.int().min(1).max(6).default(4) }),
  measure: ({ reference, current }, { degree }) => {
    const currentRows = totalOf(current);
    const referenceRows = totalOf(reference);
    if (referenceRows === 0) return 'no_reference';
    if (currentRows === 0) return 'no_data';
    if (currentRows < 2 || referenceRows < 2) return 'too_few_rows';
    const smooth = smoothRank(current.counts, reference.counts, degree);
    const { distance, resolution } = distanceBetween(current, reference);
    const information = informationOf({ referenceRows, currentRows });
    const only = onlyCell(reference.counts);
    // Only odd cells hold a single value; all mass strictly between two cut points may still differ.
    const constant = only % 2 === 1 && only === onlyCell(current.counts);
    const scores = Math.max(1, smooth.scores);
    return {
      statistic: smooth.statistic,
      referenceRows,
      currentRows,
      degreesOfFreedom: scores,
      largest: Math.max(smooth.statistic, largestStatistic(reference, currentRows, degree)),
      resolution: null,
      vacuous: constant ? 'constant' : null,
      opposite: null,
      ratioOf: (statistic, pieces) => ratioOf(statistic, pieces, { scores, information }),
      iidPValueOf: (statistic) => smoothPValue(statistic, smooth),
      effectOf: (statistic) => distanceOfShift(shiftOfScores(statistic / information, scores)),
      effectWithInterval: (designEffect) =>
        distanceEffect({ distance, resolution, currentRows, referenceRows, designEffect }),
      parameters: { scores: smooth.scores, distanceResolution: resolution },
    };
  },
  screen: ({ reference }, { degree }) => {
    const glanceAt = createSmoothScreen(reference.counts, degree);
    return (current) => {
      const { filled } = current;
      // Reading the counts of all cells would make them.
      const glance = filled === undefined ? glanceAt(current.counts) : glanceAt([], filled);
      if (glance === null) return null;
      const { scores } = glance;
      const information = informationOf(glance);
      return {
        ...glance,
        ratioOf: (statistic, pieces) => ratioOf(statistic, pieces, { scores, information }),
        iidPValueOf: (statistic) => chiSquareSf(statistic, scores),
      };
    };
  },
});

/**
 * Mean scores end where the ranks end, while a shift goes on: they are read as the shift of a bell-shaped column. With so many pieces
 * no shift can be read as further than half a piece from all of the reference.
 */
function ratioOf(
  statistic: number,
  pieces: number,
  { scores, information }: { readonly scores: number; readonly information: number },
): number {
  const shift = Math.min(shiftOfScores(statistic / information, scores), furthestShift(pieces));
  return (shift * shift * scoresPerShift(scores) * information) / scores;
}

const furthest = { pieces: Number.NaN, shift: Number.NaN };

/** The same for all that a reference's nulls are asked. */
function furthestShift(pieces: number): number {
  if (furthest.pieces !== pieces) {
    furthest.shift = shiftOfDistance(1 - 1 / (2 * pieces));
    furthest.pieces = pieces;
  }
  return furthest.shift;
}

/** Q if every row of the window had one value, below or above all of the reference; of so many bins of it, which is close enough. */
function largestStatistic(reference: Profile, currentRows: number, degree: number): number {
  const bins = binsOf(reference, LARGEST_BINS);
  const none = bins.map(() => 0);
  const above = smoothStatistic([...none, currentRows], [...bins, 0], degree);
  const below = smoothStatistic([currentRows, ...none], [0, ...bins], degree);
  return Math.max(above, below);
}

const LARGEST_BINS = 40;
