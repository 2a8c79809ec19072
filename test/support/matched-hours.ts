import type { MatchedHour } from '../../src/domain/version-comparison.js';

/** An hour of matched and labelled requests whose log losses differ by these. */
export function matchedHourOf(hourMs: number, differences: readonly number[]): MatchedHour {
  const rows = differences.length;
  const mean = differences.reduce((sum, value) => sum + value, 0) / rows;
  const m2 = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    hourMs,
    requests: rows,
    classified: rows,
    classes: [],
    distance: { rows: 0, mean: 0, m2: 0 },
    labelled: rows,
    conflicting: 0,
    figures: {
      logLoss: {
        champion: 0.5,
        challenger: 0.5 + mean,
        difference: { rows, mean, m2 },
        changed: differences.filter((value) => value !== 0).length,
      },
    },
  };
}
