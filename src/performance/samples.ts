import type { Task } from '../domain/model.js';
import type { PerformanceCounts, PerformanceSample } from '../domain/performance.js';
import { absoluteError } from './regression.js';

/**
 * The figures that are compared with the reference's, with their variance under independent rows: ROC AUC (DeLong) and accuracy of a
 * classifier, mean absolute error of a regression. What the rows cannot say is left out.
 */
export function performanceSamples(task: Task, counts: PerformanceCounts): PerformanceSample[] {
  if (task === 'regression') {
    const error = absoluteError(counts);
    if (error === null || error.rows < 2) return [];
    const variance = error.m2 / (error.rows - 1) / error.rows;
    return [{ figure: 'meanAbsoluteError', value: error.mean, variance, rows: error.rows }];
  }
  const samples: PerformanceSample[] = [];
  const { ranking, correct, classified } = counts;
  if (ranking !== null && ranking.auc !== null && ranking.aucVariance !== null) {
    // Where no pair is out of order the estimate is 0: the next pair may be.
    const least = 1 / (2 * Math.min(ranking.positives, ranking.negatives)) ** 2;
    samples.push({
      figure: 'rocAuc',
      value: ranking.auc,
      variance: Math.max(ranking.aucVariance, least),
      rows: ranking.positives + ranking.negatives,
    });
  }
  if (classified > 0) {
    // Two hits and two misses more, so that all right is not sure to stay so (Agresti & Coull 1998).
    const near = (correct + 2) / (classified + 4);
    samples.push({
      figure: 'accuracy',
      value: correct / classified,
      variance: (near * (1 - near)) / classified,
      rows: classified,
    });
  }
  return samples;
}
