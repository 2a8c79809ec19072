import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { fitIsolationForest, scoreIsolationForest } from '../../src/stats/isolation-forest.js';
import { createRandom } from '../../src/stats/random.js';
import { auc, deviation, mean } from '../support/ranks.js';

/** scikit-learn's mean AUC over its seeds on labelled sets; made by test/oracle/forest-sets.py. */
const { sets } = JSON.parse(readFileSync('test/oracle/forest-sets.json', 'utf8')) as {
  sets: {
    name: string;
    inliers: number;
    outliers: number;
    columns: number;
    values: number[];
    seeds: number;
    aucMean: number;
    aucStandardError: number;
  }[];
};

describe('the isolation forest on labelled outlier sets', () => {
  it('has six of them, and thirty seeds or more of each', () => {
    expect(sets).toHaveLength(6);
    for (const { seeds } of sets) expect(seeds).toBeGreaterThanOrEqual(30);
  });

  it.each(sets)("$name: mean AUC within three combined standard errors of scikit-learn's", (set) => {
    const rows = set.inliers + set.outliers;
    const matrix = Float64Array.from(set.values);
    const aucs = Array.from({ length: set.seeds }, (_, seed) => {
      const forest = fitIsolationForest(matrix, rows, set.columns, { random: createRandom(seed) });
      const scores = scoreIsolationForest(forest, matrix, rows);
      return auc(scores.subarray(0, set.inliers), scores.subarray(set.inliers));
    });
    const standardError = deviation(aucs, 1) / Math.sqrt(aucs.length);
    const z = (mean(aucs) - set.aucMean) / Math.hypot(standardError, set.aucStandardError);
    expect(Math.abs(z)).toBeLessThan(3);
  });
});
